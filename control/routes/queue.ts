// The legacy queue: the same leases by their older names.

import type { Elysia } from "elysia";
import type { Executions } from "#control/services/executions";

export function queueRoutes(_app: Elysia, _executions: Executions): void {}
