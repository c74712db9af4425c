// Sealed credentials.

export const credentialsRoutes = {} as const;
