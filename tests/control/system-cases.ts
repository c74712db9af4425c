// Cases of the routes of the group `system`.

import type { systemRoutes } from "#core/wire/api-system";
import type { RouteCase } from "./refused-cases.ts";

export const systemCases: { readonly [Name in keyof typeof systemRoutes]: RouteCase } = {};
