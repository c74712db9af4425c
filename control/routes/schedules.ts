// Schedules.

import type { Elysia } from "elysia";
import type { Executions } from "#control/services/executions";

export function schedulesRoutes(_app: Elysia, _executions: Executions): void {}
