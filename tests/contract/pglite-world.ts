// PGlite for tests: a scratch database from the prepared one, which is made when it isn't there.
import { resolve } from "node:path";
import { migrate } from "#control/store/migrate";
import { openPglite } from "#control/store/pglite";
import { prepareDataDirectory, preparedDirectory } from "#control/store/prepared";
import type { Sql } from "#control/store/sql";

const cacheDirectory = resolve(import.meta.dir, "..", "..", ".noetl", "cache");

/** Where tests copy their databases from. */
export async function preparedForTests(): Promise<string> {
  await prepareDataDirectory(cacheDirectory);
  return preparedDirectory(cacheDirectory);
}

/** A migrated database that is gone when it is closed. */
export async function scratchPglite(): Promise<Sql> {
  const sql = await openPglite(undefined, { prepared: await preparedForTests() });
  await migrate(sql);
  return sql;
}
