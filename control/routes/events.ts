// Events from outside, one by one or in batches.

import type { Elysia } from "elysia";
import type { Executions } from "#control/services/executions";

export function eventsRoutes(_app: Elysia, _executions: Executions): void {}
