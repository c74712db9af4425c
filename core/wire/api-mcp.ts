// The endpoint that speaks the Model Context Protocol.

export const mcpRoutes = {} as const;
