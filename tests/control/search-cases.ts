// Cases of the routes of the group `search`.

import type { searchRoutes } from "#core/wire/api-search";
import type { RouteCase } from "./refused-cases.ts";

export const searchCases: { readonly [Name in keyof typeof searchRoutes]: RouteCase } = {};
