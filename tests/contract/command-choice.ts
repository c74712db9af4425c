// The contract of command rows, third part: which of the waiting rows a claim is given.
import { expect, test } from "bun:test";
import type { EventLog } from "#core/ports/event-log";
import type { EventLogWorld } from "./event-log.ts";
import { asRow, claim, expire, issue, leaseMs, leasesOf, settle, terms } from "./rows.ts";
import { continueWith, idsOf } from "./transitions.ts";

type World = () => EventLogWorld;

/** Priorities, tenants, labels and suspects. */
export function choiceContract(world: World): void {
  order(world);
  suspects(world);
  looks(world);
}

const stepsOf = (rows: readonly { readonly payload: unknown }[]): readonly string[] =>
  rows.map(({ payload }) => (payload as { step: string }).step);

const of = (tenant: string, priority = 0) => ({ terms: terms({ tenant, priority }) });

function order(world: World): void {
  test("a row comes back with the terms it was issued with", async () => {
    const { log } = world();
    const full = {
      priority: -3,
      tenant: "acme",
      playbook: "demo/ä 😀",
      tool: "python",
      labels: ["gpu", "a b"],
    };
    const [issued] = await issue(log, ["one"], { terms: full });
    const claimed = await claim(log, 1, { labels: ["a b", "gpu", "more"] });
    expect(claimed).toEqual(issued === undefined ? [] : [asRow(issued, "w")]);
  });

  test("the highest priority goes first, also across pools, and of one priority the oldest", async () => {
    const { log, advance } = world();
    await issue(log, ["low"], of("default", -5));
    await issue(log, ["plain"]);
    await advance(10);
    await issue(log, ["high"], { ...of("default", 9), pool: "other" });
    await advance(10);
    await issue(log, ["also high"], of("default", 9));
    const pools = ["default", "other"];
    const claimed = [...(await claim(log, 2, { pools })), ...(await claim(log, 9, { pools }))];
    expect(stepsOf(claimed)).toEqual(["high", "also high", "plain", "low"]);
  });

  test("tenants of one priority take turns, however much one of them has waiting", async () => {
    const { log, advance } = world();
    await issue(log, ["a1", "a2", "a3", "a4", "a5", "a6"], of("a"));
    await advance(10);
    await issue(log, ["b1", "b2"], of("b"));
    await issue(log, ["c1"], of("c"));
    expect(stepsOf(await claim(log, 6)).toSorted()).toEqual(["a1", "a2", "a3", "b1", "b2", "c1"]);
    expect(stepsOf(await claim(log, 6))).toEqual(["a4", "a5", "a6"]);
  });

  test("a higher priority of one tenant goes before the turn of the others", async () => {
    const { log } = world();
    await issue(log, ["a1", "a2", "a3"], of("a", 5));
    await issue(log, ["b1", "b2"], of("b"));
    await issue(log, ["a4"], of("a"));
    expect(stepsOf(await claim(log, 2))).toEqual(["a1", "a2"]);
    expect(stepsOf(await claim(log, 3)).toSorted()).toEqual(["a3", "a4", "b1"]);
    expect(stepsOf(await claim(log, 3))).toEqual(["b2"]);
  });

  test("claims for one command at a time go from tenant to tenant", async () => {
    const { log } = world();
    await issue(log, ["a1", "a2", "a3"], of("a"));
    await issue(log, ["b1"], of("b"));
    await issue(log, ["c1", "c2"], of("c"));
    const steps: string[] = [];
    let afterTenant = "";
    for (let turn = 0; turn < 6; turn++) {
      const [row] = await claim(log, 1, { afterTenant });
      if (row === undefined) throw new Error(`nothing was claimed in turn ${turn}`);
      steps.push(...stepsOf([row]));
      afterTenant = row.terms.tenant;
    }
    expect(steps).toEqual(["a1", "b1", "c1", "a2", "c2", "a3"]);
  });

  test("parallel claims of several tenants' rows never share a row and leave none", async () => {
    const { log } = world();
    for (const tenant of ["a", "b", "c"]) {
      await issue(
        log,
        Array.from({ length: 20 }, (_, n) => `${tenant}${n}`),
        of(tenant),
      );
    }
    const rounds: string[] = [];
    while (rounds.length < 60) {
      const claims = Array.from({ length: 10 }, (_, n) => claim(log, 4, { worker: `w${n}` }));
      const got = (await Promise.all(claims)).flat();
      if (got.length === 0) break;
      rounds.push(...stepsOf(got));
    }
    expect(rounds).toHaveLength(60);
    expect(new Set(rounds).size).toBe(60);
  });

  test("a row that asks for labels is given to a worker that has them all, and blocks nobody", async () => {
    const { log } = world();
    await issue(log, ["gpu"], { terms: terms({ labels: ["gpu", "eu"] }) });
    await issue(log, ["any"]);
    expect(stepsOf(await claim(log, 5, { labels: ["gpu"] }))).toEqual(["any"]);
    expect(stepsOf(await claim(log, 5))).toEqual([]);
    expect(stepsOf(await claim(log, 5, { labels: ["eu", "x", "gpu"] }))).toEqual(["gpu"]);
  });
}

/** Issues rows, lets their worker die, and issues them again as suspects. */
async function suspected(world: World, steps: readonly string[], pool = "default") {
  const { log, advance } = world();
  const issued = await issue(log, steps, { pool });
  await claim(log, steps.length, { pools: [pool] });
  await advance(leaseMs + 1);
  await expire(log, steps.length, 60_000);
  for (const row of issued) {
    const again = { ...row, attempt: 2, suspect: true };
    await continueWith(log, row.executionId, { issued: [again] });
  }
  return issued;
}

