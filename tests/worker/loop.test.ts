// Proves how slots are filled and freed: claims, hints, hand-overs and batches.

import { expect, test } from "bun:test";
import { memoryBus } from "#core/adapters/memory-bus";
import { settleOutcomesMax, settlePartMin, workerTickMs } from "#core/model/limits";
import { pointer } from "#tests/support/pointers";
import { settled, virtualClock } from "#tests/support/virtual-clock";
import { ok } from "#tests/worker/commands";
import { heldTool, instant, setting, work } from "#tests/worker/running-worker";
import { scriptedControl } from "#tests/worker/scripted-control";
import { startWorker } from "#worker/loop";
import { givenTools } from "#worker/registry";
import type { Tool } from "#worker/tools/tool";

test("a worker claims at the start, as much as it has slots for", async () => {
  const { control, worker } = setting(heldTool(), {}, [work("a"), work("b"), work("c")]);
  await settled();

  const claim = { worker: "worker-1", pools: ["default"], want: 2, idle: true };
  expect(control.claims).toEqual([claim]);
  expect(worker.running()).toBe(2);
  expect(control.ready.length).toBe(1);
});

test("an idle worker looks once a second, and a busy one does not claim", async () => {
  const tool = heldTool();
  const { control, clock } = setting(tool);
  await clock.advance(workerTickMs * 3);
  expect(control.claims.length).toBe(4);
  control.ready.push(work("a"), work("b"));
  await clock.advance(workerTickMs);
  expect(tool.calls.length).toBe(2);
  await clock.advance(workerTickMs * 3);
  expect(control.claims.length).toBe(5);
});

test("a hint makes it look at once, one for another pool does not", async () => {
  const bus = memoryBus();
  const tool = heldTool();
  const { control } = setting(tool, { bus });
  await settled();
  control.ready.push(work("a"));
  bus.hint("gpu", pointer("a"));
  await settled();
  expect(tool.calls.length).toBe(0);
  bus.hint("default", pointer("a"));
  await settled();
  expect(tool.calls.length).toBe(1);
});

test("many hints at once make few claims", async () => {
  const bus = memoryBus();
  const { control } = setting(instant, { bus });
  await settled();
  for (let n = 0; n < 1_000; n++) bus.hint("default", pointer("a"));
  await settled();

  expect(control.claims.length).toBeLessThan(5);
});

test("the next command comes with the reply to the last one, without a claim", async () => {
  const { control, clock } = setting(instant, { slots: 1 }, [work("s0")]);
  let step = 0;
  let claimsBefore = 0;
  control.next = () => {
    claimsBefore = control.claims.length;
    return step < 50 ? work(`s${++step}`) : undefined;
  };
  while (control.reported.length < 51) await settled();

  expect(claimsBefore).toBe(1);
  expect(clock.nowMs()).toBe(virtualClock().nowMs());
});

test("a settle asks for its own slots and the free ones, and no slot is asked for twice", async () => {
  const tool = heldTool();
  const { control, clock } = setting(tool, { slots: 4 }, [work("a"), work("b"), work("c")]);
  control.settleMs = 100;
  await settled();
  tool.finish("a");
  await settled();
  tool.finish("b");
  await settled();
  expect(control.settles.map(({ want }) => want)).toEqual([2, 1]);
  await clock.advance(200);
  control.ready.push(work("d"), work("e"), work("f"), work("g"));
  await clock.advance(workerTickMs);

  expect(control.claims.at(-1)?.want).toBe(3);
});

test("what ends while two settles are under way goes together with the third", async () => {
  const ready = [..."abcdefgh"].map((step) => work(step));
  const tool = heldTool();
  const { control, clock, worker } = setting(tool, { slots: 8 }, ready);
  control.settleMs = 100;
  await settled();
  for (const step of "abcdefgh") {
    tool.finish(step);
    await settled();
  }
  expect(control.settles.map(({ outcomes }) => outcomes.length)).toEqual([1, 1]);
  await clock.advance(200);
  await settled();
  expect(control.settles.map(({ outcomes }) => outcomes.length)).toEqual([1, 1, 6]);
  await worker.idle();
});

