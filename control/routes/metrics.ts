// Metrics for Prometheus.

import type { Elysia } from "elysia";
import type { Executions } from "#control/services/executions";

export function metricsRoutes(_app: Elysia, _executions: Executions): void {}
