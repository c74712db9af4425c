// The HTTP contract of the control plane: every route, once. Ids are strings on the way out and
// strings or numbers on the way in; names follow the wire reference, aliases included.

import { pageSizeDefault, pageSizeMax } from "#core/model/limits";
import { accessRoutes } from "./api-access.ts";
import { approvalsRoutes } from "./api-approvals.ts";
import { auditRoutes } from "./api-audit.ts";
import { batchesRoutes } from "./api-batches.ts";
import { catalogRoutes } from "./api-catalog.ts";
import { catalogMoreRoutes } from "./api-catalog-more.ts";
import { commandRoutes } from "./api-commands.ts";
import { credentialsRoutes } from "./api-credentials.ts";
import { dispatchRoutes } from "./api-dispatch.ts";
import { eventsRoutes } from "./api-events.ts";
import { executionRoutes } from "./api-executions.ts";
import { feedRoutes } from "./api-feeds.ts";
import { framesRoutes } from "./api-frames.ts";
import { healthRoutes } from "./api-health.ts";
import { keychainRoutes } from "./api-keychain.ts";
import { mcpRoutes } from "./api-mcp.ts";
import { metricsRoutes } from "./api-metrics.ts";
import { outboxRoutes } from "./api-outbox.ts";
import { projectionRoutes } from "./api-projections.ts";
import { queueRoutes } from "./api-queue.ts";
import { replayRoutes } from "./api-replay.ts";
import { rerunsRoutes } from "./api-reruns.ts";
import { resultRoutes } from "./api-results.ts";
import { runtimeRoutes } from "./api-runtime.ts";
import { schedulesRoutes } from "./api-schedules.ts";
import { searchRoutes } from "./api-search.ts";
import { stepLogRoutes } from "./api-step-logs.ts";
import { systemRoutes } from "./api-system.ts";
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
  ...accessRoutes,
  ...auditRoutes,
  ...credentialsRoutes,
  ...keychainRoutes,
  ...eventsRoutes,
  ...queueRoutes,
  ...batchesRoutes,
  ...rerunsRoutes,
  ...framesRoutes,
  ...outboxRoutes,
  ...systemRoutes,
  ...mcpRoutes,
  ...catalogMoreRoutes,
  ...schedulesRoutes,
  ...approvalsRoutes,
  ...metricsRoutes,
  ...searchRoutes,
} as const;

export type Api = typeof api;

/** A page size within its bounds. */
export function pageSize(limit: number | undefined): number {
  return Math.min(Math.max(limit ?? pageSizeDefault, 1), pageSizeMax);
}
