// Search over executions.

import type { Elysia } from "elysia";
import type { Executions } from "#control/services/executions";

export function searchRoutes(_app: Elysia, _executions: Executions): void {}
