// The legacy queue: the same leases by their older names.

export const queueRoutes = {} as const;
