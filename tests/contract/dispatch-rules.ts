// The contract of rules: what runs under one never exceeds it, and nothing that ended counts.
import { expect, test } from "bun:test";
import type { EventLog } from "#core/ports/event-log";
import type { EventLogWorld } from "./event-log.ts";
import { claim, expire, issue, leaseMs, leasesOf, settle, terms } from "./rows.ts";
import { command, continueWith, newExecution, transition } from "./transitions.ts";

type World = () => EventLogWorld;

export function ruleContract(world: World): void {
  maxima(world);
  changes(world);
  rates(world);
  appends(world);
}

const steps = (count: number) => Array.from({ length: count }, (_, n) => `s${n}`);
const under = { terms: terms({ playbook: "demo/p", tool: "python", tenant: "acme" }) };

const stateOf = async (log: EventLog, key: string) => (await log.rules([key]))[0];

function maxima(world: World): void {
  for (const key of ["playbook:demo/p", "tool:python", "tenant:acme", "pool:default"]) {
    test(`no more than the maximum of ${key} are leased, and what ends makes room`, async () => {
      const { log } = world();
      await log.putRule({ key, maxRunning: 2 });
      await issue(log, steps(5), under);
      const first = await claim(log, 5);
      expect(first).toHaveLength(2);
      expect(await claim(log, 5)).toEqual([]);
      await settle(log, first.slice(0, 1));
      expect(await claim(log, 5, { worker: "v" })).toHaveLength(1);
      expect(await claim(log, 5)).toEqual([]);
      const state = await stateOf(log, key);
      expect(state).toMatchObject({ rule: { key, maxRunning: 2 }, running: 2 });
      expect(new Set(state?.holders.map(({ worker }) => worker))).toEqual(new Set(["w", "v"]));
    });
  }

  test("what a rule holds back keeps nobody behind it from its turn", async () => {
    const { log } = world();
    await log.putRule({ key: "playbook:demo/p", maxRunning: 1 });
    await issue(log, steps(30), under);
    await issue(log, ["free"], { terms: terms({ tenant: "acme", playbook: "demo/q" }) });
    const claimed = await claim(log, 10);
    expect(claimed.map(({ terms: { playbook } }) => playbook).toSorted()).toEqual([
      "demo/p",
      "demo/q",
    ]);
  });

  test("a command under several rules takes a place of all of them or of none", async () => {
    const { log } = world();
    await log.putRule({ key: "playbook:demo/p", maxRunning: 3 });
    await log.putRule({ key: "tool:python", maxRunning: 1 });
    await issue(log, steps(3), under);
    const one = await claim(log, 3);
    expect(one).toHaveLength(1);
    expect(await stateOf(log, "playbook:demo/p")).toMatchObject({ running: 1 });
    await issue(log, ["x", "y", "z"], { terms: terms({ playbook: "demo/p", tool: "http" }) });
    expect(await claim(log, 9)).toHaveLength(2);
    expect(await stateOf(log, "playbook:demo/p")).toMatchObject({ running: 3 });
  });

  test("however a lease ends, its place is free: settled, given back, expired, cancelled", async () => {
    const { log, advance } = world();
    const key = "playbook:demo/p";
    await log.putRule({ key, maxRunning: 1 });
    const issued = await issue(log, steps(4), under);
    const [id] = issued.map(({ executionId }) => executionId);
    if (id === undefined) throw new Error("nothing was issued");
    await settle(log, await claim(log, 1));
    for (let round = 0; round < 3; round++) {
      const held = await claim(log, 4);
      expect(held).toHaveLength(1);
      await log.release("w", leasesOf(held));
    }
    const held = await claim(log, 4);
    await advance(leaseMs + 1);
    expect(await expire(log, 4, 60_000)).toHaveLength(1);
    const next = await claim(log, 4);
    expect(next).toHaveLength(1);
    const [again] = issued.filter(({ commandId }) => commandId === held[0]?.commandId);
    if (again === undefined) throw new Error("the row is missing");
    await continueWith(log, id, { issued: [{ ...again, attempt: 2 }] });
    expect(await claim(log, 4)).toEqual([]);
    await continueWith(log, id, { settled: issued.map(({ commandId }) => commandId) });
    expect(await stateOf(log, key)).toMatchObject({ running: 0, holders: [] });
    await issue(log, ["fresh"], under);
    expect(await claim(log, 4)).toHaveLength(1);
  });

  test("parallel claims never overshoot, whatever comes back meanwhile", async () => {
    const { log } = world();
    const key = "playbook:demo/p";
    await log.putRule({ key, maxRunning: 5 });
    await issue(log, steps(60), under);
    let done = 0;
    while (done < 60) {
      const claims = Array.from({ length: 8 }, (_, n) => claim(log, 3, { worker: `w${n}` }));
      const held = (await Promise.all(claims)).flat();
      const running = await stateOf(log, key);
      expect(held.length).toBeLessThanOrEqual(5);
      expect(running?.running).toBe(held.length);
      const [back, ...rest] = held;
      if (back?.worker !== undefined) await log.release(back.worker, leasesOf([back]));
      await settle(log, rest);
      done += rest.length;
      if (held.length === 1 && back !== undefined) {
        await settle(log, [back]);
        done += 1;
      }
      if (held.length === 0) break;
    }
    expect(done).toBe(60);
  });

  test("a suspect needs a place like any other row", async () => {
    const { log } = world();
    await log.putRule({ key: "tenant:acme", maxRunning: 1 });
    await issue(log, ["plain"], under);
    await issue(log, ["suspect"], { ...under, suspect: true });
    const plain = await claim(log, 1);
    expect(await claim(log, 1, { idle: true })).toEqual([]);
    await settle(log, plain);
    expect(await claim(log, 1, { idle: true })).toMatchObject([{ suspect: true }]);
  });
}

