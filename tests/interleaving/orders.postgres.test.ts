// Statements that need several rows take them in one order, whatever they do to each: no two ever
// wait for each other. The row that both need is held until both wait, then let go.
import { beforeEach, describe, expect, test } from "bun:test";
import type { CommandId } from "#core/model/ids";
import type { NewCommandRow } from "#core/ports/event-log";
import type { Stores } from "#core/ports/stores";
import { claim, expire, leaseMs, terms } from "#tests/contract/rows";
import { command, newExecution, rowOf, transition } from "#tests/contract/transitions";
import { look } from "./invariants.ts";
import { holder, type Part, says } from "./scene.ts";
import { stage } from "./sessions.ts";

const on = stage();
beforeEach(async () => {
  await on().watch.sql.query("delete from noetl.command");
  await on().watch.sql.query("delete from noetl.rule");
});

/** One execution with three commands that one worker has, by the order of their ids. */
async function threeLeased({ log }: Stores): Promise<readonly [Part, Part, Part]> {
  const id = newExecution();
  const rows = ["a", "b", "c"].map((step) => command(id, step));
  const begun = transition(id, { issued: rows, tails: rows.map((row) => says("issued", row)) });
  await log.append([begun]);
  await claim(log, 3, { worker: holder, leaseMs: 0 });
  const head = { seq: 3, digest: begun.events.at(-1)?.digest ?? "" };
  const [a, b, c] = rows.map((row): Part => {
    return { executionId: id, commandId: row.commandId, row, head };
  });
  if (a === undefined || b === undefined || c === undefined) throw new Error("expected three");
  return [a, b, c];
}

type Parts = readonly [Part, Part, Part];
type Doing = (stores: Stores, parts: Parts) => Promise<unknown>;

/** A settled command, one that is parked, and one that is issued again, in one transition. */
const mixed =
  (settled: number, parked: number, again: number): Doing =>
  ({ log }, parts) => {
    const at = (n: number): Part => parts[n] ?? parts[0];
    const timer: NewCommandRow = { ...at(parked).row, kind: "timer" };
    const next: NewCommandRow = { ...at(again).row, attempt: 2 };
    const tails = [says("settled", at(settled).row), says("issued", timer), says("issued", next)];
    const { executionId, head } = parts[0];
    const issued = [next, timer];
    const ids = [at(settled).commandId, timer.commandId];
    return log.append([transition(executionId, { head, tails, issued, settled: ids })]);
  };

const repair: Doing = ({ repair }, parts) => {
  const { executionId, head } = parts[0];
  const rows = [parts[1].row, parts[0].row, parts[2].row];
  const now = { row: rowOf(executionId), head: head.seq, digest: head.digest, found: head };
  return repair.repair({ ...now, rows, leaseMs });
};

const refs = (parts: Parts, order: readonly number[]) =>
  order.map((n) => ({ commandId: parts[n]?.commandId ?? ("" as CommandId), attempt: 1 }));

const doings: Readonly<Record<string, Doing>> = {
  "settles c, parks b, issues a again": mixed(2, 1, 0),
  "settles a, parks c, issues b again": mixed(0, 2, 1),
  "settles b, parks a, issues c again": mixed(1, 0, 2),
  "repairs b, a and c": repair,
  "renews c, a and b": ({ log }, parts) => log.renew(holder, refs(parts, [2, 0, 1]), leaseMs),
  "gives a, b and c back": ({ log }, parts) => log.release(holder, refs(parts, [0, 1, 2])),
  sweeps: ({ log }) => expire(log, 3, 60_000),
};

for (const [first, one] of Object.entries(doings)) {
  describe(`one ${first}, while another`, () => {
    for (const [second, other] of Object.entries(doings)) {
      test(second, async () => {
        const { a, b, c, watch, isWaiting } = on();
        for (const held of [0, 1, 2] as const) {
          const parts = await threeLeased(watch.stores);
          await c.begin();
          await c.sql.query("select from noetl.command where command_id = $1::text for update", [
            parts[held].commandId,
          ]);
          const mine = one(a.stores, parts).then(() => "done", String);
          await isWaiting(a, mine);
          const theirs = other(b.stores, parts).then(() => "done", String);
          await isWaiting(b, theirs);
          await c.commit();
          expect([await mine, await theirs]).toEqual(["done", "done"]);
          for (const part of parts) expect((await look(watch, part)).faults).toEqual([]);
          await watch.sql.query("delete from noetl.command");
        }
      });
    }
  });
}

const issue = async ({ log }: Stores, parts: Parameters<typeof terms>[0], count: number) => {
  const id = newExecution();
  const rows = Array.from({ length: count }, (_, n) =>
    command(id, `s${n}`, { terms: terms(parts) }),
  );
  await log.append([transition(id, { issued: rows })]);
};

const first = { tenant: "t1", tool: "x" };
const second = { tenant: "t2", playbook: "p" };
const keys = ["tenant:t1", "tool:x", "playbook:p"];

test("of claims that wait for each other in a ring one is told to try again, and then gets through", async () => {
  const { a, b, c, watch, isWaiting } = on();
  const { log } = watch.stores;
  for (const parts of [first, second]) await issue(watch.stores, parts, 2);
  await claim(log, 4);
  for (const parts of [first, second]) await issue(watch.stores, parts, 2);
  for (const key of keys) await log.putRule({ key, maxRunning: 1 });
  await c.begin();
  await c.sql.query("select from noetl.slot where key = 'tool:x' and n = 1 for update");
  const mine = claim(a.stores.log, 1, { worker: "w1" }).catch((thrown: unknown) => thrown);
  await isWaiting(a, mine);
  const next = { worker: "w2", afterTenant: "t1" };
  const theirs = claim(b.stores.log, 1, next).catch((thrown: unknown) => thrown);
  await isWaiting(b, theirs);
  await c.commit();
  const refused = [await mine, await theirs].filter((answer) => answer instanceof Error);
  expect(refused.length).toBeLessThanOrEqual(1);
  for (const thrown of refused) expect(thrown).toMatchObject({ code: "unavailable" });
  expect(await claim(b.stores.log, 1, next)).toEqual([]);
});
