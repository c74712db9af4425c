// Frames of cursor loops by their older routes.

export const framesRoutes = {} as const;
