// Proves that a worker that is stopped finishes, reports or gives back all it has.

import { expect, test } from "bun:test";
import { memoryBus } from "#core/adapters/memory-bus";
import type { WorkerCommand } from "#core/model/command";
import { toolAbortGraceMs, workerTickMs } from "#core/model/limits";
import type { Bus } from "#core/ports/bus";
import { allCancelled } from "#core/wire/subjects";
import { settled, virtualClock } from "#tests/support/virtual-clock";
import { ok } from "#tests/worker/commands";
import { deaf, heldTool, instant, setting, work } from "#tests/worker/running-worker";
import { scriptedControl } from "#tests/worker/scripted-control";
import { startWorker } from "#worker/loop";
import { givenTools } from "#worker/registry";
import type { Tool } from "#worker/tools/tool";

test("a worker that was stopped listens to no bus any more", async () => {
  const open = new Set<string>();
  const opened = (name: string) => {
    open.add(name);
    return { wake: () => {}, close: () => void open.delete(name) };
  };
  const bus: Bus = { ...memoryBus(), subscribe: opened, hints: (pool) => opened(`pool ${pool}`) };
  const { worker, clock } = setting(instant, { bus, pools: ["default", "gpu"] });
  expect([...open]).toEqual(["pool default", "pool gpu", allCancelled]);
  const stopped = worker.stop({ graceMs: 0 });
  await clock.advance(0);
  await stopped;

  expect([...open]).toEqual([]);
});

test("a drain lets what runs finish, reports it, and takes nothing new", async () => {
  const tool = heldTool();
  const { control, clock, worker } = setting(tool, {}, [work("a"), work("b")]);
  control.next = () => work("next");
  await settled();
  const stopped = worker.stop({ graceMs: 10_000 });
  control.ready.push(work("c"));
  await clock.advance(2_000);
  tool.finish("a");
  tool.finish("b");
  await clock.advance(0);
  await stopped;

  expect(control.reported.length).toBe(2);
  expect(control.settles.every(({ want }) => want === 0)).toBe(true);
  expect(control.ready.length).toBe(1);
  expect(control.released).toEqual([]);
  expect(clock.sleeping()).toBe(0);
});

test("what does not finish within the grace is aborted and given back", async () => {
  const tool = heldTool();
  const { control, clock, worker } = setting(tool, {}, [work("a"), work("b")]);
  await settled();
  const stopped = worker.stop({ graceMs: 3_000 });
  await clock.advance(2_999);
  expect(tool.calls.map(({ signal }) => signal.aborted)).toEqual([false, false]);
  tool.finish("a");
  await clock.advance(1);
  await stopped;

  expect(control.released).toEqual([{ commandId: work("b").command_id, attempt: 1 }]);
  expect(control.reported.map(({ command_id: id }) => id)).toEqual([work("a").command_id]);
  expect(worker.running()).toBe(0);
});

test("a tool that ends well although it was told to stop is reported, not run again", async () => {
  const stubborn: Tool = {
    kind: "tool",
    run: async (_config, { signal }) => {
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      return ok("done after all");
    },
  };
  const { control, clock, worker } = setting(stubborn, {}, [work("a")]);
  await settled();
  const stopped = worker.stop({ graceMs: 1_000 });
  await clock.advance(1_000);
  await stopped;

  expect(control.reported[0]?.output.data).toBe("done after all");
  expect(control.released).toEqual([]);
});

test("a drain ends even when a tool hears nothing and the control plane is away", async () => {
  const { control, clock, worker } = setting(deaf, {}, [work("a")]);
  await settled();
  control.down = true;
  const stopped = worker.stop({ graceMs: 1_000 });
  await clock.advance(1_000 + toolAbortGraceMs * 2 + workerTickMs);
  await stopped;

  expect(clock.sleeping()).toBe(0);
});

test("leases go on being renewed during a drain", async () => {
  const tool = heldTool();
  const { control, clock, worker } = setting(tool, {}, [work("a")]);
  await settled();
  const stopped = worker.stop({ graceMs: 30_000 });
  await clock.advance(20_000);
  expect(control.renewals.length).toBeGreaterThanOrEqual(3);
  tool.finish("a");
  await clock.advance(0);
  await stopped;
});

test("commands that arrive after the stop are given back unused", async () => {
  const tool = heldTool();
  const clock = virtualClock();
  const control = scriptedControl();
  let answer: ((commands: readonly WorkerCommand[]) => void) | undefined;
  const worker = startWorker({
    control: {
      ...control,
      claim: () =>
        new Promise((resolve) => {
          answer = resolve;
        }),
    },
    clock,
    tools: givenTools([tool]),
    workerId: "worker-1",
    pools: ["default"],
    slots: 1,
    policy: { shell: false, fileRoots: [] },
  });
  await settled();
  const stopped = worker.stop({ graceMs: 1_000 });
  answer?.([work("a")]);
  await clock.advance(1_000);
  await stopped;

  expect(tool.calls.length).toBe(0);
  expect(control.released).toEqual([{ commandId: work("a").command_id, attempt: 1 }]);
});

test("stopping twice is stopping once", async () => {
  const { worker, clock } = setting(instant);
  const stopped = Promise.all([worker.stop({ graceMs: 0 }), worker.stop({ graceMs: 60_000 })]);
  await clock.advance(0);
  await stopped;

  expect(clock.sleeping()).toBe(0);
});
