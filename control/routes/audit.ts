// The audit log.

import type { Elysia } from "elysia";
import type { Executions } from "#control/services/executions";

export function auditRoutes(_app: Elysia, _executions: Executions): void {}
