// Sub-playbooks: started and told of by the sweep, through rows that outlive any process.

import { expect, test } from "bun:test";
import { Fault } from "#core/model/fault";
import { executionId } from "#core/model/ids";
import type { EventLog } from "#core/ports/event-log";
import { eventually, onBothStores, type World } from "#tests/support/control";
import { done, failed, type HandWorker, handWorker, only } from "#tests/support/hand-worker";
import { chain, impatient, parent, parentLoop } from "./playbooks.ts";

const next = (worker: HandWorker) =>
  eventually(async () => {
    const commands = await worker.claim();
    return commands.length > 0 ? only(commands) : undefined;
  });

const echo = "kind: noop, message: '{{ who }}'";

const told = async (world: World, id: Parameters<World["events"]>[0]) =>
  (await world.events(id)).filter(({ type }) => type === "child.done" || type === "call.done");

onBothStores((shelf) => {
  test("a child gets its input, and its result is that of the step", async () => {
    const world = shelf().open();
    await world.register(chain("t/leaf", 1, echo));
    await world.register(parent("t/top", "t/leaf"));
    const id = await world.start("t/top", { who: "Ada" });
    const worker = handWorker(world.client);
    const inChild = await next(worker);
    expect(inChild.tasks[0]?.config).toMatchObject({ message: "Ada" });
    await worker.settle([done(inChild, { greeted: "Ada" })]);
    const after = await next(worker);
    expect(after).toMatchObject({ execution_id: id, step: "after" });
    expect(after.tasks[0]?.config).toMatchObject({ message: { greeted: "Ada" } });
    const child = await world.client.getExecution({ params: { id: inChild.execution_id } });
    expect(child).toMatchObject({ status: "COMPLETED", parent_execution_id: id });
  });

  test("a child that nobody waits for lets the parent go on, and end before it", async () => {
    const world = shelf().open();
    await world.register(chain("t/leaf", 1));
    await world.register(parent("t/top", "t/leaf", false));
    const id = await world.start("t/top");
    const worker = handWorker(world.client);
    const commands = await eventually(async () => {
      const claimed = [...(await worker.claim())];
      return claimed.some(({ step }) => step === "after") ? claimed : undefined;
    });
    await worker.settle(commands.map((command) => done(command)));
    expect(await world.ended(id)).toBe("completed");
    const children = await eventually(async () => {
      const list = await world.client.listExecutions({ query: { parent_execution_id: id } });
      return list.length > 0 ? list : undefined;
    });
    await worker.drain();
    expect(await world.ended(executionId(only(children).execution_id))).toBe("completed");
    expect((await told(world, id)).map(({ type }) => type)).not.toContain("child.done");
  });

  test("a child that fails fails its step, and the parent's error says which and why", async () => {
    const world = shelf().open();
    await world.register(chain("t/leaf", 1));
    await world.register(parent("t/top", "t/leaf"));
    const id = await world.start("t/top");
    const worker = handWorker(world.client);
    await worker.settle([failed(await next(worker), "the well is dry")]);
    expect(await world.ended(id)).toBe("failed");
    const { error } = await world.client.getExecution({ params: { id } });
    expect(error).toContain("t/leaf");
    expect(error).toContain("the well is dry");
  });

  test("a child that is not in the catalog fails its step at once", async () => {
    const world = shelf().open();
    await world.register(parent("t/top", "t/nowhere"));
    const id = await world.start("t/top");
    expect(await world.ended(id)).toBe("failed");
    expect((await world.client.getExecution({ params: { id } })).error).toContain("t/nowhere");
  });

  test("children of a loop run side by side, and their results keep the order of the items", async () => {
    const world = shelf().open();
    await world.register(chain("t/leaf", 1, echo));
    await world.register(parentLoop("t/top", "t/leaf"));
    const items = Array.from({ length: 20 }, (_, index) => `item ${index}`);
    await world.start("t/top", { items });
    const worker = handWorker(world.client);
    const commands = await eventually(async () => {
      const { length } = await world.client.listExecutions({ query: { path: "t/leaf" } });
      return length === 20 ? await worker.claim(64) : undefined;
    });
    expect(commands).toHaveLength(20);
    const outcomes = commands.map((command) => done(command, command.tasks[0]?.config["message"]));
    await worker.settle(outcomes.reverse());
    expect((await next(worker)).tasks[0]?.config).toMatchObject({ message: items });
  });

  test("three levels hand the innermost result all the way up", async () => {
    const world = shelf().open();
    await world.register(chain("t/leaf", 1, echo));
    await world.register(parent("t/middle", "t/leaf"));
    await world.register(parent("t/top", "t/middle"));
    const id = await world.start("t/top", { who: "Ada" });
    const worker = handWorker(world.client);
    await worker.settle([done(await next(worker), "deep")]);
    const middle = await next(worker);
    expect(middle).toMatchObject({ path: "t/middle", step: "after" });
    await worker.settle([done(middle, "higher")]);
    const top = await next(worker);
    expect(top.tasks[0]?.config).toMatchObject({ message: "higher" });
    await worker.settle([done(top)]);
    expect(await world.ended(id)).toBe("completed");
  });

  const asked = (fields: string): string =>
    parent("t/top", "t/leaf").replace("return_result: true", fields);

  test("a parent that asks for the status gets it with the result", async () => {
    const world = shelf().open();
    await world.register(chain("t/leaf", 2, echo));
    await world.register(asked("return_step: end"));
    await world.start("t/top", { who: "Ada" });
    const worker = handWorker(world.client);
    await worker.settle([done(await next(worker))]);
    await worker.settle([done(await next(worker), { greeted: "Ada" })]);
    expect((await next(worker)).tasks[0]?.config).toMatchObject({
      message: {
        ...{ greeted: "Ada", status: "COMPLETED", path: "t/leaf", current_step: "s2" },
        progress: { total_steps: 2, completed_steps: 2, running_steps: 0, failed_steps: 0 },
        result: { greeted: "Ada" },
      },
    });
  });

  test("a parent that asks for a step of its child gets that step's output", async () => {
    const world = shelf().open();
    await world.register(chain("t/leaf", 2));
    await world.register(asked("return_result: true, result_step: s1"));
    await world.start("t/top");
    const worker = handWorker(world.client);
    await worker.settle([done(await next(worker), "of the first")]);
    await worker.settle([done(await next(worker), "of the last")]);
    expect((await next(worker)).tasks[0]?.config).toMatchObject({ message: "of the first" });
  });

  test("a child that is not waited for any longer goes on, and its end changes nothing", async () => {
    const { clock } = shelf();
    const world = shelf().open({ clock });
    await world.register(chain("t/leaf", 1));
    await world.register(impatient("t/top", "t/leaf", 5));
    const id = await world.start("t/top");
    const worker = handWorker(world.client);
    const inChild = await next(worker);
    await clock.advance(6_000);
    await shelf().sql?.query(
      "update noetl.command set due_at = now(), held_until = now() where kind = 'timer'",
    );
    await world.control.sweep.sweepOnce();
    const rescue = await next(worker);
    expect([rescue.step, rescue.tasks[0]?.config["message"]]).toEqual(["rescue", "RUNNING"]);
    await worker.settle([done(inChild), done(rescue)]);
    expect(await world.ended(executionId(inChild.execution_id))).toBe("completed");
    expect(await world.ended(id)).toBe("completed");
    await world.control.sweep.sweepOnce();
    expect((await told(world, id)).map(({ type }) => type)).not.toContain("child.done");
    expect(await world.problems(id)).toEqual([]);
  });

  const accidents: readonly (readonly [
    string,
    (log: EventLog, once: () => boolean) => EventLog,
  ])[] = [
    [
      "the row was acted on, but not removed",
      (log, once) => ({
        ...log,
        done: async (ids) => {
          if (ids.length > 0 && once()) throw new Fault("unavailable", "away");
          return log.done(ids);
        },
      }),
    ],
    [
      "the row was taken by a process that died",
      (log, once) => ({
        ...log,
        due: async (limit, holdMs) => {
          const rows = await log.due(limit, holdMs);
          const dies = rows.some(({ kind }) => kind === "child.done") && once();
          return dies ? [] : rows;
        },
      }),
    ],
  ];
  for (const [what, accident] of accidents) {
    test(`a parent learns of its child's end exactly once, though ${what}`, async () => {
      let happened = 0;
      const once = (): boolean => ++happened === 1;
      const { clock } = shelf();
      const world = shelf().open({ clock, wrap: ({ log }) => ({ log: accident(log, once) }) });
      await world.register(chain("t/leaf", 1));
      await world.register(parent("t/top", "t/leaf"));
      const id = await world.start("t/top");
      const worker = handWorker(world.client);
      await worker.settle([done(await next(worker), 42)]);
      await eventually(async () => (happened > 0 ? true : undefined));
      // Rows that a sweep held are offered again.
      await clock.advance(30_000);
      await shelf().sql?.query("update noetl.command set held_until = now()");
      const after = handWorker(world.another({ clock }).client);
      const command = await next(after);
      expect(command.tasks[0]?.config).toMatchObject({ message: 42 });
      await after.settle([done(command)]);
      expect(await world.ended(id)).toBe("completed");
      expect((await told(world, id)).map(({ type }) => type)).toEqual([
        "child.done",
        "call.done",
        "call.done",
      ]);
      expect(await world.problems(id)).toEqual([]);
    });
  }
});
