// Cases of the routes of the group `queue`.

import type { queueRoutes } from "#core/wire/api-queue";
import type { RouteCase } from "./refused-cases.ts";

export const queueCases: { readonly [Name in keyof typeof queueRoutes]: RouteCase } = {};
