// The outbox of events, and projecting what was taken from it.

import type { Elysia } from "elysia";
import type { Executions } from "#control/services/executions";

export function outboxRoutes(_app: Elysia, _executions: Executions): void {}
