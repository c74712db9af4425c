// The contract of command rows, first part: who may work on what, and until when.
import { expect, test } from "bun:test";
import type { CommandId, EventId } from "#core/model/ids";
import type { NewCommandRow } from "#core/ports/event-log";
import type { EventLogWorld } from "./event-log.ts";
import { asRow, claim, expire, issue, leaseMs, leasesOf, settle } from "./rows.ts";
import { idsOf } from "./transitions.ts";

type World = () => EventLogWorld;

/** Claims, renewals and releases. */
export function leaseContract(world: World): void {
  claims(world);
  leases(world);
  namedClaims(world);
}

function namedClaims(world: World): void {
  const claimOne = (commandId: CommandId, worker = "w") =>
    world().log.claimOne({ commandId, worker, leaseMs });

  test("one command is leased by its id, once, and again by the same worker", async () => {
    const { log } = world();
    const [one, two] = await issue(log, ["one", "two"]);
    if (one === undefined || two === undefined) throw new Error("expected two rows");
    expect(await claimOne(two.commandId)).toEqual({ verdict: "claimed", row: asRow(two, "w") });
    expect(await claimOne(two.commandId)).toEqual({ verdict: "claimed", row: asRow(two, "w") });
    expect(await claimOne(two.commandId, "v")).toEqual({ verdict: "taken" });
    expect(idsOf(await claim(log, 5))).toEqual(idsOf([one]));
    const leases = leasesOf([asRow(two)]);
    expect(await log.renew("w", leases, leaseMs)).toEqual(["renewed"]);
    await log.release("w", leases);
    expect(await claimOne(two.commandId, "v")).toMatchObject({ verdict: "claimed" });
  });

  test("one command is not to be had by its id before it is due, as a suspect, or under a rule", async () => {
    const { log } = world();
    const [later] = await issue(log, ["later"], { dueInMs: 60_000 });
    const [suspect] = await issue(log, ["suspect"], { suspect: true });
    const [timer] = await issue(log, ["timer"], { kind: "timer" });
    const [ruled] = await issue(log, ["ruled"], { pool: "named-rule" });
    await log.putRule({ key: "pool:named-rule", maxRunning: 9 });
    const verdictOf = async (row: NewCommandRow | undefined) =>
      row === undefined ? undefined : (await claimOne(row.commandId)).verdict;
    expect(await Promise.all([later, suspect, timer, ruled].map(verdictOf))).toEqual([
      "taken",
      "taken",
      "gone",
      "taken",
    ]);
    await log.deleteRule("pool:named-rule");
    expect(await verdictOf(ruled)).toBe("claimed");
    expect((await claimOne("12:nothing:1" as CommandId)).verdict).toBe("gone");
  });

  test("of many that ask for one command by its id one gets it", async () => {
    const { log } = world();
    const [one] = await issue(log, ["one"]);
    if (one === undefined) throw new Error("expected a row");
    const workers = Array.from({ length: 20 }, (_, n) => `w${n}`);
    const told = await Promise.all(workers.map((worker) => claimOne(one.commandId, worker)));
    expect(told.filter(({ verdict }) => verdict === "claimed")).toHaveLength(1);
  });

  test("an open row is found by its id and by the event that issued it", async () => {
    const { log } = world();
    const eventId = "123456789012345678" as EventId;
    const payload = { event_id: eventId, text: "nul \0" };
    // Another one only speaks of it.
    await issue(log, ["other"], { payload: { event_id: "9", input: { event_id: eventId } } });
    const [row] = await issue(log, ["one"], { payload });
    const [timer] = await issue(log, ["timer"], { kind: "timer", payload });
    if (row === undefined || timer === undefined) throw new Error("expected rows");
    const { executionId } = row;
    expect(await log.openRow({ eventId })).toEqual(asRow(row));
    expect(await log.openRow({ eventId, executionId })).toEqual(asRow(row));
    expect(await log.openRow({ eventId, executionId: timer.executionId })).toBeUndefined();
    expect(await log.openRow({ commandId: row.commandId })).toEqual(asRow(row));
    expect(await log.openRow({ commandId: timer.commandId })).toBeUndefined();
    expect(await log.openRow({ eventId: "1" as EventId })).toBeUndefined();
    await settle(log, [asRow(row)]);
    expect(await log.openRow({ eventId })).toBeUndefined();
  });
}

