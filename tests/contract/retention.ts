// Retention on any database: which months go, what goes with them, and what keeps one. Months in
// the past are made by hand, for the product only makes those to come.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { systemRole } from "#control/roles/system";
import { retain } from "#control/services/retention";
import type { Sql } from "#control/store/sql";
import { sqlStores } from "#control/store/stores";
import { systemClock } from "#core/adapters/system-clock";
import { type ExecutionId, executionId, snowflake } from "#core/model/ids";
import { resultReference } from "#core/model/references";
import type { ExecutionRow } from "#core/ports/event-log";
import type { Stores } from "#core/ports/stores";
import { eventually } from "#tests/support/control";
import { command, plainTail, transition } from "./transitions.ts";

export const clock = systemClock();
export const days = 30;
const dayMs = 86_400_000;
let sequence = 0;

/** The month so many months ago, as the log names it. */
export function monthAgo(months: number): { readonly name: string; readonly startMs: number } {
  const now = new Date();
  const startMs = Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - months, 1);
  const text = new Date(startMs).toISOString().slice(0, 7).replace("-", "_");
  return { name: `event_${text}`, startMs };
}

export async function makeMonth(sql: Sql, months: number): Promise<string> {
  const { name } = monthAgo(months);
  const bound = (offset: number): string =>
    `${snowflake({ timeMs: monthAgo(months - offset).startMs, machine: 0, sequence: 0 })}`;
  await sql.query(`create table noetl.${name} (like noetl.event including all)`);
  await sql.query(
    `alter table noetl.event attach partition noetl.${name} for values from (${bound(0)}) to (${bound(1)})`,
  );
  return name;
}

export const idIn = (months: number): ExecutionId =>
  executionId(
    snowflake({ timeMs: monthAgo(months).startMs + dayMs, machine: 3, sequence: ++sequence }),
  );

type RowParts = Partial<Pick<ExecutionRow, "parentId" | "status" | "endedAtMs">>;

/** An execution of that month that ended the day after its start, unless said otherwise. */
export async function pastExecution(
  stores: Stores,
  months: number,
  parts: RowParts = {},
): Promise<ExecutionId> {
  const id = idIn(months);
  const startedAtMs = monthAgo(months).startMs + dayMs;
  const row = { status: "completed" as const, startedAtMs, endedAtMs: startedAtMs, ...parts };
  const tails = [plainTail, plainTail];
  await stores.log.append([transition(id, { row, tails })]);
  return id;
}

async function partitions(sql: Sql): Promise<readonly string[]> {
  const rows = await sql.query<{ name: string }>(
    `select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'noetl.event'::regclass order by c.relname`,
  );
  return rows.map(({ name }) => name);
}

/** Everything that retention might take. */
const contents = (sql: Sql) =>
  sql.query(`select execution_id::text, 'event' as what, seq from noetl.event
    union all select execution_id::text, 'execution', head from noetl.execution order by 1, 2, 3`);

export const once = (stores: Stores, daysKept: number | undefined = days) =>
  retain({
    retention: stores.retention,
    clock,
    days: daysKept,
    ended: new AbortController().signal,
    report: () => {},
  });

export function retentionContract(name: string, open: () => Promise<Sql>): void {
  describe(`retention on ${name}`, () => {
    let sql: Sql | undefined;
    const the = () => {
      if (sql === undefined) throw new Error("expected the hooks to have run");
      return { sql, stores: sqlStores(sql), months: () => partitions(sql as Sql) };
    };
    beforeAll(async () => {
      sql = await open();
    }, 60_000);
    beforeEach(async () => {
      const database = the().sql;
      await database.query(
        "truncate noetl.event, noetl.execution, noetl.command, noetl.result_store, noetl.quarantine",
      );
      for (const one of await partitions(database)) {
        if (one < monthAgo(0).name) await database.query(`drop table noetl.${one}`);
      }
    });
    afterAll(() => sql?.close());
    dropping(the);
    keeping(the);
    attending(the);
  });
}

type The = () => {
  readonly sql: Sql;
  readonly stores: Stores;
  readonly months: () => Promise<readonly string[]>;
};

