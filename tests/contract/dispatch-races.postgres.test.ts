// Races on a real server: many connections claim, hand over, settle, give back and expire at the
// same time, while rules come and change. At no instant does more run than a rule says.
import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { sqlEventLog } from "#control/store/event-log";
import type { Sql } from "#control/store/sql";
import { Fault } from "#core/model/fault";
import type { ExecutionId } from "#core/model/ids";
import type { CommandRow } from "#core/ports/command-rows";
import type { EventLog } from "#core/ports/event-log";
import { postgresWorld } from "./postgres-world.ts";
import { claim, issue, leasesOf, terms } from "./rows.ts";
import { command, newExecution, transition } from "./transitions.ts";

const server = postgresWorld();
let sql: Sql;
let log: EventLog;
beforeAll(async () => {
  sql = await server.open();
  log = sqlEventLog(sql);
}, 60_000);
beforeEach(async () => {
  await sql.query("truncate noetl.event, noetl.execution, noetl.command, noetl.rule cascade");
});
afterAll(() => sql.close());

const steps = (count: number) => Array.from({ length: count }, (_, n) => `s${n}`);
const keys = ["playbook:demo/p", "tool:python"];
const under = { terms: terms({ playbook: "demo/p", tool: "python" }) };
const alsoUnder = { terms: terms({ playbook: "demo/q", tool: "python" }) };

/** What runs under each key, in one picture of the table. */
async function running(): Promise<readonly number[]> {
  const [record] = await sql.query<{ p: number; t: number }>(`select
    (count(*) filter (where playbook = 'demo/p'))::integer as p,
    (count(*) filter (where tool = 'python'))::integer as t
    from noetl.command where status = 'leased'`);
  return [record?.p ?? 0, record?.t ?? 0];
}

/** A deadlock between two statements is answered to one of them, which tries again later. */
async function tried<Value>(attempt: () => Promise<Value>): Promise<Value | undefined> {
  try {
    return await attempt();
  } catch (thrown) {
    if (thrown instanceof Fault && thrown.retryable) return undefined;
    throw thrown;
  }
}

interface Storm {
  readonly left: Set<string>;
  deadlocks: number;
}

/** Commands leave the table by rows, not by transitions: what is raced for is leases and places. */
const finish = (rows: readonly CommandRow[]) =>
  sql.query(
    "delete from noetl.command where command_id = any(array(select json_array_elements_text($1::text::json)))",
    [JSON.stringify(rows.map(({ commandId }) => commandId))],
  );

/** One worker: claims, and does with what it gets whatever the turn says. */
async function work(name: string, storm: Storm): Promise<void> {
  for (let turn = 0; storm.left.size > 0 && turn < 2_000; turn++) {
    const held = await tried(() => claim(log, 1 + (turn % 4), { worker: name }));
    if (held === undefined) storm.deadlocks += 1;
    const [first, ...rest] = held ?? [];
    if (first === undefined) continue;
    await log.renew(name, leasesOf(rest), 10_000);
    if (turn % 3 === 0) await log.release(name, leasesOf([first]));
    else await finish([first]);
    await finish(rest);
    for (const { commandId } of turn % 3 === 0 ? rest : (held ?? [])) storm.left.delete(commandId);
  }
}

async function watch(storm: Storm, bounds: () => readonly number[]): Promise<readonly string[]> {
  const over: string[] = [];
  while (storm.left.size > 0) {
    const before = bounds();
    const found = await running();
    const after = bounds();
    for (const [index, count] of found.entries()) {
      const most = Math.max(before[index] ?? 0, after[index] ?? 0);
      if (count > most) over.push(`${keys[index]}: ${count} of ${most}`);
    }
  }
  return over;
}

test("many connections never let more run than the rules say, and all is done in the end", async () => {
  await log.putRule({ key: "playbook:demo/p", maxRunning: 3 });
  await log.putRule({ key: "tool:python", maxRunning: 5 });
  const rows = [
    ...(await issue(log, steps(150), under)),
    ...(await issue(log, steps(100), alsoUnder)),
  ];
  const storm = { left: new Set<string>(rows.map(({ commandId }) => commandId)), deadlocks: 0 };
  const workers = Array.from({ length: 8 }, (_, n) => work(`w${n}`, storm));
  const over = await watch(storm, () => [3, 5]);
  await Promise.all(workers);
  expect(over).toEqual([]);
  expect(storm).toMatchObject({ left: new Set(), deadlocks: 0 });
  expect(await log.rules()).toMatchObject([{ running: 0 }, { running: 0 }]);
}, 60_000);

test("a rule that comes or changes in the middle of it is never overshot", async () => {
  const rows = await issue(log, steps(400), under);
  const storm = { left: new Set<string>(rows.map(({ commandId }) => commandId)), deadlocks: 0 };
  const workers = Array.from({ length: 8 }, (_, n) => work(`w${n}`, storm));
  let most = Number.POSITIVE_INFINITY;
  const watching = watch(storm, () => [most, Number.POSITIVE_INFINITY]);
  for (const maxRunning of [6, 2, 4, 1, 3]) {
    most = Math.max(most, maxRunning);
    // What runs at that moment may go on: the bound is what was seen just after, or the rule's.
    await log.putRule({ key: "playbook:demo/p", maxRunning });
    most = Math.max(maxRunning, (await running())[0] ?? 0);
    for (let looks = 0; looks < 20; looks++) {
      const [now = 0] = await running();
      most = Math.max(maxRunning, Math.min(most, now));
    }
  }
  await Promise.all(workers);
  expect(await watching).toEqual([]);
  expect(storm.left.size).toBe(0);
}, 60_000);

test("hand-overs race with a fresh rule: what is leased without it is counted by it", async () => {
  const lease = { worker: "w", leaseMs: 60_000 };
  const handOver = async (): Promise<ExecutionId> => {
    const id = newExecution();
    await log.append([transition(id, { issued: [command(id, "one", { ...under, lease })] })]);
    return id;
  };
  const before = Array.from({ length: 40 }, handOver);
  const put = log.putRule({ key: "playbook:demo/p", maxRunning: 1_000 });
  const after = Array.from({ length: 40 }, handOver);
  await Promise.all([...before, put, ...after]);
  const [state] = await log.rules();
  expect(state?.running).toBe((await running())[0]);
}, 60_000);

test("claims under rates wait for each other and never deadlock", async () => {
  await log.putRule({ key: "tool:python", perSecond: 100_000, burst: 10_000 });
  await log.putRule({ key: "playbook:demo/p", perSecond: 100_000, burst: 10_000, maxRunning: 4 });
  const rows = [
    ...(await issue(log, steps(100), under)),
    ...(await issue(log, steps(50), alsoUnder)),
  ];
  const storm = { left: new Set<string>(rows.map(({ commandId }) => commandId)), deadlocks: 0 };
  await Promise.all(Array.from({ length: 8 }, (_, n) => work(`w${n}`, storm)));
  expect(storm).toMatchObject({ left: new Set(), deadlocks: 0 });
}, 60_000);