function changes(world: World): void {
  const key = "playbook:demo/p";

  test("a fresh rule counts what runs already", async () => {
    const { log } = world();
    await issue(log, steps(6), under);
    const before = await claim(log, 3);
    await log.putRule({ key, maxRunning: 4 });
    expect(await stateOf(log, key)).toMatchObject({ running: 3 });
    expect(await claim(log, 6)).toHaveLength(1);
    await settle(log, before);
    expect(await claim(log, 6)).toHaveLength(2);
  });

  test("a lower maximum lets nothing start before enough has ended", async () => {
    const { log } = world();
    await log.putRule({ key, maxRunning: 5 });
    await issue(log, steps(12), under);
    const held = await claim(log, 12);
    expect(held).toHaveLength(5);
    await log.putRule({ key, maxRunning: 2 });
    expect(await stateOf(log, key)).toMatchObject({ rule: { maxRunning: 2 }, running: 5 });
    for (const [place, row] of held.entries()) {
      await settle(log, [row]);
      const left = 4 - place;
      const started = await claim(log, 12);
      expect(started).toHaveLength(left >= 2 ? 0 : 1);
      expect((await stateOf(log, key))?.running).toBe(Math.max(left, 2));
    }
  });

  test("a higher maximum holds at once, none at all pauses, and without the rule all may run", async () => {
    const { log } = world();
    await log.putRule({ key, maxRunning: 1 });
    await issue(log, steps(9), under);
    expect(await claim(log, 9)).toHaveLength(1);
    await log.putRule({ key, maxRunning: 3 });
    expect(await claim(log, 9)).toHaveLength(2);
    await log.putRule({ key, maxRunning: 0 });
    expect(await claim(log, 9)).toEqual([]);
    expect(await log.deleteRule(key)).toBe(true);
    expect(await log.deleteRule(key)).toBe(false);
    expect(await claim(log, 9)).toHaveLength(6);
    expect(await log.rules()).toEqual([]);
  });

  test("rules are listed by key, all of them or those asked for", async () => {
    const { log } = world();
    await log.putRule({ key: "tool:http", perSecond: 2.5, burst: 10 });
    await log.putRule({ key: "pool:gpu", maxRunning: 4 });
    const rules = (await log.rules()).map(({ rule }) => rule);
    expect(rules).toEqual([
      { key: "pool:gpu", maxRunning: 4 },
      { key: "tool:http", perSecond: 2.5, burst: 10 },
    ]);
    expect(await log.rules(["tool:http", "tool:none"])).toHaveLength(1);
    expect(await log.rules([])).toEqual([]);
  });
}

function rates(world: World): void {
  const key = "tool:python";

  test("a rate lets a burst start, and then so many a second", async () => {
    const { log, advance } = world();
    await log.putRule({ key, perSecond: 0.5, burst: 3 });
    await issue(log, steps(20), under);
    expect(await claim(log, 20)).toHaveLength(3);
    expect(await claim(log, 20)).toEqual([]);
    const { nextStartMs } = (await stateOf(log, key)) ?? {};
    expect(nextStartMs).toBeWithin(1, 2_001);
    await advance(2_001);
    expect(await claim(log, 20)).toHaveLength(1);
    await advance(600_000);
    expect(await stateOf(log, key)).toMatchObject({ nextStartMs: 0 });
    expect(await claim(log, 20)).toHaveLength(3);
  });

  test("a rate and a maximum hold together, and what the maximum refuses costs no start", async () => {
    const { log } = world();
    await log.putRule({ key, perSecond: 0.001, burst: 4, maxRunning: 2 });
    await issue(log, steps(9), under);
    const first = await claim(log, 9);
    expect(first).toHaveLength(2);
    expect(await claim(log, 9)).toEqual([]);
    await settle(log, first);
    const second = await claim(log, 9);
    expect(second).toHaveLength(2);
    await settle(log, second);
    expect(await claim(log, 9)).toEqual([]);
  });
}

function appends(world: World): void {
  test("a row under a rule isn't handed over: with its neighbours it waits for a claim", async () => {
    const { log } = world();
    await log.putRule({ key: "playbook:demo/p", maxRunning: 1 });
    const lease = { worker: "w", leaseMs: 3_000 };
    const [ruled, free] = [newExecution(), newExecution()];
    const verdicts = await log.append([
      transition(ruled, {
        issued: [command(ruled, "one", { ...under, lease }), command(ruled, "two", { lease })],
      }),
      transition(free, { issued: [command(free, "three", { lease })] }),
    ]);
    expect(verdicts).toEqual(["withheld", "accepted"]);
    expect(await log.openRows(ruled, 5)).toMatchObject([{ status: "ready" }, { status: "ready" }]);
    expect(await log.openRows(free, 5)).toMatchObject([{ status: "leased", handed: true }]);
    expect(await claim(log, 5)).toHaveLength(2);
  });
}
