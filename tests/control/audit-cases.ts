// Cases of the routes of the group `audit`.

import type { auditRoutes } from "#core/wire/api-audit";
import type { RouteCase } from "./refused-cases.ts";

export const auditCases: { readonly [Name in keyof typeof auditRoutes]: RouteCase } = {};
