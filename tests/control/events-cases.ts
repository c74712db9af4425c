// Cases of the routes of the group `events`.

import type { eventsRoutes } from "#core/wire/api-events";
import type { RouteCase } from "./refused-cases.ts";

export const eventsCases: { readonly [Name in keyof typeof eventsRoutes]: RouteCase } = {};
