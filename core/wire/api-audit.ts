// The audit log.

export const auditRoutes = {} as const;
