// Search over executions.

export const searchRoutes = {} as const;
