// Cases of the routes of the group `access`.

import type { accessRoutes } from "#core/wire/api-access";
import type { RouteCase } from "./refused-cases.ts";

export const accessCases: { readonly [Name in keyof typeof accessRoutes]: RouteCase } = {};
