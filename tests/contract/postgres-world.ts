// A PostgreSQL server for the tests of one file, and a migrated database for each who asks.
import { afterAll, beforeAll } from "bun:test";
import { migrate } from "#control/store/migrate";
import { openPostgres } from "#control/store/postgres";
import type { Sql } from "#control/store/sql";
import { type ScratchPostgres, startPostgres } from "#tests/support/postgres";

export interface PostgresWorld {
  /** A migrated database of the caller's own; closing it leaves the server to the file's end. */
  open(): Promise<Sql>;
  /** The same, copied from one that was migrated once. */
  openCopy(): Promise<Sql>;
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
  const newDatabase = async (template = "template1"): Promise<string> => {
    if (server === undefined) throw new Error("expected the hooks to have run");
    const name = `noetl_${++databases}`;
    const sql = openPostgres(server.url, { connections: 1 });
    await sql.query(`create database ${name} template ${template}`);
    await sql.close();
    return `postgres://${server.user}@${server.host}:${server.port}/${name}`;
  };
  const open = async (): Promise<Sql> => {
    const sql = openPostgres(await newDatabase());
    await migrate(sql);
    return sql;
  };
  let template: Promise<string> | undefined;
  const migrated = async (): Promise<string> => {
    const sql = await open();
    const [row] = await sql.query<{ name: string }>("select current_database() as name");
    await sql.close();
    return row?.name ?? "";
  };
  return {
    newDatabase: () => newDatabase(),
    open,
    openCopy: async () => {
      template ??= migrated();
      return openPostgres(await newDatabase(await template));
    },
  };
}
