// The database, the dashboard and the state of the process.

export const systemRoutes = {} as const;
