// The stores that an embedded process can run on.

import { sqlCatalog } from "#control/store/catalog";
import { sqlEventLog } from "#control/store/event-log";
import { ensurePartitions, migrate } from "#control/store/migrate";
import { openPglite } from "#control/store/pglite";
import { preparedDirectory } from "#control/store/prepared";
import { sqlResults } from "#control/store/results";
import type { Stores } from "./embedded.ts";

/** PGlite in a directory; `cache` may hold a prepared database that makes the first start fast. */
export async function pgliteStores(directory: string, cache: string): Promise<Stores> {
  const sql = await openPglite(directory, { prepared: preparedDirectory(cache) });
  await migrate(sql);
  await ensurePartitions(sql);
  return {
    log: sqlEventLog(sql),
    catalog: sqlCatalog(sql),
    results: sqlResults(sql),
    close: () => sql.close(),
  };
}
