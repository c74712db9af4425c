// Versions, search, deletion and forms of the catalog.

export const catalogMoreRoutes = {} as const;
