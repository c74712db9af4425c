// Cases of the routes of the group `batches`.

import type { batchesRoutes } from "#core/wire/api-batches";
import type { RouteCase } from "./refused-cases.ts";

export const batchesCases: { readonly [Name in keyof typeof batchesRoutes]: RouteCase } = {};
