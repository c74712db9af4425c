// Running again what has run.

import type { Elysia } from "elysia";
import type { Executions } from "#control/services/executions";

export function rerunsRoutes(_app: Elysia, _executions: Executions): void {}
