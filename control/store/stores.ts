// All stores on one database that speaks PostgreSQL and has been migrated.

import type { Stores } from "#core/ports/stores";
import { sqlAccess } from "./access.ts";
import { sqlAudit } from "./audit.ts";
import { sqlCatalog } from "./catalog.ts";
import { sqlCredentials } from "./credentials.ts";
import { sqlCursors } from "./cursors.ts";
import { sqlEventBatches } from "./event-batches.ts";
import { sqlEventFeed } from "./event-feed.ts";
import { sqlEventLog } from "./event-log.ts";
import { sqlKeychain } from "./keychain.ts";
import { sqlProjections } from "./projections.ts";
import { sqlRepair } from "./repair.ts";
import { sqlRequestKeys } from "./request-keys.ts";
import { sqlResults } from "./results.ts";
import { sqlRetention } from "./retention.ts";
import { sqlRuntime } from "./runtime.ts";
import { sqlSchedules } from "./schedules.ts";
import { sqlSnapshots } from "./snapshots.ts";
import type { Sql } from "./sql.ts";
import { sqlStepLogs } from "./step-logs.ts";
import { sqlWaitIndex } from "./wait-index.ts";

/** Closing the stores closes the database. */
export function sqlStores(sql: Sql): Stores {
  return {
    log: sqlEventLog(sql),
    feed: sqlEventFeed(sql),
    cursors: sqlCursors(sql),
    retention: sqlRetention(sql),
    catalog: sqlCatalog(sql),
    results: sqlResults(sql),
    repair: sqlRepair(sql),
    snapshots: sqlSnapshots(sql),
    projections: sqlProjections(sql),
    runtime: sqlRuntime(sql),
    stepLogs: sqlStepLogs(sql),
    requestKeys: sqlRequestKeys(sql),
    eventBatches: sqlEventBatches(sql),
    people: sqlAccess(sql),
    audit: sqlAudit(sql),
    vault: sqlCredentials(sql),
    keychain: sqlKeychain(sql),
    schedules: sqlSchedules(sql),
    waits: sqlWaitIndex(sql),
    close: () => sql.close(),
  };
}
