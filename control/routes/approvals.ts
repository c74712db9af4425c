// Signals and approvals.

import type { Elysia } from "elysia";
import type { Executions } from "#control/services/executions";

export function approvalsRoutes(_app: Elysia, _executions: Executions): void {}
