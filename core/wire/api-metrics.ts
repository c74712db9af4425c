// Metrics for Prometheus.

export const metricsRoutes = {} as const;
