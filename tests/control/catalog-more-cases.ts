// Cases of the routes of the group `catalog-more`.

import type { catalogMoreRoutes } from "#core/wire/api-catalog-more";
import type { RouteCase } from "./refused-cases.ts";

export const catalogMoreCases: { readonly [Name in keyof typeof catalogMoreRoutes]: RouteCase } =
  {};
