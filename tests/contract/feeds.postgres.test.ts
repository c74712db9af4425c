// The contracts of the feed and of cursors on PostgreSQL, and what only several connections show:
// transactions that end in another order than they began in, and a log that came from elsewhere.
import { expect, test } from "bun:test";
import { SQL } from "bun";
import { sqlEventFeed } from "#control/store/event-feed";
import { sqlEventLog } from "#control/store/event-log";
import { migrate } from "#control/store/migrate";
import { openPostgres } from "#control/store/postgres";
import type { Sql } from "#control/store/sql";
import type { ExecutionId } from "#core/model/ids";
import { cursorStoreContract } from "./cursor-store.ts";
import { eventFeedContract, readAll } from "./event-feed.ts";
import { postgresWorld } from "./postgres-world.ts";
import { sqlCursorWorld, sqlFeedWorld } from "./sql-feed-worlds.ts";
import { newExecution, plainTail, transition } from "./transitions.ts";

const world = postgresWorld();

eventFeedContract("PostgreSQL", () => sqlFeedWorld(world.open));
cursorStoreContract("PostgreSQL", () => sqlCursorWorld(world.open));

/** A connection whose transaction stays open until the test ends it. */
async function slowConnection(url: string) {
  const pool = new SQL(url, { max: 1, connection: { application_name: "slow one" } });
  const connection = await pool.reserve();
  const sql: Sql = {
    query: async (text, values = []) => await connection.unsafe(text, [...values]),
    close: async () => {
      connection.release();
      await pool.close({ timeout: 0 });
    },
  };
  return { sql, log: sqlEventLog(sql) };
}

async function logAt() {
  const url = await world.newDatabase();
  const sql = openPostgres(url);
  await migrate(sql);
  return { url, sql, log: sqlEventLog(sql), feed: sqlEventFeed(sql) };
}

const idsOf = (entries: readonly { readonly event: { readonly execution_id: ExecutionId } }[]) =>
  entries.map(({ event }) => event.execution_id);

test("a slow transaction holds readers back, and is read before those that overtook it", async () => {
  const { url, sql, log, feed } = await logAt();
  const slow = await slowConnection(url);
  const [early, late, overtaker] = [newExecution(), newExecution(), newExecution()];
  await log.append([transition(early)]);
  await slow.sql.query("begin");
  await slow.log.append([transition(late)]);
  await log.append([transition(overtaker)]);
  const held = await readAll(feed, { limit: 10 });
  expect(idsOf(held.entries)).toEqual([early]);
  const lag = await feed.lag();
  expect(lag.lagMs).toBeGreaterThan(0);
  expect(lag.holder).toMatchObject({ application: "slow one", state: "idle in transaction" });
  expect(lag.holder?.pid).toBeGreaterThan(0);
  await slow.sql.query("commit");
  const rest = await readAll(feed, { limit: 10 }, held.next);
  expect(idsOf(rest.entries)).toEqual([late, overtaker]);
  await slow.sql.close();
  await sql.close();
});

test("a slow transaction that is rolled back lets readers go on", async () => {
  const { url, sql, log, feed } = await logAt();
  const slow = await slowConnection(url);
  const overtaker = newExecution();
  await slow.sql.query("begin");
  await slow.log.append([transition(newExecution())]);
  await log.append([transition(overtaker)]);
  const held = await readAll(feed, { limit: 10 });
  expect(held.entries).toEqual([]);
  await slow.sql.query("rollback");
  expect(idsOf((await readAll(feed, { limit: 10 }, held.next)).entries)).toEqual([overtaker]);
  await slow.sql.close();
  await sql.close();
});

