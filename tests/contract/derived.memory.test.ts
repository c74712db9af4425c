// Snapshots, projections and repair on memory.
import { memoryEventLog } from "#core/adapters/memory-event-log";
import { memoryProjections } from "#core/adapters/memory-projections";
import { memorySnapshots } from "#core/adapters/memory-snapshots";
import { logRepairContract } from "./log-repair.ts";
import { projectionStoreContract } from "./projection-store.ts";
import { snapshotStoreContract } from "./snapshot-store.ts";

const close = async () => {};
snapshotStoreContract("memory", async () => ({ snapshots: memorySnapshots(), close }));
projectionStoreContract("memory", async () => ({ projections: memoryProjections(), close }));
logRepairContract("memory", async () => {
  const log = memoryEventLog({ nowMs: () => Date.now() });
  return { log, repair: log.repair, close };
});
