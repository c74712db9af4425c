// Running again what has run.

export const rerunsRoutes = {} as const;
