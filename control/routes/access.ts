// Who may sign in: people, memberships, tokens.

import type { Elysia } from "elysia";
import type { Executions } from "#control/services/executions";

export function accessRoutes(_app: Elysia, _executions: Executions): void {}
