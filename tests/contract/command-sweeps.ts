// The contract of command rows, second part: what becomes of rows that nobody finished, that were
// issued again, that fall due, and that are told to other executions.
import { expect, test } from "bun:test";
import type { CommandId } from "#core/model/ids";
import type { NewCommandRow } from "#core/ports/event-log";
import type { EventLogWorld } from "./event-log.ts";
import { asRow, claim, expire, issue, leaseMs, leasesOf, settle } from "./rows.ts";
import { continueWith, idsOf, newExecution, transition } from "./transitions.ts";

type World = () => EventLogWorld;

/** Expiry, reissues, due rows and rows that have been acted on. */
export function sweepContract(world: World): void {
  expiry(world);
  reissue(world);
  sweeps(world);
}

function expiry(world: World): void {
  test("rows whose lease has run out are marked once, and claimed by nobody", async () => {
    const { log, advance } = world();
    await issue(log, ["one", "two"]);
    const claimed = await claim(log, 2);
    expect(await expire(log, 5, 60_000)).toEqual([]);
    await advance(leaseMs + 1);
    expect(await expire(log, 5, 60_000)).toEqual(claimed);
    expect(await expire(log, 5, 60_000)).toEqual([]);
    expect(await claim(log, 5)).toEqual([]);
    expect(await log.renew("w", leasesOf(claimed), leaseMs)).toEqual(["lost", "lost"]);
    await log.release("w", leasesOf(claimed));
    expect(await claim(log, 5)).toEqual([]);
    expect(await log.backlog()).toEqual([{ pool: "default", ready: 0, leased: 0 }]);
  });

  test("a mark that nobody acted on is returned again when it is old enough", async () => {
    const { log, advance } = world();
    await issue(log, ["one"]);
    const claimed = await claim(log, 1);
    await advance(leaseMs + 1);
    expect(await expire(log, 5, 5_000)).toEqual(claimed);
    await advance(4_000);
    expect(await expire(log, 5, 5_000)).toEqual([]);
    await advance(1_001);
    expect(await expire(log, 5, 5_000)).toEqual(claimed);
    expect(await expire(log, 5, 5_000)).toEqual([]);
  });

  test("no more rows expire in one call than asked for, each only once", async () => {
    const { log, advance } = world();
    const issued = await issue(log, ["1", "2", "3", "4", "5"]);
    await claim(log, 5);
    await advance(leaseMs + 1);
    const rounds = [await expire(log, 2, 60_000), await expire(log, 2, 60_000)];
    rounds.push(await expire(log, 2, 60_000));
    expect(rounds.map((rows) => rows.length)).toEqual([2, 2, 1]);
    expect(new Set(rounds.flatMap(idsOf))).toEqual(new Set(idsOf(issued)));
    await issue(log, ["6", "7"]);
    await claim(log, 2);
    await advance(leaseMs + 1);
    expect(await expire(log, 4, 0)).toHaveLength(4);
    expect(await expire(log, 9, 0)).toHaveLength(7);
    expect(await expire(log, 3, 0)).toHaveLength(3);
    expect(await expire(log, 0, 0)).toEqual([]);
  });
}

