// Cases of the routes of the group `metrics`.

import type { metricsRoutes } from "#core/wire/api-metrics";
import type { RouteCase } from "./refused-cases.ts";

export const metricsCases: { readonly [Name in keyof typeof metricsRoutes]: RouteCase } = {};
