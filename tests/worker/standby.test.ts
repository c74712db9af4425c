// Proves how a worker stands by: with some of its free slots, only when there is nothing to claim,
// never in the way of work that is there, and so that nothing that comes is lost.

import { expect, test } from "bun:test";
import { memoryBus } from "#core/adapters/memory-bus";
import type { WorkerCommand } from "#core/model/command";
import { Fault } from "#core/model/fault";
import { standbySlotsMax, toolAbortGraceMs, workerTickMs } from "#core/model/limits";
import type { ClaimWork, StandbyAnswer } from "#core/ports/control-plane";
import { pointer } from "#tests/support/pointers";
import { settled, virtualClock } from "#tests/support/virtual-clock";
import { heldTool, instant, type Setting, setting, work } from "#tests/worker/running-worker";
import { retryDelayMs } from "#worker/retry-delay";

/** One request that stands by. */
interface Wait {
  readonly work: ClaimWork;
  readonly atMs: number;
  readonly signal: AbortSignal | undefined;
  answer(commands?: readonly WorkerCommand[]): void;
}

interface Script {
  readonly waits: Wait[];
  /** Requests that asked a wait to end. */
  readonly ends: ClaimWork[];
  /** A control plane that is slow to end a wait. */
  answersEnds: boolean;
  /** Answers at once instead of letting wait; may throw. */
  instead: (() => StandbyAnswer) | undefined;
}

/** Lets the worker stand by at its control plane, from its first turn on. */
function standingBy({ control, clock }: Setting): Script {
  const script: Script = { waits: [], ends: [], answersEnds: true, instead: undefined };
  control.standby = async (asked, signal) => {
    if (asked.want === 0) {
      script.ends.push(asked);
      if (script.answersEnds) for (const wait of script.waits) wait.answer();
      return { commands: [] };
    }
    const { promise, resolve, reject } = Promise.withResolvers<StandbyAnswer>();
    const answer = (commands: readonly WorkerCommand[] = []): void => resolve({ commands });
    script.waits.push({ work: asked, atMs: clock.nowMs(), signal, answer });
    if (script.instead !== undefined) return script.instead();
    signal?.addEventListener("abort", () => reject(new Fault("cancelled", "it was aborted")));
    return promise;
  };
  return script;
}

const wants = (asked: readonly ClaimWork[]): number[] => asked.map(({ want }) => want);
const steps = (tool: ReturnType<typeof heldTool>): string[] => tool.calls.map(({ step }) => step);

for (const [slots, kept] of [
  [1, 1],
  [2, 1],
  [8, 4],
  [2 * standbySlotsMax, standbySlotsMax],
  [100, standbySlotsMax],
] as const) {
  test(`of ${slots} free slots ${kept} stand by, and the others look for work`, async () => {
    const given = setting(instant, { slots, labels: ["gpu"] });
    const { waits, ends } = standingBy(given);
    await settled();
    const standing = { worker: "worker-1", pools: ["default"], labels: ["gpu"], want: kept };
    expect(waits.map(({ work }) => work)).toEqual([standing]);
    expect(wants(given.control.claims)).toEqual([slots]);
    if (slots === kept) return;
    await given.clock.advance(workerTickMs);
    expect(wants(given.control.claims)).toEqual([slots, slots - kept]);
    expect([waits.length, ends.length]).toEqual([1, 0]);
  });
}

test("slots that are taken do not stand by, and those that do are in no other request", async () => {
  const tool = heldTool();
  const given = setting(
    tool,
    { slots: 8 },
    [..."abcd"].map((step) => work(step)),
  );
  const { waits } = standingBy(given);
  await settled();
  expect(wants(waits.map((wait) => wait.work))).toEqual([2]);
  tool.finish("a");
  await settled();
  expect(wants(given.control.settles)).toEqual([3]);
});

test("a worker whose slots are all taken does not stand by", async () => {
  const tool = heldTool();
  const given = setting(tool, { slots: 2 }, [work("a"), work("b")]);
  const { waits } = standingBy(given);
  await given.clock.advance(workerTickMs * 3);
  expect(waits).toEqual([]);
  tool.finish("a");
  await settled();
  expect(wants(waits.map((wait) => wait.work))).toEqual([1]);
});

test("it stands by only when there is nothing left to claim, and no claim is under way", async () => {
  const ready = Array.from({ length: 20 }, (_, n) => work(`s${n}`));
  const given = setting(instant, { slots: 4 }, ready);
  const { control, clock } = given;
  const { waits } = standingBy(given);
  const claim = control.claim;
  control.claim = async (asked) => {
    await clock.sleep(100);
    return claim(asked);
  };
  while (control.reported.length < 20) {
    expect(waits).toEqual([]);
    await clock.advance(20);
  }
  await clock.advance(200);
  expect(waits).toHaveLength(1);
});

