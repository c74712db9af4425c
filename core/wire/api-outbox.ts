// The outbox of events, and projecting what was taken from it.

export const outboxRoutes = {} as const;
