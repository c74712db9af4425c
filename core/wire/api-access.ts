// Who may sign in: people, memberships, tokens.

export const accessRoutes = {} as const;