test("readers that follow while many write skip nothing and see nothing twice", async () => {
  const { url, sql, log, feed } = await logAt();
  const slow = await slowConnection(url);
  const written: string[] = [];
  let isDone = false;
  const write = async (): Promise<void> => {
    for (let n = 0; n < 25; n++) {
      const ids = [newExecution(), newExecution()];
      await log.append(ids.map((id) => transition(id, { tails: [plainTail, plainTail] })));
      written.push(...ids);
    }
  };
  const dawdle = async (): Promise<void> => {
    for (let n = 0; n < 10; n++) {
      const id = newExecution();
      await slow.sql.query("begin");
      await slow.log.append([transition(id, { tails: [plainTail, plainTail] })]);
      await slow.sql.query("select pg_sleep(0.003)");
      await slow.sql.query("commit");
      written.push(id);
    }
  };
  const seen: string[] = [];
  const follow = async (): Promise<void> => {
    for (let position: string | undefined; ; ) {
      const last = isDone;
      const page = await feed.after(position, { limit: 7 });
      for (const { event } of page.entries) seen.push(`${event.execution_id}:${event.seq}`);
      position = page.next;
      if (last && !page.more) return;
    }
  };
  const following = follow();
  await Promise.all([write(), write(), write(), dawdle()]);
  isDone = true;
  await following;
  expect(new Set(seen).size).toBe(seen.length);
  expect(seen.toSorted()).toEqual(written.flatMap((id) => [`${id}:1`, `${id}:2`]).toSorted());
  await slow.sql.close();
  await sql.close();
});

test("a log that was restored from a dump of a busier server is read whole, from the start", async () => {
  const { sql, log, feed } = await logAt();
  const [first, second] = [newExecution(), newExecution()];
  await log.append([transition(first, { tails: [plainTail, plainTail] })]);
  const before = await feed.end();
  // As a dump brings them: numbers of transactions that this server has not come to yet.
  await sql.query("update noetl.event set xid = (xid::text::bigint + 5000000)::text::xid8");
  const { timeline } = await feed.identity();
  await log.append([transition(second)]);
  expect(before.startsWith(timeline)).toBe(false);
  await expect(feed.after(before, { limit: 1 })).rejects.toMatchObject({ code: "conflict" });
  const { entries } = await readAll(feed, { limit: 1 });
  expect(idsOf(entries)).toEqual([first, first, second]);
  expect((await feed.identity()).timeline).toBe(timeline);
  await sql.close();
});

test("a position given out before anybody asked who the database is stays good", async () => {
  const { sql, log, feed } = await logAt();
  const id = newExecution();
  await log.append([transition(id)]);
  const { next } = await feed.after(undefined, { limit: 1 });
  const other = sqlEventFeed(sql);
  await other.identity();
  expect((await other.after(next, { limit: 1 })).entries).toEqual([]);
  await sql.close();
});

test("a copy of the data in another database is another timeline", async () => {
  const { url, sql, log, feed } = await logAt();
  await log.append([transition(newExecution())]);
  const position = await feed.end();
  await sql.close();
  const target = await world.newDatabase();
  const [from, to] = [url, target].map((address) => new URL(address).pathname.slice(1));
  const admin = openPostgres(url.replace(`/${from}`, "/postgres"), { connections: 1 });
  await admin.query(`drop database ${to}`);
  await admin.query(`create database ${to} template ${from}`);
  await admin.close();
  const copy = openPostgres(target);
  const copied = sqlEventFeed(copy);
  await expect(copied.after(position, { limit: 1 })).rejects.toMatchObject({ code: "conflict" });
  expect((await readAll(copied, { limit: 1 })).entries).toHaveLength(1);
  await copy.close();
});

test("reading on takes the indexes, however many events there are before", async () => {
  const { sql, log, feed } = await logAt();
  const ids = Array.from({ length: 50 }, newExecution);
  for (const id of ids) await log.append([transition(id, { tails: Array(20).fill(plainTail) })]);
  await sql.query("analyze noetl.event");
  const position = await feed.end();
  const plans: string[] = [];
  const explaining: Sql = {
    query: async (text, values = []) => {
      if (!text.includes("with scanned")) return sql.query(text, values);
      const rows = await sql.query<{ "QUERY PLAN": string }>(`explain ${text}`, values);
      plans.push(rows.map((row) => row["QUERY PLAN"]).join("\n"));
      return sql.query(text, values);
    },
    close: async () => {},
  };
  const explained = sqlEventFeed(explaining);
  await explained.after(position, { limit: 100 });
  await explained.after(position, { limit: 100, executionIds: ids.slice(0, 3) });
  expect(plans).toHaveLength(2);
  for (const plan of plans) {
    expect(plan).not.toContain("Seq Scan on event");
    expect(plan).toContain("Index");
  }
  expect(plans[0]).toMatch(/Index Cond: \(\(ROW\(xid, execution_id, seq\) > ROW\(/);
  await sql.close();
});
