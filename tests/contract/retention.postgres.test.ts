// Retention on PostgreSQL, and that it never stands in the way of those who append.
import { expect, test } from "bun:test";
import { SQL } from "bun";
import { sqlEventLog } from "#control/store/event-log";
import { migrate } from "#control/store/migrate";
import { openPostgres } from "#control/store/postgres";
import { sqlStores } from "#control/store/stores";
import { postgresWorld } from "./postgres-world.ts";
import { days, makeMonth, monthAgo, once, pastExecution, retentionContract } from "./retention.ts";
import { newExecution, transition } from "./transitions.ts";

const world = postgresWorld();

retentionContract("PostgreSQL", world.open);

test("a month is not dropped while a transaction reads or writes the log, and appends go on", async () => {
  const url = await world.newDatabase();
  const sql = openPostgres(url);
  await migrate(sql);
  const stores = sqlStores(sql);
  await makeMonth(sql, 6);
  const [month] = await stores.retention.expired(days);
  if (month === undefined) throw new Error("expected a month to have expired");
  const pool = new SQL(url, { max: 1 });
  const slow = await pool.reserve();
  await slow.unsafe("begin");
  await slow.unsafe("select count(*) from noetl.event");
  expect(await stores.retention.drop(month)).toBe("busy");
  const id = newExecution();
  expect(await stores.log.append([transition(id)])).toEqual(["accepted"]);
  await slow.unsafe("commit");
  slow.release();
  await pool.close({ timeout: 0 });
  expect(await stores.retention.drop(month)).toBe("dropped");
  expect(await stores.log.events(id, 0, 9)).toHaveLength(1);
  await stores.close();
});

test("appends that come all the time are all stored while months go", async () => {
  const url = await world.newDatabase();
  const sql = openPostgres(url);
  await migrate(sql);
  const stores = sqlStores(sql);
  for (const months of [9, 8, 7, 6]) {
    await makeMonth(sql, months);
    for (let n = 0; n < 5; n++) await pastExecution(stores, months);
  }
  const other = openPostgres(url);
  const log = sqlEventLog(other);
  const stored: string[] = [];
  let isDone = false;
  const append = async (): Promise<void> => {
    while (!isDone) {
      const id = newExecution();
      expect(await log.append([transition(id)])).toEqual(["accepted"]);
      stored.push(id);
    }
  };
  const appending = [append(), append(), append()];
  const dropped = await once(stores);
  isDone = true;
  await Promise.all(appending);
  expect(dropped).toBe(4);
  const [count] = await sql.query<{ events: number }>(
    "select count(*)::integer as events from noetl.event",
  );
  expect(count?.events).toBe(stored.length);
  const names = await sql.query<{ relname: string }>(
    `select relname from pg_class where relname ~ '^event_\\d{4}_\\d{2}$' and relname < $1`,
    [monthAgo(0).name],
  );
  expect(names).toEqual([]);
  await other.close();
  await stores.close();
}, 30_000);
