// Schedules.

export const schedulesRoutes = {} as const;
