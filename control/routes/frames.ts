// Frames of cursor loops by their older routes.

import type { Elysia } from "elysia";
import type { Executions } from "#control/services/executions";

export function framesRoutes(_app: Elysia, _executions: Executions): void {}
