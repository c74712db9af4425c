// Versions, search, deletion and forms of the catalog.

import type { Elysia } from "elysia";
import type { Executions } from "#control/services/executions";

export function catalogMoreRoutes(_app: Elysia, _executions: Executions): void {}