test("standing by does not make a worker busy", async () => {
  const given = setting(instant, { slots: 4 });
  const { waits } = standingBy(given);
  await settled();
  await given.worker.idle();
  expect([waits.length, given.worker.running()]).toEqual([1, 0]);
  expect(given.worker.load()).toEqual({ running: 0, free: 4, waiting: 0 });
  await given.clock.advance(workerTickMs);
  expect(given.control.claims.at(-1)).toMatchObject({ want: 2, idle: true });
});

test("what comes runs at once, and then it stands by with what is left", async () => {
  const tool = heldTool();
  const given = setting(tool, { slots: 8 });
  const { waits } = standingBy(given);
  await settled();
  waits[0]?.answer([work("a"), work("b"), work("c")]);
  await settled();
  expect(steps(tool)).toEqual(["a", "b", "c"]);
  expect(wants(waits.map((wait) => wait.work))).toEqual([4, 3]);
  expect(given.clock.nowMs()).toBe(virtualClock().nowMs());
  for (const step of "abc") tool.finish(step);
  await settled();
  expect(given.control.reported).toHaveLength(3);
});

test("a wait that ends with nothing is followed by a look, and by the next wait", async () => {
  const given = setting(instant, { slots: 4 });
  const { waits } = standingBy(given);
  await settled();
  expect(wants(given.control.claims)).toEqual([4]);
  waits[0]?.answer();
  await settled();
  expect(wants(given.control.claims)).toEqual([4, 4]);
  expect(waits).toHaveLength(2);
});

test("a hint is claimed with the slots that do not stand by, as long as there are some", async () => {
  const bus = memoryBus();
  const tool = heldTool();
  const given = setting(tool, { slots: 4, bus });
  const { waits, ends } = standingBy(given);
  await settled();
  given.control.ready.push(work("a"));
  bus.hint("default", pointer("a"));
  await settled();
  expect(steps(tool)).toEqual(["a"]);
  expect(wants(given.control.claims)).toEqual([4, 2]);
  expect([waits.length, ends.length]).toEqual([1, 0]);
});

test("a hint that finds no other room ends the wait, and all the slots claim", async () => {
  const bus = memoryBus();
  const tool = heldTool();
  const given = setting(tool, { slots: 1, bus });
  const { ends } = standingBy(given);
  await settled();
  given.control.ready.push(work("a"));
  bus.hint("default", pointer("a"));
  await settled();
  expect(ends).toEqual([{ worker: "worker-1", pools: ["default"], want: 0 }]);
  expect(wants(given.control.claims)).toEqual([1, 1]);
  expect(steps(tool)).toEqual(["a"]);
  // The next wait ends in the same way.
  tool.finish("a");
  await settled();
  given.control.ready.push(work("b"));
  bus.hint("default", pointer("b", 2));
  await settled();
  expect(ends).toHaveLength(2);
  expect(steps(tool)).toEqual(["a", "b"]);
  expect(given.clock.nowMs()).toBe(virtualClock().nowMs());
});

test("more work than the other slots hold fills those that stood by too, within the moment", async () => {
  const bus = memoryBus();
  const tool = heldTool();
  const given = setting(tool, { slots: 8, bus });
  const { ends } = standingBy(given);
  await settled();
  given.control.ready.push(...[..."abcdefghij"].map((step) => work(step)));
  bus.hint("default", pointer("a"));
  await settled();
  expect(steps(tool).join("")).toBe("abcdefgh");
  expect(wants(given.control.claims)).toEqual([8, 4, 4]);
  expect(ends).toHaveLength(1);
  expect(given.clock.nowMs()).toBe(virtualClock().nowMs());
});

test("one wait is asked to end once a second, however many hints there are", async () => {
  const bus = memoryBus();
  const given = setting(heldTool(), { slots: 1, bus });
  const script = standingBy(given);
  await settled();
  script.answersEnds = false;
  for (let n = 1; n <= 20; n++) {
    bus.hint("default", pointer("a", n));
    await settled();
  }
  expect([script.waits.length, script.ends.length]).toEqual([1, 1]);
  // The request to end it may have come too early: it is made again, once a second.
  await given.clock.advance(workerTickMs * 3);
  expect([script.waits.length, script.ends.length]).toEqual([1, 4]);
  // What came to it before it ended is run all the same, and the slot is not claimed for.
  script.waits[0]?.answer([work("b")]);
  await settled();
  expect(given.worker.running()).toBe(1);
  expect(wants(given.control.claims)).toEqual([1]);
});

test("a command that comes beside one that must be alone is given back", async () => {
  const tool = heldTool();
  const given = setting(tool, { slots: 4 });
  const script = standingBy(given);
  await settled();
  script.answersEnds = false;
  given.control.ready.push({ ...work("suspect"), alone: true });
  await given.clock.advance(workerTickMs);
  script.waits[0]?.answer([work("b")]);
  await settled();
  expect(steps(tool)).toEqual(["suspect"]);
  const { released } = given.control;
  expect(released).toEqual([{ commandId: work("b").command_id, attempt: 1 }]);
  // Nor does it stand by again meanwhile.
  await given.clock.advance(workerTickMs * 3);
  expect(script.waits).toHaveLength(1);
});