function dropping(the: The): void {
  test("drops a month that is over, with its executions and their results", async () => {
    const { sql, stores, months } = the();
    const old = await makeMonth(sql, 6);
    const recent = await makeMonth(sql, 1);
    const gone = await pastExecution(stores, 6);
    const stays = await pastExecution(stores, 1);
    for (const id of [gone, stays]) {
      const ref = resultReference(id, "step", "00");
      await stores.results.put({ ref, bytes: new Uint8Array([1]), mediaType: "x/y" });
    }
    await sql.query(
      `insert into noetl.dead_letter (command_id, execution_id, step, attempt, reason, message)
      values ($1, $2::text::bigint, 's', 1, 'poisoned', 'm')`,
      [`${gone}:s:1`, gone],
    );
    expect(await once(stores)).toBe(1);
    expect(await sql.query("select 1 from noetl.dead_letter")).toEqual([]);
    expect(await months()).not.toContain(old);
    expect(await months()).toContain(recent);
    expect(await stores.log.head(gone)).toBeUndefined();
    expect(await stores.log.events(gone, 0, 9)).toEqual([]);
    expect(await stores.results.get(resultReference(gone, "step", "00"))).toBeUndefined();
    expect(await stores.log.events(stays, 0, 9)).toHaveLength(2);
    expect(await stores.results.get(resultReference(stays, "step", "00"))).toBeDefined();
    const { entries } = await stores.feed.after(undefined, { limit: 9 });
    expect(entries.map(({ event }) => event.execution_id)).toEqual([stays, stays]);
  });

  test("keeps everything where no retention is wanted, and makes room ahead", async () => {
    const { sql, stores, months } = the();
    const old = await makeMonth(sql, 20);
    const ahead = monthAgo(-2).name;
    await sql.query(`drop table noetl.${ahead}`);
    expect(
      await retain({
        retention: stores.retention,
        clock,
        days: undefined,
        ended: new AbortController().signal,
        report: () => {},
      }),
    ).toBe(0);
    expect(await months()).toContain(old);
    expect(await months()).toContain(ahead);
  });

  test("goes on where a run was cut off between the executions and the events", async () => {
    const { sql, stores, months } = the();
    const old = await makeMonth(sql, 6);
    for (let n = 0; n < 3; n++) await pastExecution(stores, 6);
    const [month] = await stores.retention.expired(days);
    if (month === undefined) throw new Error("expected a month to have expired");
    expect(await stores.retention.purge(month, 2)).toBe(2);
    expect(await stores.retention.drop(month)).toBe("kept");
    expect(await once(stores)).toBe(1);
    expect(await months()).not.toContain(old);
  });
}

function keeping(the: The): void {
  const kept: Readonly<Record<string, (stores: Stores) => Promise<unknown>>> = {
    "that an execution of it still runs": async (stores) => {
      const parts = await pastExecution(stores, 6);
      await stores.log.append([
        transition(idIn(6), { row: { status: "running" }, tails: [plainTail] }),
      ]);
      return parts;
    },
    "of which an execution ended lately": (stores) =>
      pastExecution(stores, 6, { endedAtMs: Date.now() - dayMs }),
    "of which something has still to be told": async (stores) => {
      const id = idIn(6);
      const row = { status: "completed" as const, endedAtMs: monthAgo(5).startMs };
      const issued = [command(id, "s", { kind: "child.done" })];
      await stores.log.append([transition(id, { row, issued })]);
    },
    "that a running execution descends to, over any number of others": async (stores) => {
      const root = await pastExecution(stores, 8, { status: "running" });
      const middle = await pastExecution(stores, 7, { parentId: root });
      await pastExecution(stores, 6, { parentId: middle });
    },
  };
  for (const [what, make] of Object.entries(kept)) {
    test(`keeps a month ${what}`, async () => {
      const { sql, stores, months } = the();
      const old = [await makeMonth(sql, 8), await makeMonth(sql, 7), await makeMonth(sql, 6)];
      await make(stores);
      const before = await contents(sql);
      await once(stores);
      expect(await months()).toContain(old.at(-1) ?? "");
      expect(await contents(sql)).toEqual(before);
    });
  }

  test("keeps an execution that came after its month was looked at", async () => {
    const { sql, stores, months } = the();
    const old = await makeMonth(sql, 6);
    const [month] = await stores.retention.expired(days);
    if (month === undefined) throw new Error("expected a month to have expired");
    const late = idIn(6);
    await stores.log.append([transition(late, { row: { status: "running" } })]);
    expect(await stores.retention.purge(month, 10)).toBe(0);
    expect(await stores.retention.drop(month)).toBe("kept");
    expect(await months()).toContain(old);
  });
}

function attending(the: The): void {
  test("is done by the system role, with the duties of others, whatever one of them does", async () => {
    const { sql, stores, months } = the();
    const old = await makeMonth(sql, 6);
    const reports: string[] = [];
    let left = 3;
    const role = systemRole(
      { ...stores, clock },
      {
        owner: `system-${name()}`,
        report: (message) => void reports.push(message),
        retentionDays: days,
        duties: [
          { name: "broken", run: () => Promise.reject(new Error("it broke")) },
          { name: "pieces", run: async () => Math.max(0, left--) },
        ],
      },
    );
    await eventually(async () => (left < 0 ? true : undefined));
    await role.stop();
    expect(await months()).not.toContain(old);
    expect(reports).toContain("broken: it broke");
    expect(left).toBe(-1);
  });
}

let roles = 0;
const name = (): string => String(++roles);