test("a settle carries no more outcomes than its bound", async () => {
  const ready = Array.from({ length: settleOutcomesMax + 44 }, (_, n) => work(`s${n}`));
  const { control, worker } = setting(instant, { slots: 1_000 }, ready);
  await worker.idle();
  await settled();
  await worker.idle();

  expect(control.reported.length).toBe(settleOutcomesMax + 44);
  const sizes = control.settles.map(({ outcomes }) => outcomes.length);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(settleOutcomesMax);
});

test("a crowd of outcomes goes in parts, so that one is decided upon while another is stored", async () => {
  const crowd = settlePartMin + 10;
  const ready = Array.from({ length: crowd }, (_, n) => work(`s${n}`));
  const { control, worker } = setting(instant, { slots: 1_000 }, ready);
  await worker.idle();
  await settled();
  await worker.idle();

  expect(control.reported.length).toBe(crowd);
  expect(control.settles.slice(0, 2).map(({ outcomes }) => outcomes.length)).toEqual([
    crowd / 2,
    crowd / 2,
  ]);
});

test("claims go on at once while the pool gives as much as was asked for", async () => {
  const ready = Array.from({ length: 20 }, (_, n) => work(`s${n}`));
  const { control, clock } = setting(instant, {}, ready);
  while (control.reported.length < 20) await settled();

  expect(clock.nowMs()).toBe(virtualClock().nowMs());
});

test("a command that comes twice runs once, a newer attempt takes the place of the old", async () => {
  const tool = heldTool();
  const { control, clock, worker } = setting(tool, { slots: 3 }, [work("a"), work("a")]);
  await settled();
  expect(tool.calls.length).toBe(1);
  control.ready.push(work("a", { attempt: 2 }));
  await clock.advance(workerTickMs);
  expect(tool.calls.map(({ attempt }) => attempt)).toEqual([1, 2]);
  expect(tool.calls[0]?.signal.aborted).toBe(true);
  expect(tool.calls[1]?.signal.aborted).toBe(false);
  tool.finish("a");
  await worker.idle();
  expect(control.reported.map(({ attempt }) => attempt)).toEqual([2]);
});

test("a command whose outcome is on its way is not run again", async () => {
  const tool = heldTool();
  const { control } = setting(tool, {}, [work("a"), work("b")]);
  control.settleMs = 5_000;
  await settled();
  tool.finish("a");
  await settled();
  // The reply to another settle overtakes that one, and hands the same attempt over again.
  control.settleMs = 0;
  control.next = () => work("a");
  tool.finish("b");
  await settled();

  expect(control.reported.length).toBe(1);
  expect(tool.calls.map(({ step }) => step)).toEqual(["a", "b"]);
});

test("one claim is under way at a time", async () => {
  const bus = memoryBus();
  const clock = virtualClock();
  const control = scriptedControl();
  let open = 0;
  let openMax = 0;
  const worker = startWorker({
    control: {
      ...control,
      claim: async () => {
        open += 1;
        openMax = Math.max(openMax, open);
        await clock.sleep(3_500);
        open -= 1;
        return [];
      },
    },
    bus,
    clock,
    tools: givenTools([instant]),
    workerId: "worker-1",
    pools: ["default"],
    slots: 100_000,
    policy: { shell: false, fileRoots: [] },
  });
  await clock.advance(10_000);
  const stopped = worker.stop({ graceMs: 0 });
  await clock.advance(10_000);
  await stopped;

  expect(openMax).toBe(1);
});

test("a log hook that throws costs its own command only", async () => {
  const opening: Tool = {
    kind: "tool",
    run: async (_config, { step, resources }) => {
      const close = async (): Promise<void> => {
        if (step === "a") throw new Error("stuck");
      };
      await resources.use("thing", async () => ({ value: 1, close }));
      return ok(step);
    },
  };
  const notice = (): void => {
    throw new Error("no disk for logs");
  };
  const { control, worker } = setting(opening, { log: { notice } }, [work("a"), work("b")]);
  await settled();
  await worker.idle();

  const outputs = control.reported.map(({ output }) => output.data ?? output.error?.kind);
  expect(outputs.sort()).toEqual(["b", "tool"]);
});
