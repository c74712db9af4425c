// The HTTP contract of the control plane: every route, once. Ids are strings on the way out and
// strings or numbers on the way in; names follow the wire reference, aliases included.

import { pageSizeDefault, pageSizeMax } from "#core/model/limits";
import { catalogRoutes } from "./api-catalog.ts";
import { commandRoutes } from "./api-commands.ts";
import { executionRoutes } from "./api-executions.ts";
import { healthRoutes } from "./api-health.ts";
import { resultRoutes } from "./api-results.ts";

/** Every route by the name that clients call it by. */
export const api = {
  ...healthRoutes,
  ...executionRoutes,
  ...catalogRoutes,
  ...commandRoutes,
  ...resultRoutes,
} as const;

export type Api = typeof api;

/** A page size within its bounds. */
export function pageSize(limit: number | undefined): number {
  return Math.min(Math.max(limit ?? pageSizeDefault, 1), pageSizeMax);
}
