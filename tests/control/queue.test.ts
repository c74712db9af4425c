// The queue of older workers: jobs go into an execution and come out as leases, whose end goes into
// the log; what belongs to somebody else is refused.

import { describe, expect, test } from "bun:test";
import { verifyExecution } from "#control/services/verify";
import { Fault } from "#core/model/fault";
import type { ExecutionId } from "#core/model/ids";
import { leaseMs } from "#core/model/limits";
import { onBothStores, onMemory, type World } from "#tests/support/control";
import { handWorker, only } from "#tests/support/hand-worker";
import { chain } from "./playbooks.ts";

const path = "t/queue";

async function scene(world: World): Promise<ExecutionId> {
  await world.register(chain(path, 1));
  return world.start(path);
}

const enqueue = (world: World, id: ExecutionId, more: object = {}) =>
  world.client.enqueueJob({
    body: { execution_id: id, node_id: "fetch", action: { kind: "noop", result: 1 }, ...more },
  });

const codeOf = async (work: Promise<unknown>): Promise<string> => {
  try {
    await work;
    return "none";
  } catch (thrown) {
    return thrown instanceof Fault ? thrown.code : String(thrown);
  }
};

onBothStores((shelf) => {
  describe("a job", () => {
    test("is leased, extended and completed, and the execution ends after it", async () => {
      const world = shelf().open();
      const id = await scene(world);
      const { id: job } = await enqueue(world, id, { pool: "old", input_context: { who: "Ada" } });
      const leased = await world.client.leaseJob({
        body: { worker_id: "w1", pools: ["old"], lease_seconds: 600 },
      });
      expect(leased).toMatchObject({
        status: "ok",
        job: {
          id: job,
          execution_id: id,
          node_id: "fetch",
          action: { kind: "noop", result: 1 },
          input_context: { who: "Ada" },
          attempts: 1,
          worker_id: "w1",
        },
      });
      const asked = { worker_id: "w1", pools: ["old"] };
      expect(await world.client.leaseJob({ body: asked })).toEqual({ status: "empty" });
      await world.client.extendJob({ params: { id: job }, body: { worker_id: "w1" } });
      await handWorker(world.client, "w2").drain();
      expect((await world.stores.log.head(id))?.row.status).toBe("running");
      expect((await world.client.executionStatus({ params: { id } })).jobs).toEqual({
        asked: 1,
        open: [job],
      });
      const body = { worker_id: "w1", result: { rows: 3 } };
      const done = await world.client.completeJob({ params: { id: job }, body });
      expect(await world.client.completeJob({ params: { id: job }, body })).toEqual(done);
      expect(await world.ended(id)).toBe("completed");
      const settled = (await world.events(id)).find(({ event_id }) => event_id === done.event_id);
      expect(settled).toMatchObject({ type: "call.done", output: { data: { rows: 3 } } });
      expect(await world.problems(id)).toEqual([]);
    });

    test("may fail, which fails no step", async () => {
      const world = shelf().open();
      const id = await scene(world);
      const { id: job } = await enqueue(world, id);
      const worker = handWorker(world.client, "w1");
      const commands = await worker.claim();
      expect(commands.map(({ step }) => step).sort()).toEqual(["fetch", "s1"]);
      const failed = await world.client.failJob({
        params: { id: job },
        body: { error: { message: "no luck", kind: "http" } },
      });
      expect(failed.status).toBe("failed");
      expect((await world.stores.log.head(id))?.row.status).toBe("running");
      const event = (await world.events(id)).find(({ type }) => type === "call.error");
      expect(event).toMatchObject({ output: { error: { kind: "http", message: "no luck" } } });
    });

    test("of a worker that was lost goes to another one, as any command", async () => {
      const world = shelf().open();
      const id = await scene(world);
      const { id: job } = await enqueue(world, id, { pool: "old" });
      const body = { worker_id: "w1", pools: ["old"] };
      await world.client.leaseJob({ body });
      await shelf().passLeases(world);
      const again = await world.client.leaseJob({ body: { ...body, worker_id: "w2" } });
      expect(again.job).toMatchObject({
        id: job,
        attempts: 2,
        action: { kind: "noop", result: 1 },
      });
      expect(
        await codeOf(world.client.completeJob({ params: { id: job }, body: { worker_id: "w1" } })),
      ).toBe("conflict");
      const { context } = world.control.executions;
      expect((await verifyExecution(context, id)).problems).toEqual([]);
    });

    test("that is large is kept behind a reference, and given out whole", async () => {
      const world = shelf().open();
      const id = await scene(world);
      const code = "x".repeat(200_000);
      await enqueue(world, id, { pool: "old", action: JSON.stringify({ kind: "python", code }) });
      const { job } = await world.client.leaseJob({ body: { worker_id: "w1", pools: ["old"] } });
      expect(job?.action).toEqual({ kind: "python", code });
      const { context } = world.control.executions;
      expect((await verifyExecution(context, id)).problems).toEqual([]);
    });
  });

  test("a lease of the queue is as long as was asked for, and any command can be leased", async () => {
    const world = shelf().open();
    const id = await scene(world);
    const { job } = await world.client.leaseJob({
      body: { worker_id: "w1", lease_seconds: 3_600 },
    });
    expect(job).toMatchObject({ id: `${id}:s1:1`, node_id: "s1" });
    const open = only(await world.stores.log.openRows(id, 10));
    expect(open.leaseLeftMs).toBeGreaterThan(leaseMs * 2);
    const listed = await world.client.listJobs({ query: { execution_id: id } });
    expect(listed.items).toMatchObject([{ id: `${id}:s1:1`, status: "leased", worker_id: "w1" }]);
    expect(await world.client.queueSize()).toMatchObject({ queued: 0, leased: 1 });
  });
});

onMemory((shelf) => {
  test("the action comes as a map, as JSON text and in base64", async () => {
    const world = shelf().open();
    const id = await scene(world);
    const action = { kind: "noop", result: "é" };
    const text = JSON.stringify(action);
    const base64 = Buffer.from(text).toString("base64");
    for (const written of [action, text, base64]) {
      await enqueue(world, id, { action: written, pool: "old" });
      const { job } = await world.client.leaseJob({ body: { worker_id: "w1", pools: ["old"] } });
      expect(job?.action).toEqual(action);
    }
  });

  test("nothing in a job is rendered", async () => {
    const world = shelf().open();
    const id = await scene(world);
    const action = { kind: "noop", result: "{{ who }}" };
    await enqueue(world, id, { action, pool: "old" });
    const { job } = await world.client.leaseJob({ body: { worker_id: "w1", pools: ["old"] } });
    expect(job?.action).toEqual(action);
  });
});
