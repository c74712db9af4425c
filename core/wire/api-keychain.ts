// The keychain: what was fetched from providers and is kept for a while.

export const keychainRoutes = {} as const;
