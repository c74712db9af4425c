// Why an execution waits: a code and a sentence for each thing that can hold a command up.

import { expect, test } from "bun:test";
import type { ExecutionId } from "#core/model/ids";
import { leaseMs } from "#core/model/limits";
import { onBothStores, onMemory, type World } from "#tests/support/control";
import { done, handWorker, only } from "#tests/support/hand-worker";
import { chain, parent } from "./playbooks.ts";

const why = (world: World, id: ExecutionId, step?: string) =>
  world.client.why({ params: { id }, query: step === undefined ? {} : { step } });

const codes = async (world: World, id: ExecutionId) =>
  (await why(world, id)).waiting.flatMap(({ holds }) => holds.map(({ code }) => code));

/** A worker that registers and never claims anything. */
const present = (world: World, name: string, labels: readonly string[] = []) =>
  world.stores.runtime.register(
    {
      ...{ kind: "worker_pool", name, pools: ["default"], labels, capacity: 1 },
      ...{ details: {}, offlineMs: 60_000 },
    },
    { running: 1, free: labels.length, waiting: 0 },
  );

onBothStores((shelf) => {
  test("rows before it, and nothing at all, are told of a command that waits", async () => {
    const world = shelf().open();
    await world.register(chain("t/one", 1));
    const first = await world.start("t/one");
    const second = await world.start("t/one");
    expect(await codes(world, first)).toEqual(["next"]);
    const { waiting, text } = await why(world, second);
    expect(waiting).toMatchObject([
      { step: "s1", attempt: 1, state: "ready", holds: [{ code: "ahead", details: { ahead: 1 } }] },
    ]);
    expect(text).toEqual(["t/one: running", "s1: 1 command stands before it in pool default"]);
    expect((await why(world, second, "nowhere")).waiting).toEqual([]);
  });

  test("the worker that has it, and for how long, is told of a command that runs", async () => {
    const world = shelf().open();
    await world.register(chain("t/two", 2));
    const id = await world.start("t/two");
    const worker = handWorker(world.client, "hand-1");
    const first = only(await worker.claim());
    const { holds } = only((await why(world, id)).waiting);
    expect(holds).toMatchObject([{ code: "leased", details: { worker: "hand-1" } }]);
    expect(holds[0]?.details?.["lease_left_ms"]).toBeWithin(leaseMs - 5_000, leaseMs + 1);
    await worker.settle([done(first)], 1);
    expect(await codes(world, id)).toEqual(["handed_over"]);
  });

  test("a full rule is told with who holds its places, and a rate with the next start", async () => {
    const world = shelf().open();
    await world.register(chain("t/one", 1));
    const rules = { "playbook:t/one": { max_running: 1 }, "tool:noop": { per_second: 0.01 } };
    for (const [key, body] of Object.entries(rules)) {
      await world.client.putRule({ params: { key }, body });
    }
    const first = await world.start("t/one");
    const id = await world.start("t/one");
    const held = only(await handWorker(world.client, "hand-1").claim());
    const { holds } = only((await why(world, id)).waiting);
    expect(holds).toMatchObject([
      {
        code: "rule_full",
        details: {
          ...{ key: "playbook:t/one", running: 1, max_running: 1 },
          holders: [{ execution_id: first, command_id: held.command_id, worker: "hand-1" }],
        },
      },
      { code: "rule_rate", details: { key: "tool:noop" } },
    ]);
    expect(holds[0]?.text).toContain("1 of 1 run");
  });

  test("the child is told of a step that waits for one, and the child says what it waits for", async () => {
    const world = shelf().open();
    await world.register(chain("t/child", 1));
    await world.register(parent("t/parent", "t/child"));
    const id = await world.start("t/parent");
    await world.control.sweep.sweepOnce();
    const { holds } = only((await why(world, id)).waiting);
    const child = holds[0]?.details?.["execution_id"] as ExecutionId;
    expect(holds).toMatchObject([{ code: "child", details: { path: "t/child" } }]);
    expect(await codes(world, child)).toEqual(["next"]);
  });

  test("an execution that has ended, or is in quarantine, says so", async () => {
    const world = shelf().open();
    await world.register(chain("t/one", 1));
    const id = await world.start("t/one");
    await world.stores.log.quarantine(id, "event 3 is odd");
    expect(await why(world, id)).toMatchObject({
      holds: [{ code: "quarantined", details: { reason: "event 3 is odd" } }],
    });
    const other = await world.start("t/one");
    await world.client.cancelExecution({ params: { id: other }, body: {} });
    expect((await why(world, other)).text).toEqual(["t/one: cancelled", "it has ended: cancelled"]);
  });

  test("a suspect says that it waits for a worker of its own", async () => {
    const world = shelf().open({ clock: shelf().clock });
    await world.register(chain("t/one", 1));
    const id = await world.start("t/one");
    only(await handWorker(world.client).claim());
    await shelf().passLeases(world);
    expect(await codes(world, id)).toEqual(["suspect"]);
    only(await handWorker(world.client).claimIdle());
    expect((await why(world, id)).text[1]).toContain("alone because");
  });
});

onMemory((shelf) => {
  test("workers are spoken of once any has registered: none, none with the labels, all busy", async () => {
    const world = shelf().open({ clock: shelf().clock });
    await world.register(`${chain("t/gpu", 1)}\n  spec: {pool: gpu}`);
    await world.register(`${chain("t/labels", 1)}\n  spec: {labels: [fast]}`);
    await world.register(chain("t/plain", 1));
    const ids: Record<string, ExecutionId> = {};
    for (const name of ["gpu", "labels", "plain"]) ids[name] = await world.start(`t/${name}`);
    const { gpu, labels, plain } = ids;
    if (gpu === undefined || labels === undefined || plain === undefined) throw new Error("none");
    expect(await codes(world, gpu)).toEqual(["next"]);
    await present(world, "w1");
    expect(await codes(world, gpu)).toEqual(["no_worker"]);
    expect(await codes(world, labels)).toEqual(["labels"]);
    expect(await codes(world, plain)).toEqual(["busy", "ahead"]);
    await present(world, "w2", ["fast"]);
    expect(await codes(world, labels)).toEqual(["next"]);
  });

  test("a wait for a time says how long it is", async () => {
    const world = shelf().open({ clock: shelf().clock });
    await world.register(chain("t/one", 1));
    const id = await world.start("t/one");
    const worker = handWorker(world.client);
    const command = only(await worker.claim());
    const yielded = { checkpoint: { version: 1 }, delay_ms: 60_000 };
    await worker.settle([{ ...done(command), yielded }]);
    await shelf().clock.advance(20_000);
    const { state, holds } = only((await why(world, id)).waiting);
    expect(state).toBe("timer");
    expect(holds).toEqual([
      { code: "timer", text: "its time comes in 40 s", details: { due_in_ms: 40_000 } },
    ]);
  });
});
