// Snapshots, projections and repair on any database, each contract on one of its own.
import { sqlEventLog } from "#control/store/event-log";
import { sqlProjections } from "#control/store/projections";
import { sqlRepair } from "#control/store/repair";
import { sqlSnapshots } from "#control/store/snapshots";
import type { Sql } from "#control/store/sql";
import { logRepairContract } from "./log-repair.ts";
import { projectionStoreContract } from "./projection-store.ts";
import { snapshotStoreContract } from "./snapshot-store.ts";

/** Runs the three contracts on migrated databases that are these tests' own. */
export function sqlDerivedContracts(name: string, open: () => Promise<Sql>): void {
  snapshotStoreContract(name, async () => {
    const sql = await open();
    return { snapshots: sqlSnapshots(sql), close: () => sql.close() };
  });
  projectionStoreContract(name, async () => {
    const sql = await open();
    return { projections: sqlProjections(sql), close: () => sql.close() };
  });
  logRepairContract(name, async () => {
    const sql = await open();
    return { log: sqlEventLog(sql), repair: sqlRepair(sql), close: () => sql.close() };
  });
}
