// The endpoint that speaks the Model Context Protocol.

import type { Elysia } from "elysia";
import type { Executions } from "#control/services/executions";

export function mcpRoutes(_app: Elysia, _executions: Executions): void {}