const idle = { idle: true };

function suspects(world: World): void {
  test("a suspect is given to an idle worker alone, one at a time, before anything else", async () => {
    const { log } = world();
    const issued = await suspected(world, ["one", "two"]);
    await issue(log, ["plain"]);
    expect(stepsOf(await claim(log, 9))).toEqual(["plain"]);
    await issue(log, ["next"]);
    const first = await claim(log, 9, idle);
    expect(first).toMatchObject([{ suspect: true, attempt: 2, commandId: issued[0]?.commandId }]);
    expect(stepsOf(await claim(log, 9, idle))).toEqual(["two"]);
    expect(stepsOf(await claim(log, 9, idle))).toEqual(["next"]);
    expect(await claim(log, 9, idle)).toEqual([]);
  });

  test("a suspect is no other pool's, and none of a worker without its labels", async () => {
    const { log } = world();
    const terms = { labels: ["gpu"], priority: 0, tenant: "t", playbook: "", tool: "" };
    await issue(log, ["gpu"], { suspect: true, terms });
    expect(await claim(log, 1, { ...idle, pools: ["other"] })).toEqual([]);
    expect(await claim(log, 1, idle)).toEqual([]);
    expect(stepsOf(await claim(log, 1, { ...idle, labels: ["gpu"] }))).toEqual(["gpu"]);
  });

  test("a suspect that is given back stays one; one that expires says so; one issued plainly is none", async () => {
    const { log, advance } = world();
    const [issued] = await suspected(world, ["one"]);
    if (issued === undefined) throw new Error("nothing was issued");
    await log.release("w", leasesOf(await claim(log, 1, idle)));
    expect(await claim(log, 1)).toEqual([]);
    expect(await claim(log, 1, idle)).toHaveLength(1);
    await advance(leaseMs + 1);
    expect(await expire(log, 1, 0)).toMatchObject([{ suspect: true }]);
    await continueWith(log, issued.executionId, { issued: [{ ...issued, attempt: 3 }] });
    expect(await claim(log, 1)).toMatchObject([{ suspect: false, attempt: 3 }]);
  });

  test("one worker at a time is asked to run empty for a suspect that has waited, in its pool", async () => {
    const { log, advance } = world();
    await suspected(world, ["one", "two"], "p");
    const court = (pools: readonly string[], labels: readonly string[] = []) =>
      log.court({ pools, labels, waitedMs: 2_000, holdMs: 30_000 });
    expect(await court(["p"])).toBe(false);
    await advance(2_001);
    expect(await court(["other"])).toBe(false);
    expect(await court(["other", "p"])).toBe(true);
    expect(await court(["p"])).toBe(false);
    await advance(30_001);
    expect(await court(["p"])).toBe(true);
    await claim(log, 1, { ...idle, pools: ["p"] });
    await claim(log, 1, { ...idle, pools: ["p"] });
    await advance(30_001);
    expect(await court(["p"])).toBe(false);
  });
}

function looks(world: World): void {
  test("the queues say in which pools rows and suspects wait", async () => {
    const { log, advance } = world();
    expect(await log.queues()).toEqual([]);
    await issue(log, ["1"], { pool: "b" });
    await issue(log, ["2"], { pool: "a" });
    await issue(log, ["3"], { pool: "c", kind: "timer" });
    await suspected(world, ["4"], "d");
    await advance(5_000);
    const queues = await log.queues();
    expect(queues).toMatchObject([
      { pool: "a", waits: true },
      { pool: "b", waits: true },
      { pool: "d", waits: false },
    ]);
    expect(queues[0]).not.toHaveProperty("suspectWaitedMs");
    expect(queues[2]?.suspectWaitedMs).toBeWithin(5_000, 15_000);
    await claim(log, 5, { pools: ["a", "b"] });
    expect(await log.queues()).toMatchObject([{ pool: "d" }]);
  });

  test("the open rows of an execution say what each waits for", async () => {
    const { log, advance } = world();
    await issue(log, ["before"], of("z"));
    await issue(log, ["elsewhere"], { pool: "other" });
    await advance(100);
    const [row] = await issue(log, ["mine", "later"]);
    if (row === undefined) throw new Error("nothing was issued");
    const dueInMs = 60_000;
    const timer = { ...row, commandId: `${row.executionId}:t:1` as typeof row.commandId };
    await continueWith(log, row.executionId, { issued: [{ ...timer, kind: "timer", dueInMs }] });
    const open = await log.openRows(row.executionId, 10);
    expect(stepsOf(open.map((each) => each.row))).toEqual(["later", "mine", "mine"]);
    expect(open).toMatchObject([
      { status: "ready", ahead: 2, handed: false },
      { status: "ready", ahead: 1 },
      { status: "ready", row: { kind: "timer" } },
    ]);
    expect(open[2]?.dueInMs).toBeWithin(50_000, 60_001);
    await claim(log, 9);
    const [later] = await log.openRows(row.executionId, 1);
    expect(later).toMatchObject({ status: "leased", row: { worker: "w" }, ahead: 0 });
    expect(later?.leaseLeftMs).toBeWithin(leaseMs - 5_000, leaseMs + 1);
    await settleAll(log, row.executionId);
    expect(await log.openRows(row.executionId, 10)).toEqual([]);
    expect(await log.openRows("no id" as typeof row.executionId, 10)).toEqual([]);
  });
}

async function settleAll(log: EventLog, id: Parameters<EventLog["openRows"]>[0]): Promise<void> {
  const rows = await log.openRows(id, 100);
  await settle(
    log,
    rows.map(({ row }) => row),
  );
  expect(idsOf(rows.map(({ row }) => row))).toHaveLength(3);
}
