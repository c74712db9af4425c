// All stores in memory, for a single run and for tests: fast to start, gone with the process.

import type { Clock } from "#core/ports/clock";
import type { Stores } from "#core/ports/stores";
import { memoryAccess } from "./memory-access.ts";
import { memoryAudit } from "./memory-audit.ts";
import { memoryCatalog } from "./memory-catalog.ts";
import { memoryCredentials } from "./memory-credentials.ts";
import { memoryCursors } from "./memory-cursors.ts";
import { memoryEventBatches } from "./memory-event-batches.ts";
import { memoryEventFeed } from "./memory-event-feed.ts";
import { memoryEventLog } from "./memory-event-log.ts";
import { memoryKeychain } from "./memory-keychain.ts";
import { memoryProjections } from "./memory-projections.ts";
import { memoryRequestKeys } from "./memory-request-keys.ts";
import { memoryResults } from "./memory-results.ts";
import { memoryRetention } from "./memory-retention.ts";
import { memoryRuntime } from "./memory-runtime.ts";
import { memorySchedules } from "./memory-schedules.ts";
import { memorySnapshots } from "./memory-snapshots.ts";
import { memoryStepLogs } from "./memory-step-logs.ts";
import { memoryWaitIndex } from "./memory-wait-index.ts";

export function memoryStores(clock: Clock): Stores {
  const stored = memoryEventLog(clock);
  const { log, feed } = memoryEventFeed(stored);
  return {
    log,
    feed,
    cursors: memoryCursors(clock),
    retention: memoryRetention(),
    catalog: memoryCatalog(),
    results: memoryResults(),
    repair: stored.repair,
    snapshots: memorySnapshots(),
    projections: memoryProjections(),
    runtime: memoryRuntime(clock),
    stepLogs: memoryStepLogs(clock),
    requestKeys: memoryRequestKeys(clock),
    eventBatches: memoryEventBatches(clock),
    people: memoryAccess(),
    audit: memoryAudit(clock),
    vault: memoryCredentials(clock),
    keychain: memoryKeychain(clock),
    schedules: memorySchedules(clock, log),
    waits: memoryWaitIndex(log),
    close: () => log.close(),
  };
}
