// Cases of the routes of the group `mcp`.

import type { mcpRoutes } from "#core/wire/api-mcp";
import type { RouteCase } from "./refused-cases.ts";

export const mcpCases: { readonly [Name in keyof typeof mcpRoutes]: RouteCase } = {};
