// Proves that a command which may have killed its last worker runs alone, and that a worker which
// is asked to run empty does so and then says that it holds nothing.

import { expect, test } from "bun:test";
import type { WorkerCommand } from "#core/model/command";
import { workerTickMs } from "#core/model/limits";
import type { Settle } from "#core/ports/control-plane";
import { settled } from "#tests/support/virtual-clock";
import { heldTool, setting, work } from "#tests/worker/running-worker";

const alone = (step: string): WorkerCommand => ({ ...work(step), alone: true });

test("beside a command that runs alone nothing is asked for; its report asks as an idle worker", async () => {
  const tool = heldTool();
  const { control, clock, worker } = setting(tool, { slots: 4 });
  control.ready.push(alone("suspect"));
  await clock.advance(workerTickMs);
  expect(worker.running()).toBe(1);
  const claims = control.claims.length;
  control.ready.push(work("a"), work("b"));
  await clock.advance(workerTickMs * 3);
  expect(control.claims.length).toBe(claims);
  tool.finish("suspect");
  await settled();
  expect(control.settles).toMatchObject([{ want: 4, idle: true }]);
  await clock.advance(workerTickMs);
  expect(worker.running()).toBe(2);
});

test("a worker that holds something doesn't say that it holds nothing", async () => {
  const tool = heldTool();
  const { control, clock } = setting(tool, { slots: 4 }, [work("a"), work("b")]);
  await settled();
  expect(control.claims[0]).toMatchObject({ idle: true });
  await clock.advance(workerTickMs);
  const { idle } = control.claims.at(-1) ?? {};
  expect(idle).toBeUndefined();
  tool.finish("a");
  await settled();
  expect(control.settles[0]?.idle).toBeUndefined();
  tool.finish("b");
  await settled();
  expect(control.settles[1]?.idle).toBe(true);
});

test("a command that must be alone is given back by a worker that isn't, and others beside it", async () => {
  const tool = heldTool();
  const { control, worker } = setting(tool, { slots: 4 }, [work("a"), alone("b")]);
  await settled();
  expect(worker.running()).toBe(1);
  expect(control.released.map(({ commandId }) => commandId)).toEqual([alone("b").command_id]);
  const other = setting(heldTool(), { slots: 4 }, [alone("c"), work("d")]);
  await settled();
  expect(other.worker.running()).toBe(1);
  expect(other.control.released.map(({ commandId }) => commandId)).toEqual([work("d").command_id]);
});

test("a worker that is asked to run empty takes nothing more until it is", async () => {
  const tool = heldTool();
  const { control, clock, worker } = setting(tool, { slots: 3 }, [work("a"), work("b")]);
  await settled();
  const settle = control.settle.bind(control);
  let isAsking = true;
  const asked = async (request: Settle) => {
    const reply = await settle(request);
    return isAsking ? { ...reply, quiesce: true } : reply;
  };
  Object.assign(control, { settle: asked });
  tool.finish("a");
  await settled();
  isAsking = false;
  control.ready.push(work("c"));
  const claims = control.claims.length;
  await clock.advance(workerTickMs * 3);
  expect(control.claims.length).toBe(claims);
  expect(worker.running()).toBe(1);
  tool.finish("b");
  await settled();
  expect(control.settles.at(-1)).toMatchObject({ want: 3, idle: true });
  await clock.advance(workerTickMs);
  expect(worker.running()).toBe(1);
  expect(tool.calls.at(-1)?.step).toBe("c");
});

test("labels are said with every claim and report", async () => {
  const tool = heldTool();
  const { control } = setting(tool, { labels: ["gpu", "eu"] }, [work("a")]);
  await settled();
  tool.finish("a");
  await settled();
  expect(control.claims[0]).toMatchObject({ labels: ["gpu", "eu"] });
  expect(control.settles[0]).toMatchObject({ labels: ["gpu", "eu"] });
});
