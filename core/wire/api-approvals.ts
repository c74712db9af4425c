// Signals and approvals.

export const approvalsRoutes = {} as const;