function claims(world: World): void {
  test("a claim leases ready rows with their payload, each to one worker", async () => {
    const { log } = world();
    const payload = { text: "nul \0 😀", list: [1, 2.5, null, true], nested: { b: 1, a: 2 } };
    const issued = await issue(log, ["one", "two"], { payload });
    const [one, two] = issued.map((row) => asRow(row, "w"));
    expect(await claim(log, 1)).toEqual(one === undefined ? [] : [one]);
    expect(await claim(log, 5)).toEqual(two === undefined ? [] : [two]);
    expect(await claim(log, 5)).toEqual([]);
  });

  test("a claim takes the oldest first, also across its pools", async () => {
    const { log } = world();
    const first = await issue(log, ["i10", "i2"], { pool: "a" });
    await world().advance(10);
    const second = await issue(log, ["x"], { pool: "b" });
    await world().advance(10);
    const third = await issue(log, ["y"], { pool: "a" });
    await issue(log, ["z"], { pool: "c" });
    const pools = ["b", "a", "b"];
    expect(idsOf(await claim(log, 3, { pools }))).toEqual(idsOf([...first, ...second]));
    expect(idsOf(await claim(log, 3, { pools }))).toEqual(idsOf(third));
  });

  test("a claim for nothing, from nowhere, or of no pool gets nothing", async () => {
    const { log } = world();
    await issue(log, ["one"]);
    expect(await claim(log, 0)).toEqual([]);
    expect(await claim(log, 5, { pools: [] })).toEqual([]);
    expect(await claim(log, 5, { pools: ["other"] })).toEqual([]);
    expect(await claim(log, 5)).toHaveLength(1);
  });

  test("a row isn't claimed before it is due, and then by its due time", async () => {
    const { log, advance } = world();
    const dueInMs = 60_000;
    const later = await issue(log, ["later"], { dueInMs });
    expect(await claim(log, 5)).toEqual([]);
    await advance(60_001);
    const younger = await issue(log, ["younger"]);
    expect(idsOf(await claim(log, 5))).toEqual(idsOf([...later, ...younger]));
  });

  test("only tool rows are claimed", async () => {
    const { log } = world();
    for (const kind of ["timer", "child.start", "child.done", "child.cancel"] as const) {
      await issue(log, ["other"], { kind });
    }
    expect(await claim(log, 5)).toEqual([]);
  });

  test("parallel claims never share a row and leave none", async () => {
    const { log } = world();
    const steps = Array.from({ length: 100 }, (_, n) => `s${n}`);
    const issued = await issue(log, steps);
    const claimed = await Promise.all(steps.map((step) => claim(log, 2, { worker: step })));
    const ids = claimed.flatMap(idsOf);
    expect(ids).toHaveLength(100);
    expect(new Set(ids)).toEqual(new Set(idsOf(issued)));
  });

  test("ids are exact, whatever a step is called", async () => {
    const { log } = world();
    const steps = ["a b", "ä:ö", `q"'\\`, "{1,2}", "%s", "😀", "A", "a"];
    const issued = await issue(log, steps);
    const claimed = await claim(log, 100);
    expect(idsOf(claimed)).toEqual(idsOf(issued));
    const verdicts = await log.renew("w", leasesOf(claimed), leaseMs);
    expect(verdicts).toEqual(steps.map(() => "renewed"));
  });

  test("the backlog counts what can be claimed and what is leased, by pool", async () => {
    const { log } = world();
    await issue(log, ["1", "2", "3"], { pool: "b" });
    await issue(log, ["4"], { pool: "a" });
    await issue(log, ["5"], { pool: "a", dueInMs: 60_000 });
    await issue(log, ["6"], { pool: "a", kind: "timer" });
    await claim(log, 2, { pools: ["b"] });
    expect(await log.backlog()).toEqual([
      { pool: "a", ready: 1, leased: 0 },
      { pool: "b", ready: 1, leased: 2 },
    ]);
  });
}

