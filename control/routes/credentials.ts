// Sealed credentials.

import type { Elysia } from "elysia";
import type { Executions } from "#control/services/executions";

export function credentialsRoutes(_app: Elysia, _executions: Executions): void {}
