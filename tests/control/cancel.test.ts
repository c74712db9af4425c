// Cancellation: terminal at once, nothing left behind, children and their children included.

import { describe, expect, test } from "bun:test";
import { executionId } from "#core/model/ids";
import { allCancelled } from "#core/wire/subjects";
import { eventually, onBothStores, type World } from "#tests/support/control";
import { done, handWorker, only } from "#tests/support/hand-worker";
import { chain, parent, parentLoop } from "./playbooks.ts";

type Id = Parameters<World["ended"]>[0];

const cancel = (world: World, id: Id, body = {}) =>
  world.client.cancelExecution({ params: { id }, body });

async function childOf(world: World, id: Id): Promise<Id> {
  return eventually(async () => {
    const [child] = await world.client.listExecutions({ query: { parent_execution_id: id } });
    return child === undefined ? undefined : executionId(child.execution_id);
  });
}

const allEnded = async (world: World, ids: readonly Id[]) =>
  Promise.all(ids.map((id) => world.ended(id)));

onBothStores((shelf) => {
  test("a cancelled execution has ended when the answer comes, and keeps no command", async () => {
    const world = shelf().open();
    const heard: string[] = [];
    world.bus.subscribe(allCancelled, ({ subject }) => void heard.push(subject));
    await world.register(chain("t/one", 2));
    const id = await world.start("t/one");
    const command = only(await handWorker(world.client).claim());
    expect(await cancel(world, id, { reason: "enough" })).toMatchObject({
      status: "cancelled",
      execution_id: id,
      cancelled_executions: [id],
    });
    const status = await world.client.executionStatus({ params: { id } });
    expect(status).toMatchObject({ status: "CANCELLED", is_cancelled: true, completed: false });
    expect(await world.stores.log.backlog()).toEqual([]);
    const leases = [{ command_id: command.command_id, attempt: 1 }];
    expect(await world.client.renew({ body: { worker: "w1", leases } })).toEqual({
      verdicts: ["gone"],
    });
    expect((await handWorker(world.client).settle([done(command)])).verdicts).toEqual(["gone"]);
    await eventually(async () => heard[0]);
    expect(heard).toEqual([`noetl.cancelled.${id}`]);
    expect((await world.events(id)).at(-1)).toMatchObject({
      type: "playbook.cancelled",
      reason: "enough",
    });
    expect(await world.problems(id)).toEqual([]);
  });

  test("an execution that has ended stays as it ended", async () => {
    const world = shelf().open();
    await world.register(chain("t/one", 1));
    const id = await world.start("t/one");
    await handWorker(world.client).drain();
    expect(await cancel(world, id)).toMatchObject({ status: "already_completed" });
    expect(await world.ended(id)).toBe("completed");
    const other = await world.start("t/one");
    await cancel(world, other);
    expect(await cancel(world, other)).toMatchObject({ status: "already_completed" });
    expect(await world.problems(other)).toEqual([]);
  });

  test("children and grandchildren are cancelled too", async () => {
    const world = shelf().open();
    await world.register(chain("t/leaf", 1));
    await world.register(parent("t/middle", "t/leaf"));
    await world.register(parent("t/top", "t/middle"));
    const top = await world.start("t/top");
    const middle = await childOf(world, top);
    const leaf = await childOf(world, middle);
    const command = only(await handWorker(world.client).claim());
    expect(command.execution_id).toBe(leaf);
    await cancel(world, top);
    expect(await allEnded(world, [middle, leaf])).toEqual(["cancelled", "cancelled"]);
    expect((await handWorker(world.client).settle([done(command)])).verdicts).toEqual(["gone"]);
    expect((await world.client.getExecution({ params: { id: leaf } })).error).toContain(middle);
  });

  test("so are children that nobody waits for", async () => {
    const world = shelf().open();
    await world.register(chain("t/leaf", 1));
    await world.register(parent("t/top", "t/leaf", false));
    const top = await world.start("t/top");
    const child = await childOf(world, top);
    await cancel(world, top);
    expect(await world.ended(child)).toBe("cancelled");
  });

  test("children are left alone when the request says so", async () => {
    const world = shelf().open();
    await world.register(chain("t/leaf", 1));
    await world.register(parent("t/top", "t/leaf"));
    const top = await world.start("t/top");
    const child = await childOf(world, top);
    await cancel(world, top, { cascade: false });
    await world.control.sweep.sweepOnce();
    expect(await handWorker(world.client).drain()).toBe(1);
    expect(await world.ended(child)).toBe("completed");
    expect(await world.ended(top)).toBe("cancelled");
  });

  test("a child whose start was still on its way starts cancelled", async () => {
    // The first control plane's sweep never gets to see the row that starts the child.
    const deaf = shelf().open({
      wrap: ({ log }) => ({ log: { ...log, due: async () => [] } }),
    });
    await deaf.register(chain("t/leaf", 1));
    await deaf.register(parent("t/top", "t/leaf"));
    const top = await deaf.start("t/top");
    await cancel(deaf, top);
    const world = deaf.another();
    const child = await childOf(world, top);
    expect(await world.ended(child)).toBe("cancelled");
    expect(await handWorker(world.client).claim()).toEqual([]);
  });

  describe("a crowd of children", () => {
    test("is cancelled to the last one", async () => {
      const world = shelf().open();
      await world.register(chain("t/leaf", 1));
      await world.register(parentLoop("t/top", "t/leaf"));
      const top = await world.start("t/top", { items: Array.from({ length: 30 }, (_, i) => i) });
      const children = await eventually(async () => {
        const list = await world.client.listExecutions({ query: { parent_execution_id: top } });
        return list.length === 30
          ? list.map((child) => executionId(child.execution_id))
          : undefined;
      });
      await cancel(world, top);
      expect(new Set(await allEnded(world, children))).toEqual(new Set(["cancelled"]));
      expect(await world.stores.log.backlog()).toEqual([]);
    });
  });
});