function leases(world: World): void {
  test("a row born leased belongs to its worker at once", async () => {
    const { log, advance } = world();
    const issued = await issue(log, ["own"], { lease: { worker: "w", leaseMs: 3_000 } });
    expect(await claim(log, 5)).toEqual([]);
    const refs = issued.map(({ commandId }) => ({ commandId, attempt: 1 }));
    expect(await log.renew("other", refs, leaseMs)).toEqual(["lost"]);
    for (const ref of refs) {
      expect(await log.holds("other", ref, leaseMs)).toBe(false);
      expect(await log.holds("w", { ...ref, attempt: ref.attempt + 1 }, leaseMs)).toBe(false);
    }
    await advance(2_000);
    expect(await log.renew("w", refs, leaseMs)).toEqual(["renewed"]);
    await advance(leaseMs - 1_000);
    expect(await expire(log, 5, 1_000)).toEqual([]);
    await advance(1_001);
    expect(await expire(log, 5, 1_000)).toEqual(issued.map((row) => asRow(row, "w")));
  });

  test("a renewal extends what is held at that attempt, and says of the rest what it is", async () => {
    const { log } = world();
    await issue(log, ["mine", "theirs", "ready"]);
    const [mine, theirs] = [await claim(log, 1), await claim(log, 1, { worker: "v" })];
    const ready = await claim(log, 1);
    await log.release("w", leasesOf(ready));
    const settled = (await issue(log, ["settled"], { pool: "p" })).map((row) => asRow(row));
    await claim(log, 1, { pools: ["p"] });
    await settle(log, settled);
    const wrongAttempt = leasesOf(mine).map((lease) => ({ ...lease, attempt: 2 }));
    const asked = [mine, theirs, ready, settled].flatMap(leasesOf);
    const verdicts = ["renewed", "lost", "lost", "gone", "lost"] as const;
    expect(await log.renew("w", [...asked, ...wrongAttempt], leaseMs)).toEqual([...verdicts]);
    expect(await log.renew("w", [], leaseMs)).toEqual([]);
  });

  test("who asks whether a lease is held has spoken of a hand-over, and extends nothing else", async () => {
    const { log, advance } = world();
    const [row] = await issue(log, ["own"], { lease: { worker: "w", leaseMs: 3_000 } });
    const ref = { commandId: row?.commandId ?? ("" as never), attempt: 1 };
    expect(await log.holds("w", ref, leaseMs)).toBe(true);
    await advance(leaseMs - 1_000);
    expect(await expire(log, 5, 1_000)).toEqual([]);
    expect(await log.holds("w", ref, leaseMs)).toBe(true);
    await advance(1_001);
    expect(await expire(log, 5, 1_000)).toHaveLength(1);
    expect(await log.holds("w", ref, leaseMs)).toBe(false);
  });

  test("a renewed lease runs from the renewal on, and never shorter than it was", async () => {
    const { log, advance } = world();
    await issue(log, ["one"]);
    const held = leasesOf(await claim(log, 1));
    await advance(9_000);
    expect(await log.renew("w", held, leaseMs)).toEqual(["renewed"]);
    expect(await log.renew("w", held, 1)).toEqual(["renewed"]);
    await advance(9_000);
    expect(await expire(log, 5, 0)).toEqual([]);
    await advance(1_001);
    expect(await expire(log, 5, 0)).toHaveLength(1);
  });

  test("a lease that has run out but isn't marked can still be renewed", async () => {
    const { log, advance } = world();
    await issue(log, ["one"]);
    const held = leasesOf(await claim(log, 1));
    await advance(60_000);
    expect(await log.renew("w", held, leaseMs)).toEqual(["renewed"]);
    expect(await expire(log, 5, 0)).toEqual([]);
  });

  test("a release makes rows ready again at once, in their place, at their attempt", async () => {
    const { log, advance } = world();
    const [first] = await issue(log, ["first"]);
    await advance(10);
    const [second] = await issue(log, ["second"]);
    const held = leasesOf(await claim(log, 1));
    await log.release("other", held);
    await log.release(
      "w",
      held.map((lease) => ({ ...lease, attempt: 2 })),
    );
    await log.release("w", []);
    expect(await log.renew("w", held, leaseMs)).toEqual(["renewed"]);
    await log.release("w", held);
    expect(await log.renew("w", held, leaseMs)).toEqual(["lost"]);
    const again = await claim(log, 5, { worker: "v" });
    expect(again).toEqual([first, second].flatMap((row) => (row ? [asRow(row, "v")] : [])));
  });
}
