// Starting many executions at once.

import type { Elysia } from "elysia";
import type { Executions } from "#control/services/executions";

export function batchesRoutes(_app: Elysia, _executions: Executions): void {}
