// The database behind a control plane, for commands that work on it without one: the PostgreSQL that
// DATABASE_URL names, else the directory of `noetl dev`, which must not be running then.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { controlSettings } from "#control/config";
import { migrate } from "#control/store/migrate";
import { openPglite } from "#control/store/pglite";
import { openPostgres } from "#control/store/postgres";
import type { Sql } from "#control/store/sql";
import { sqlStores } from "#control/store/stores";
import { trustedCertificates } from "#core/adapters/ca-file";
import { Fault } from "#core/model/fault";
import type { Stores } from "#core/ports/stores";
import { UsageError } from "./arguments.ts";
import { configurationOf, configured } from "./config.ts";
import { preparedDatabase } from "./prepared-database.ts";

export interface OwnDatabase {
  readonly sql: Sql;
  /** What it is, for people: without its password. */
  readonly place: string;
}

export interface OwnDatabaseOptions {
  /** A directory that holds none yet gets one. */
  readonly makes: boolean;
  /** Whether a directory that is made has the schema already. */
  readonly prepared: boolean;
}

/** How long one statement on a whole table may stay without an answer. */
const silenceMs = 1_800_000;

/** One connection: what is done in a transaction stays in it. */
export async function openOwnDatabase(options: OwnDatabaseOptions): Promise<OwnDatabase> {
  const { DATABASE_URL: url, DATABASE_CA_FILE: caFile } = configurationOf(controlSettings).values;
  if (url !== undefined) {
    const ca = caFile === undefined ? undefined : trustedCertificates("DATABASE_CA_FILE", caFile);
    const sql = openPostgres(url, {
      ...{ connections: 1, application: "noetl command", silenceMs },
      ...(ca === undefined ? {} : { ca }),
    });
    return { sql, place: placeOf(url) };
  }
  const { NOETL_DIRECTORY: home } = configured();
  const directory = join(home, "data");
  if (!options.makes && !existsSync(join(directory, "pgdata"))) {
    throw new UsageError(`no database: expected DATABASE_URL, or one in ${directory}`);
  }
  const prepared = options.prepared ? { prepared: await preparedDatabase() } : {};
  try {
    return { sql: await openPglite(directory, prepared), place: directory };
  } catch (thrown) {
    if (!(thrown instanceof Fault && thrown.code === "conflict")) throw thrown;
    throw new Fault(
      "conflict",
      `${thrown.message}; a running noetl dev has its own token in ${home}/dev.json`,
    );
  }
}

function placeOf(url: string): string {
  if (!URL.canParse(url)) return "the database";
  const { hostname, port, pathname } = new URL(url);
  return `${hostname}${port === "" ? "" : `:${port}`}${pathname}`;
}

/** The stores over it, its schema up to date. */
export async function openOwnStores(): Promise<Stores> {
  const { sql } = await openOwnDatabase({ makes: true, prepared: true });
  try {
    await migrate(sql);
    return sqlStores(sql);
  } catch (thrown) {
    await sql.close().catch(() => {});
    throw thrown;
  }
}
