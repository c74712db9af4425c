// Connections to one real PostgreSQL that are stepped by hand: a production statement can be kept
// open, as if its commit had not come yet, and whoever waits for it is seen to wait.
import { afterAll, beforeAll } from "bun:test";
import { migrate } from "#control/store/migrate";
import { openPostgres } from "#control/store/postgres";
import type { Sql } from "#control/store/sql";
import { sqlStores } from "#control/store/stores";
import type { Stores } from "#core/ports/stores";
import { postgresWorld } from "#tests/contract/postgres-world";
import { newExecution, transition } from "#tests/contract/transitions";

/** One connection, and the production stores over it. */
export interface Session {
  readonly sql: Sql;
  readonly stores: Stores;
  readonly pid: number;
  /** From here on nothing that the session does is seen by others, until it ends. */
  begin(): Promise<void>;
  commit(): Promise<void>;
  /** As if the process had died. */
  rollback(): Promise<void>;
}

export interface Stage {
  readonly a: Session;
  readonly b: Session;
  readonly c: Session;
  /** Arranges, looks, and holds locks by hand. */
  readonly watch: Session;
  /** True once the session waits for a lock, false once what it began has ended. */
  isWaiting(session: Session, ended: Promise<unknown>): Promise<boolean>;
}

/** Nobody may wait for ever: a wait this long is a failure of the test, and so is a deadlock. */
const limits = ["set lock_timeout = '10s'", "set deadlock_timeout = '50ms'"];

/** A wrapper around what production sends, for tests that plant a mistake in it. */
export type Planted = (sql: Sql) => Sql;

export interface StageOptions {
  /** Changes what the first two sessions send. */
  readonly planted?: Planted;
  /** Whether every append of theirs begins an execution of no interest too: batches of several. */
  readonly inCompany?: boolean;
}

/** A database of the file's own with four sessions. */
export function stage(options: StageOptions = {}): () => Stage {
  const { planted = (sql) => sql, inCompany = false } = options;
  const world = postgresWorld();
  const opened: Session[] = [];
  let ready: Stage | undefined;
  const open = async (url: string, wrap: Planted = (sql) => sql): Promise<Session> => {
    const session = await openSession(url, wrap, inCompany);
    opened.push(session);
    return session;
  };
  beforeAll(async () => {
    const url = await world.newDatabase();
    const first = openPostgres(url, { connections: 1 });
    await migrate(first);
    await first.close();
    const [a, b, c] = [await open(url, planted), await open(url, planted), await open(url)];
    const watch = await open(url);
    ready = { a, b, c, watch, isWaiting: (session, ended) => isWaiting(watch, session, ended) };
  }, 60_000);
  afterAll(async () => {
    for (const { sql } of opened) await sql.close();
  });
  return () => {
    if (ready === undefined) throw new Error("expected the hooks to have run");
    return ready;
  };
}

/** The same log, which appends nothing without a stranger beside it. */
function accompanied(stores: Stores): Stores {
  const append: Stores["log"]["append"] = async (transitions) =>
    (await stores.log.append([...transitions, transition(newExecution())])).slice(0, -1);
  return { ...stores, log: { ...stores.log, append } };
}

async function openSession(url: string, planted: Planted, inCompany: boolean): Promise<Session> {
  const sql = openPostgres(url, { connections: 1 });
  for (const limit of limits) await sql.query(limit);
  const [record] = await sql.query<{ pid: number }>("select pg_backend_pid() as pid");
  const tell = async (text: string): Promise<void> => void (await sql.query(text));
  return {
    sql,
    stores: inCompany ? accompanied(sqlStores(planted(sql))) : sqlStores(planted(sql)),
    pid: record?.pid ?? 0,
    begin: () => tell("begin"),
    commit: () => tell("commit"),
    rollback: () => tell("rollback"),
  };
}

async function isWaiting(
  watch: Session,
  session: Session,
  ended: Promise<unknown>,
): Promise<boolean> {
  let isOver = false;
  const over = (): void => {
    isOver = true;
  };
  ended.then(over, over);
  while (!isOver) {
    const [record] = await watch.sql.query<{ waits: boolean }>(
      "select cardinality(pg_blocking_pids($1::integer)) > 0 as waits",
      [session.pid],
    );
    if (record?.waits === true) return true;
  }
  return false;
}
