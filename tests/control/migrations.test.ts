// How a database gets its schema: forward, once, whole, and the same from every replica.
import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { sqlEventLog } from "#control/store/event-log";
import {
  ensurePartitions,
  type Migration,
  migrate,
  migrations,
  schemaDigest,
} from "#control/store/migrate";
import { openPglite } from "#control/store/pglite";
import type { Sql } from "#control/store/sql";
import { Fault } from "#core/model/fault";
import { executionId, snowflake, snowflakeEpochMs } from "#core/model/ids";
import { preparedForTests } from "#tests/contract/pglite-world";
import { transition } from "#tests/contract/transitions";

let opened: Sql | undefined;
const sql = (): Sql => {
  if (opened === undefined) throw new Error("the database did not open");
  return opened;
};

beforeAll(async () => {
  opened = await openPglite(undefined, { prepared: await preparedForTests() });
}, 60_000);
beforeEach(async () => {
  await sql().query("drop schema if exists noetl cascade");
});
afterAll(() => opened?.close());

const partitions = `create function noetl.ensure_event_partitions(integer) returns integer
  language sql as 'select 0';`;
const step = (version: number, text: string): Migration => ({ version, name: `m${version}`, text });
const one = step(1, `${partitions} create table noetl.one (n integer);`);
const two = step(2, "create table noetl.two (n integer); insert into noetl.two values (2);");

const tables = async (): Promise<readonly string[]> => {
  const rows = await sql().query<{ name: string }>(
    "select tablename as name from pg_tables where schemaname = 'noetl' order by 1",
  );
  return rows.map(({ name }) => name);
};
const history = () =>
  sql().query<{ version: number; applied: string }>(
    "select version, applied_at::text as applied from noetl.migration order by version",
  );
const faultOf = async (work: Promise<unknown>): Promise<Fault | undefined> => {
  try {
    await work;
  } catch (thrown) {
    if (thrown instanceof Fault) return thrown;
    throw thrown;
  }
  return undefined;
};

test("an empty database gets the whole schema, and doing it again changes nothing", async () => {
  await migrate(sql());
  const made = await tables();
  expect(made).toContain("event_default");
  expect(made).toContain("command");
  const before = await history();
  await migrate(sql());
  expect(await tables()).toEqual(made);
  expect(await history()).toEqual(before);
});

test("only what is new is applied", async () => {
  await migrate(sql(), [one]);
  expect(await tables()).toEqual(["migration", "one"]);
  const before = await history();
  await migrate(sql(), [one, two]);
  expect(await tables()).toEqual(["migration", "one", "two"]);
  expect((await history())[0]).toEqual(before[0] ?? { version: 0, applied: "" });
});

test("a text that was changed after it had been applied is refused", async () => {
  await migrate(sql(), [one]);
  const changed = step(1, `${one.text} `);
  const fault = await faultOf(migrate(sql(), [changed, two]));
  expect(fault?.code).toBe("invalid");
  expect(fault?.message).toContain("migration 1 (m1) was changed");
  expect(await tables()).toEqual(["migration", "one"]);
});

test("a database of a newer build is refused", async () => {
  await migrate(sql(), [one, two]);
  const fault = await faultOf(migrate(sql(), [one]));
  expect(fault?.code).toBe("invalid");
  expect(fault?.message).toContain("migration 2, expected at most 1");
});

test("a migration that fails leaves nothing of itself, and can be mended", async () => {
  const broken = step(2, "create table noetl.half (n integer); select 'secret'::integer;");
  const fault = await faultOf(migrate(sql(), [one, broken]));
  expect(fault?.message).toBe("the database refused the statement with SQLSTATE 22P02");
  expect(await tables()).toEqual(["migration", "one"]);
  await migrate(sql(), [one, two]);
  expect(await tables()).toEqual(["migration", "one", "two"]);
});

test("replicas that start at once apply every text once", async () => {
  await Promise.all(Array.from({ length: 8 }, () => migrate(sql(), [one, two])));
  expect(await sql().query("select n from noetl.two")).toEqual([{ n: 2 }]);
  expect((await history()).map(({ version }) => version)).toEqual([1, 2]);
});