test("one that was told to come again later does so, and claims with all its slots meanwhile", async () => {
  const given = setting(instant, { slots: 4 });
  const script = standingBy(given);
  const againMs = workerTickMs * 20;
  script.instead = () => ({ commands: [], againMs });
  await given.clock.advance(againMs - 1);
  expect(script.waits).toHaveLength(1);
  expect(new Set(wants(given.control.claims))).toEqual(new Set([4]));
  await given.clock.advance(workerTickMs);
  expect(script.waits).toHaveLength(2);
});

test("one that is refused waits longer each time, and goes on claiming", async () => {
  const given = setting(instant, { slots: 4 });
  const script = standingBy(given);
  script.instead = () => {
    throw new Fault("unavailable", "nobody is there");
  };
  await given.clock.advance(workerTickMs * 30);
  const { waits } = script;
  expect(waits.length).toBeGreaterThan(5);
  for (const [index, { atMs }] of waits.slice(1).entries()) {
    const beforeMs = waits[index]?.atMs ?? 0;
    expect(atMs - beforeMs).toBeGreaterThanOrEqual(retryDelayMs(index + 1, () => 1));
  }
  expect(wants(given.control.claims)).toEqual(Array.from({ length: 31 }, () => 4));
  // The first success is the end of it: a wait that ends is followed by another at once.
  script.instead = undefined;
  const before = waits.length;
  await given.clock.advance(workerTickMs * 6);
  expect(waits).toHaveLength(before + 1);
  waits.at(-1)?.answer();
  await settled();
  expect(waits).toHaveLength(before + 2);
  // And the next refusal is the first of its row.
  script.instead = () => {
    throw new Fault("unavailable", "nobody is there");
  };
  waits.at(-1)?.answer();
  await given.clock.advance(workerTickMs);
  expect(waits.length).toBeGreaterThan(before + 3);
});

test("people are told of a refusal that does not pass by itself, and of no other", async () => {
  const notices: string[] = [];
  const notice = (message: string): void => void notices.push(message);
  const given = setting(instant, { slots: 4, log: { notice } });
  const script = standingBy(given);
  script.instead = () => {
    throw new Fault("unavailable", "nobody is there");
  };
  await given.clock.advance(workerTickMs * 3);
  expect(notices).toEqual([]);
  script.instead = () => {
    throw new Fault("invalid", "not a worker");
  };
  await given.clock.advance(workerTickMs * 5);
  expect(notices[0]).toBe("standing by was refused");
});

test("a stop ends the wait, and none follows while what runs is waited for", async () => {
  const tool = heldTool();
  const given = setting(tool, { slots: 4 }, [work("a")]);
  const { waits, ends } = standingBy(given);
  await settled();
  expect(waits).toHaveLength(1);
  const stopped = given.worker.stop({ graceMs: 10_000 });
  await settled();
  expect([waits.length, ends.length]).toEqual([1, 1]);
  await given.clock.advance(workerTickMs * 5);
  tool.finish("a");
  await given.clock.advance(workerTickMs);
  await stopped;
  expect([waits.length, ends.length]).toEqual([1, 1]);
  expect(given.clock.sleeping()).toBe(0);
});

test("a stop hangs up on a control plane that does not end the wait", async () => {
  const given = setting(instant, { slots: 4 });
  const script = standingBy(given);
  await settled();
  script.answersEnds = false;
  expect(script.waits[0]?.signal?.aborted).toBe(false);
  const stopped = given.worker.stop({ graceMs: 1_000 });
  await given.clock.advance(0);
  await stopped;
  expect(script.waits[0]?.signal?.aborted).toBe(true);
  await given.clock.advance(workerTickMs * 3);
  expect(script.waits).toHaveLength(1);
  expect(given.clock.sleeping()).toBe(0);
});

test("what comes although it was stopped is given back, before its end and after it", async () => {
  const tool = heldTool();
  const back = (step: string) => [{ commandId: work(step).command_id, attempt: 1 }];
  const draining = setting(tool, { slots: 4 }, [work("a")]);
  const during = standingBy(draining);
  await settled();
  during.answersEnds = false;
  const drained = draining.worker.stop({ graceMs: 10_000 });
  during.waits[0]?.answer([work("b")]);
  await settled();
  expect(draining.control.released).toEqual(back("b"));
  expect(during.waits).toHaveLength(1);
  tool.finish("a");
  await draining.clock.advance(toolAbortGraceMs);
  await drained;

  const late = setting(tool, { slots: 4 });
  const reply = Promise.withResolvers<StandbyAnswer>();
  late.control.standby = ({ want }) =>
    want === 0 ? Promise.resolve({ commands: [] }) : reply.promise;
  await settled();
  const stopped = late.worker.stop({ graceMs: 0 });
  await late.clock.advance(0);
  await stopped;
  reply.resolve({ commands: [work("c")] });
  await settled();
  expect(late.control.released).toEqual(back("c"));
  expect(steps(tool)).toEqual(["a"]);
});
