// Cases of the routes of the group `frames`.

import type { framesRoutes } from "#core/wire/api-frames";
import type { RouteCase } from "./refused-cases.ts";

export const framesCases: { readonly [Name in keyof typeof framesRoutes]: RouteCase } = {};