test("of replicas with different texts of one migration only one starts", async () => {
  const other = step(1, `${partitions} create table noetl.other (n integer);`);
  const faults = await Promise.all([
    faultOf(migrate(sql(), [one])),
    faultOf(migrate(sql(), [other])),
  ]);
  expect(faults.filter((fault) => fault === undefined)).toHaveLength(1);
  expect(faults.filter((fault) => fault?.code === "invalid")).toHaveLength(1);
});

test("a text may hold any quote", async () => {
  const quotes = "$noetl$ $noetl1$ $noetl2$ $$ ' \" \\";
  const text = `${partitions} create table noetl.quotes as select $q$${quotes}$q$ as said;`;
  await migrate(sql(), [step(1, text)]);
  expect(await sql().query("select said from noetl.quotes")).toEqual([{ said: quotes }]);
});

test("executions from before tenants are of the one that their first event names", async () => {
  await migrate(sql(), migrations.slice(0, 6));
  const firsts = [
    String.raw`{"tenant":"acme","workload":"a\u0000b\\u0000\"\ud800"}`,
    '{"workload":{"tenant":"inner"}}',
    '{"tenant":null}',
  ];
  for (const [n, first] of firsts.entries()) {
    const id = String(n + 1);
    await sql().query(
      `with head as (insert into noetl.execution (execution_id, head, digest, catalog_id, path,
        version, status, started_at) values ($1::text::bigint, 2, '', 1, 'p', 1, 'running', now()))
      insert into noetl.event (execution_id, seq, event_id, type, payload, digest)
      values ($1::text::bigint, 1, 1, 'playbook.started', $2::text::json, ''),
        ($1::text::bigint, 2, 2, 'event.emitted', '{"tenant":"second"}', '')`,
      [id, first],
    );
  }
  await migrate(sql());
  const rows = await sql().query(
    "select execution_id::text as id, tenant from noetl.execution order by execution_id",
  );
  expect(rows).toEqual([
    { id: "1", tenant: "acme" },
    { id: "2", tenant: "default" },
    { id: "3", tenant: "default" },
  ]);
});

test("the digest of a schema tells texts and versions apart", () => {
  const digests = [[one], [two], [one, two], [step(1, two.text)]].map(schemaDigest);
  expect(new Set(digests).size).toBe(4);
  expect(schemaDigest([step(1, one.text)])).toBe(schemaDigest([one]));
});

const partitionOf = async (timeMs: number, sequence: number): Promise<string | undefined> => {
  const id = executionId(snowflake({ timeMs, machine: 0, sequence }));
  const log = sqlEventLog(sql());
  expect(await log.append([transition(id)])).toEqual(["accepted"]);
  const [row] = await sql().query<{ name: string }>(
    `select tableoid::regclass::text as name from noetl.event
    where execution_id = $1::text::bigint`,
    [id],
  );
  return row?.name;
};
const monthStart = (ahead: number): Date => {
  const now = new Date();
  return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + ahead, 1));
};
const nameOf = (month: Date): string =>
  `noetl.event_${month.toISOString().slice(0, 7).replace("-", "_")}`;

test("events of this month and of three ahead have a partition of their own", async () => {
  await migrate(sql());
  for (let ahead = 0; ahead <= 3; ahead++) {
    const [first, next] = [monthStart(ahead), monthStart(ahead + 1)];
    expect(await partitionOf(first.getTime(), 0)).toBe(nameOf(first));
    expect(await partitionOf(next.getTime() - 1, 4095)).toBe(nameOf(first));
  }
  expect(await partitionOf(monthStart(4).getTime(), 1)).toBe("noetl.event_default");
  expect(await partitionOf(snowflakeEpochMs, 1)).toBe("noetl.event_default");
});

test("a month whose events the default partition took stays there, others are made", async () => {
  await migrate(sql());
  const [early, late] = [monthStart(4), monthStart(5)];
  expect(await partitionOf(early.getTime(), 0)).toBe("noetl.event_default");
  const missing = await sql().query("select noetl.ensure_event_partitions(5) as made");
  expect(missing).toEqual([{ made: 1 }]);
  expect(await partitionOf(early.getTime(), 1)).toBe("noetl.event_default");
  expect(await partitionOf(late.getTime(), 0)).toBe(nameOf(late));
  await Promise.all([ensurePartitions(sql()), ensurePartitions(sql())]);
});
