// All stores on one database that speaks PostgreSQL and has been migrated.

import type { Stores } from "#core/ports/stores";
import { sqlCatalog } from "./catalog.ts";
import { sqlEventLog } from "./event-log.ts";
import { sqlResults } from "./results.ts";
import type { Sql } from "./sql.ts";

/** Closing the stores closes the database. */
export function sqlStores(sql: Sql): Stores {
  return {
    log: sqlEventLog(sql),
    catalog: sqlCatalog(sql),
    results: sqlResults(sql),
    close: () => sql.close(),
  };
}
