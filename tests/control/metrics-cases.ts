// Cases of the routes of the group `metrics`: these control planes count nothing.

import type { metricsRoutes } from "#core/wire/api-metrics";
import type { RouteCase } from "./refused-cases.ts";

export const metricsCases: { readonly [Name in keyof typeof metricsRoutes]: RouteCase } = {
  metrics: {
    path: "/metrics",
    status: 503,
    answer: { error: { code: "unavailable" } },
    refused: [],
  },
};
