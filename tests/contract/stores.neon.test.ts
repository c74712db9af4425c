// The contracts of all stores beside the log on Neon, in both of the ways to it.
import { sqlCatalog } from "#control/store/catalog";
import { sqlResults } from "#control/store/results";
import { sqlStepLogs } from "#control/store/step-logs";
import { type NeonWay, neonWays, neonWorld } from "#tests/support/neon";
import { catalogStoreContract } from "./catalog-store.ts";
import { cursorStoreContract } from "./cursor-store.ts";
import { eventFeedContract } from "./event-feed.ts";
import { resultStoreContract } from "./result-store.ts";
import { retentionContract } from "./retention.ts";
import { sqlDerivedContracts } from "./sql-derived.ts";
import { sqlCursorWorld, sqlFeedWorld } from "./sql-feed-worlds.ts";
import { sqlRuntimeContract } from "./sql-runtime.ts";
import { contractBytesMax, stepLogContract } from "./step-logs.ts";

const world = neonWorld();

const stepLogs = (way: NeonWay, bounds: Parameters<typeof sqlStepLogs>[1]) => async () => {
  const sql = await world.open(way);
  return { logs: sqlStepLogs(sql, bounds), close: () => sql.close() };
};

for (const way of neonWays) {
  const open = () => world.open(way);
  catalogStoreContract(way.name, async () => {
    const sql = await open();
    return { catalog: sqlCatalog(sql), close: () => sql.close() };
  });
  resultStoreContract(way.name, async () => {
    const sql = await open();
    return { results: sqlResults(sql), close: () => sql.close() };
  });
  eventFeedContract(way.name, () => sqlFeedWorld(open));
  cursorStoreContract(way.name, () => sqlCursorWorld(open));
  retentionContract(way.name, open);
  sqlDerivedContracts(way.name, open);
  sqlRuntimeContract(way.name, open);
  stepLogContract(way.name, {
    open: stepLogs(way, {}),
    openSmall: stepLogs(way, { executionBytesMax: contractBytesMax }),
  });
}