function reissue(world: World): void {
  test("a settled command's row is gone, whoever holds it", async () => {
    const { log, advance } = world();
    await issue(log, ["ready", "leased", "expired"]);
    const rows = await claim(log, 2, { worker: "v" });
    await advance(leaseMs + 1);
    await expire(log, 1, 60_000);
    const all = [...rows, ...(await claim(log, 1))];
    await settle(log, all);
    expect(await log.renew("v", leasesOf(all), leaseMs)).toEqual(["gone", "gone", "gone"]);
    expect(await log.backlog()).toEqual([]);
    expect(await expire(log, 5, 0)).toEqual([]);
  });

  test("a reissued command's row carries the new attempt and can be claimed again", async () => {
    const { log, advance } = world();
    const [issued] = await issue(log, ["one"]);
    if (issued === undefined) throw new Error("nothing was issued");
    const old = leasesOf(await claim(log, 1));
    await advance(leaseMs + 1);
    await expire(log, 5, 60_000);
    const again: NewCommandRow = { ...issued, attempt: 2, payload: { again: true } };
    await continueWith(log, issued.executionId, { issued: [again] });
    expect(await log.renew("w", old, leaseMs)).toEqual(["lost"]);
    const claimed = await claim(log, 5, { worker: "v" });
    expect(claimed).toEqual([asRow(again, "v")]);
    expect(await log.renew("w", old, leaseMs)).toEqual(["lost"]);
    expect(await log.renew("v", old, leaseMs)).toEqual(["lost"]);
    expect(await log.renew("v", leasesOf(claimed), leaseMs)).toEqual(["renewed"]);
    expect(await expire(log, 5, 0)).toEqual([]);
  });

  test("a command settled and issued in one transition has the row that was issued", async () => {
    const { log, advance } = world();
    const [issued] = await issue(log, ["one"]);
    if (issued === undefined) throw new Error("nothing was issued");
    await claim(log, 1);
    const timer: NewCommandRow = {
      ...issued,
      kind: "timer",
      attempt: 2,
      dueInMs: 30_000,
    };
    await continueWith(log, issued.executionId, { settled: [issued.commandId], issued: [timer] });
    expect(await log.backlog()).toEqual([]);
    expect(await log.due(5, 1_000)).toEqual([]);
    await advance(30_001);
    expect(await log.due(5, 1_000)).toEqual([asRow(timer)]);
    const tool: NewCommandRow = { ...issued, attempt: 3 };
    await continueWith(log, issued.executionId, { issued: [{ ...tool, attempt: 9 }, tool] });
    expect(await log.due(5, 0)).toEqual([]);
    expect(await claim(log, 5)).toEqual([asRow(tool, "w")]);
  });

  test("a reissued command keeps its place before younger ones", async () => {
    const { log, advance } = world();
    const [old, twin] = await issue(log, ["old", "twin"]);
    if (old === undefined || twin === undefined) throw new Error("nothing was issued");
    await advance(10);
    const young = await issue(log, ["young"]);
    await claim(log, 1);
    await continueWith(log, old.executionId, { issued: [{ ...old, attempt: 2 }] });
    expect(idsOf(await claim(log, 1))).toEqual([old.commandId]);
    const settled = [old.commandId];
    await continueWith(log, old.executionId, { settled, issued: [{ ...old, attempt: 3 }] });
    expect(idsOf(await claim(log, 5))).toEqual([old.commandId, twin.commandId, ...idsOf(young)]);
  });

  test("a command reissued into a worker's hands is leased to it from then on", async () => {
    const { log, advance } = world();
    const [issued] = await issue(log, ["one"], { lease: { worker: "v", leaseMs: 60_000 } });
    if (issued === undefined) throw new Error("nothing was issued");
    const again = { ...issued, attempt: 2, lease: { worker: "w", leaseMs: 3_000 } };
    await continueWith(log, issued.executionId, { issued: [again] });
    const lease = { commandId: issued.commandId, attempt: 2 };
    expect(await log.renew("v", [lease], leaseMs)).toEqual(["lost"]);
    expect(await log.renew("w", [lease], 3_000)).toEqual(["renewed"]);
    await advance(3_001);
    expect(await expire(log, 5, 0)).toEqual([asRow(again, "w")]);
  });

  test("a command reissued before it was due is ready at once", async () => {
    const { log } = world();
    const [later] = await issue(log, ["later"], { dueInMs: 60_000 });
    if (later === undefined) throw new Error("nothing was issued");
    const { dueInMs: _, ...now } = later;
    await continueWith(log, later.executionId, { issued: [{ ...now, attempt: 2 }] });
    expect(await claim(log, 5)).toEqual([asRow({ ...now, attempt: 2 }, "w")]);
    expect(await log.nextDueMs()).toBeUndefined();
  });

  test("an execution may settle the row that another one issued", async () => {
    const { log } = world();
    const told = await issue(log, ["tell"], { kind: "child.done" });
    await log.append([transition(newExecution(), { settled: idsOf(told) })]);
    expect(await log.due(5, 0)).toEqual([]);
  });
}

