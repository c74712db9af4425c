// Events from outside, one by one or in batches.

export const eventsRoutes = {} as const;
