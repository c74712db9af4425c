// The keychain: what was fetched from providers and is kept for a while.

import type { Elysia } from "elysia";
import type { Executions } from "#control/services/executions";

export function keychainRoutes(_app: Elysia, _executions: Executions): void {}