function sweeps(world: World): void {
  test("due rows of every other kind are returned when due, oldest first", async () => {
    const { log, advance } = world();
    const timer = await issue(log, ["t"], { kind: "timer", dueInMs: 5_000 });
    await issue(log, ["tool"]);
    const start = await issue(log, ["s"], { kind: "child.start", payload: { a: [1] } });
    await advance(10);
    const told = await issue(log, ["d"], { kind: "child.done" });
    const cancel = await issue(log, ["c"], { kind: "child.cancel" });
    const rows = [...start, ...told, ...cancel].map((row) => asRow(row));
    expect(await log.due(9, 60_000)).toEqual(rows);
    await advance(5_001);
    expect(await log.due(9, 60_000)).toEqual(timer.map((row) => asRow(row)));
  });

  test("a row handed to one sweep is held from the others, and offered again after that", async () => {
    const { log, advance } = world();
    const issued = await issue(log, ["1", "2", "3"], { kind: "child.start" });
    const [first, second] = [await log.due(2, 5_000), await log.due(2, 5_000)];
    expect(idsOf(first)).toEqual(idsOf(issued.slice(0, 2)));
    expect(idsOf(second)).toEqual(idsOf(issued.slice(2)));
    expect(await log.due(2, 5_000)).toEqual([]);
    await settle(log, first.slice(0, 1));
    await advance(5_001);
    expect(idsOf(await log.due(9, 5_000))).toEqual(idsOf(issued.slice(1)));
    expect(await log.due(0, 5_000)).toEqual([]);
  });

  test("rows that have been acted on are removed; tools and timers end by a transition", async () => {
    const { log } = world();
    const tool = await issue(log, ["tool"]);
    const timer = await issue(log, ["timer"], { kind: "timer" });
    const acted: NewCommandRow[] = [];
    for (const kind of ["child.start", "child.done", "child.cancel"] as const) {
      acted.push(...(await issue(log, [kind], { kind })));
    }
    await log.done([]);
    await log.done([...idsOf([...acted, ...tool, ...timer]), "no:such:1" as CommandId]);
    expect(await log.due(9, 0)).toEqual(timer.map((row) => asRow(row)));
    expect(await claim(log, 9)).toEqual(tool.map((row) => asRow(row, "w")));
  });

  test("the next due time is that of the earliest row that isn't due yet", async () => {
    const { log, nowMs, advance } = world();
    expect(await log.nextDueMs()).toBeUndefined();
    const at = nowMs();
    /** To the second: the store counts from a moment of its own, a little later. */
    const nextDueAfter = async (startMs: number): Promise<number> => {
      const afterMs = ((await log.nextDueMs()) ?? 0) - startMs;
      const [expected = afterMs] = [60_123, 3_600_000].filter(
        (ms) => afterMs >= ms - 1_000 && afterMs < ms + 5_000,
      );
      return expected;
    };
    await issue(log, ["now"]);
    await issue(log, ["past"], { kind: "timer", dueInMs: -1 });
    expect(await log.nextDueMs()).toBeUndefined();
    const soon = await issue(log, ["soon"], { kind: "timer", dueInMs: 60_123 });
    await issue(log, ["later"], { dueInMs: 3_600_000 });
    expect(await nextDueAfter(at)).toBe(60_123);
    await settle(
      log,
      soon.map((row) => asRow(row)),
    );
    expect(await nextDueAfter(at)).toBe(3_600_000);
    await advance(3_600_001);
    expect(await log.nextDueMs()).toBeUndefined();
  });
}
