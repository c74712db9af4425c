// Starting many executions at once.

export const batchesRoutes = {} as const;
