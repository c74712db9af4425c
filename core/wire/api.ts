// The HTTP contract of the control plane: every route, once. Ids are strings on the way out and
// strings or numbers on the way in; names follow the wire reference, aliases included.

import { pageSizeDefault, pageSizeMax } from "#core/model/limits";
import { catalogRoutes } from "./api-catalog.ts";
import { commandRoutes } from "./api-commands.ts";
import { dispatchRoutes } from "./api-dispatch.ts";
import { executionRoutes } from "./api-executions.ts";
import { feedRoutes } from "./api-feeds.ts";
import { healthRoutes } from "./api-health.ts";
import { projectionRoutes } from "./api-projections.ts";
import { replayRoutes } from "./api-replay.ts";
import { resultRoutes } from "./api-results.ts";
import { runtimeRoutes } from "./api-runtime.ts";
import { stepLogRoutes } from "./api-step-logs.ts";
import { waitRoutes } from "./api-waits.ts";

/** Every route by the name that clients call it by. */
export const api = {
  ...healthRoutes,
  ...executionRoutes,
  ...feedRoutes,
  ...catalogRoutes,
  ...commandRoutes,
  ...dispatchRoutes,
  ...resultRoutes,
  ...replayRoutes,
  ...projectionRoutes,
  ...runtimeRoutes,
  ...stepLogRoutes,
  ...waitRoutes,
} as const;

export type Api = typeof api;

/** A page size within its bounds. */
export function pageSize(limit: number | undefined): number {
  return Math.min(Math.max(limit ?? pageSizeDefault, 1), pageSizeMax);
}
