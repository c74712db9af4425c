// Cases of the routes of the group `reruns`.

import type { rerunsRoutes } from "#core/wire/api-reruns";
import type { RouteCase } from "./refused-cases.ts";

export const rerunsCases: { readonly [Name in keyof typeof rerunsRoutes]: RouteCase } = {};
