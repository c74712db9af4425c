// A PostgreSQL server for the tests of one file, and a migrated database for each who asks.
import { afterAll, beforeAll } from "bun:test";
import { migrate } from "#control/store/migrate";
import { openPostgres } from "#control/store/postgres";
import type { Sql } from "#control/store/sql";
import { type ScratchPostgres, startPostgres } from "#tests/support/postgres";

export interface PostgresWorld {
  /** A migrated database of the caller's own; closing it leaves the server to the file's end. */
  open(): Promise<Sql>;
  /** The address of a new database, without a schema. */
  newDatabase(): Promise<string>;
}

/** Starts the server before the file's tests and stops it after them. */
export function postgresWorld(): PostgresWorld {
  let server: ScratchPostgres | undefined;
  let databases = 0;
  beforeAll(async () => {
    server = await startPostgres();
  }, 60_000);
  afterAll(() => server?.stop());
  const newDatabase = async (): Promise<string> => {
    if (server === undefined) throw new Error("expected the hooks to have run");
    const name = `noetl_${++databases}`;
    const sql = openPostgres(server.url, { connections: 1 });
    await sql.query(`create database ${name}`);
    await sql.close();
    return `postgres://${server.user}@${server.host}:${server.port}/${name}`;
  };
  return {
    newDatabase,
    open: async () => {
      const sql = openPostgres(await newDatabase());
      await migrate(sql);
      return sql;
    },
  };
}
