// The database, the dashboard and the state of the process.

import type { Elysia } from "elysia";
import type { Executions } from "#control/services/executions";

export function systemRoutes(_app: Elysia, _executions: Executions): void {}
