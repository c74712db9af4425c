// Cases of the routes of the group `schedules`.

import type { schedulesRoutes } from "#core/wire/api-schedules";
import type { RouteCase } from "./refused-cases.ts";

export const schedulesCases: { readonly [Name in keyof typeof schedulesRoutes]: RouteCase } = {};
