// Executions that are done over, from their beginning or from a step, and those that are ended by
// hand.

import { describe, expect, test } from "bun:test";
import { verifyExecution } from "#control/services/verify";
import { systemClock } from "#core/adapters/system-clock";
import { type ExecutionId, executionId } from "#core/model/ids";
import type { Json } from "#core/model/json";
import { onBothStores, type World } from "#tests/support/control";
import { handWorker } from "#tests/support/hand-worker";
import { chain, passing } from "./playbooks.ts";

const path = "t/reruns";

const playbook = `apiVersion: noetl.io/v2
kind: Playbook
metadata: {name: reruns, path: ${path}}
workload: {who: nobody, items: [1, 2, 3]}
workflow:
- step: first
  tool: {kind: noop, message: "{{ who }}"}
  set: {seen: "{{ first.n }}", kept: "{{ first.text }}"}
  next: {arcs: [{step: each}]}
- step: each
  loop: {in: "{{ items }}", iterator: item}
  tool: {kind: noop, message: "{{ item }}"}
  next: {arcs: [{step: last}]}
- step: last
  tool:
    kind: noop
    message: >-
      {{ who }} {{ seen }} {{ first.n }} {{ each.results | length }} {{ first.text | length }}
      {{ kept | length }}`;

const answers =
  (text = "") =>
  ({ step, tasks }: { step: string; tasks: readonly { config: object }[] }): Json =>
    step === "first" ? { n: 7, text } : { done: Object.values(tasks[0]?.config ?? {})[0] as Json };

async function finished(world: World, text?: string): Promise<ExecutionId> {
  await world.register(playbook);
  const id = await world.start(path, { who: "Ada" });
  await handWorker(world.client).drain(answers(text));
  expect(await world.ended(id)).toBe("completed");
  return id;
}

async function soundEnd(world: World, id: ExecutionId): Promise<void> {
  expect(await world.ended(id)).toBe("completed");
  expect((await verifyExecution(world.control.executions.context, id)).problems).toEqual([]);
}

/** What an execution did, without what differs from any other. */
async function storyOf(world: World, id: ExecutionId): Promise<readonly unknown[]> {
  return (await world.events(id)).map((event) => {
    const { execution_id: _, event_id: __, time: ___, ...rest } = event;
    const text = JSON.stringify(rest).replaceAll(id, "$id");
    return { ...(JSON.parse(text) as object), origin: null, resumed: null };
  });
}

onBothStores((shelf) => {
  describe("a rerun", () => {
    test("starts the same version with the workload that the first one had, and more", async () => {
      const world = shelf().open();
      const id = await finished(world);
      await world.register(chain(path, 1));
      const again = await world.client.rerunExecution({ params: { id }, body: {} });
      expect(again).toMatchObject({ status: "started", rerun_of: id, version: 1 });
      const [first] = await world.events(executionId(again.execution_id));
      expect(first).toMatchObject({ workload: { who: "Ada" }, origin: { rerun_of: id } });
      const newest = await world.client.rerunExecution({
        params: { id },
        body: { workload: { who: "Bo" }, version: "newest" },
      });
      const [started] = await world.events(executionId(newest.execution_id));
      expect(started).toMatchObject({ version: 2, workload: { who: "Bo", items: [1, 2, 3] } });
    });

    test("with a key is started once", async () => {
      const world = shelf().open();
      const id = await finished(world);
      const body = { dedup: { key: "again" } };
      const first = await world.client.rerunExecution({ params: { id }, body });
      const second = await world.client.rerunExecution({ params: { id }, body });
      expect(second).toMatchObject({ status: "duplicate", execution_id: first.execution_id });
    });

    test("from the first step does what a rerun does", async () => {
      const world = shelf().open();
      const id = await finished(world);
      const whole = await world.client.rerunExecution({ params: { id }, body: {} });
      await handWorker(world.client).drain(answers());
      const from = await world.client.rerunFrom({ params: { id, step: "first" }, body: {} });
      await handWorker(world.client).drain(answers());
      const ids = [executionId(whole.execution_id), executionId(from.execution_id)];
      for (const one of ids) await soundEnd(world, one);
      const [one, other] = await Promise.all(ids.map((each) => storyOf(world, each)));
      expect(other).toEqual(one as never);
    });

    for (const [size, text] of [
      ["small", "x"],
      ["large", "x".repeat(300_000)],
    ] as const) {
      test(`from a later step knows what was known before it, ${size} values too`, async () => {
        const world = shelf().open();
        const id = await finished(world, text);
        const from = await world.client.rerunFrom({
          params: { id, step: "last" },
          body: { workload: { who: "Bo" } },
        });
        const rerun = executionId(from.execution_id);
        expect(from.commands_generated).toBe(1);
        const worker = handWorker(world.client);
        const messages: unknown[] = [];
        await worker.drain((command) => {
          messages.push(command.tasks[0]?.config.message);
          return null;
        });
        expect(messages).toEqual([`Bo 7 7 3 ${text.length} ${text.length}`]);
        await soundEnd(world, rerun);
        const [first] = await world.events(rerun);
        expect(JSON.stringify(first).length).toBeLessThan(20_000);
        const replica = world.another();
        const status = await replica.client.executionStatus({ params: { id: rerun } });
        expect(status.completed_steps.sort()).toEqual(["each", "first", "last"]);
      });
    }

    test("from a step that runs over and over knows what was known the first time", async () => {
      const world = shelf().open();
      await world.register(passing(`${path}/passing`));
      const id = await world.start(`${path}/passing`, { who: "Ada" });
      await handWorker(world.client).drain(({ step }) => `${step} done`);
      const from = await world.client.rerunFrom({ params: { id, step: "second" }, body: {} });
      const [command] = await handWorker(world.client).claim();
      expect(command).toMatchObject({
        execution_id: from.execution_id,
        tasks: [{ config: { message: "first done" } }],
      });
    });
  });

  describe("an execution that is ended by hand", () => {
    test("has the end that was decided on, and says so", async () => {
      const world = shelf().open();
      await world.register(chain(path, 1));
      for (const [body, status] of [
        [{}, "completed"],
        [{ status: "COMPLETED", reason: "enough" }, "completed"],
        [{ status: "failed" }, "failed"],
        [{ error: { message: "broken" } }, "failed"],
      ] as const) {
        const id = await world.start(path);
        const told = await world.client.finalizeExecution({ params: { id }, body });
        expect([told.status, await world.ended(id)]).toEqual(["finalized", status]);
        const check = await world.client.cancellationCheck({ params: { id } });
        expect(check).toMatchObject({ cancelled: false, [status]: true });
        const again = await world.client.finalizeExecution({ params: { id }, body });
        expect(again.status).toBe("already_completed");
        expect(await world.problems(id)).toEqual([]);
      }
      expect(await handWorker(world.client).claim()).toEqual([]);
    });

    test("is one of those that ran for too long, and of the tenant", async () => {
      const world = shelf().open();
      await world.register(chain(path, 1));
      await world.client.registerCatalog({ body: { content: chain(path, 1), tenant: "acme" } });
      const id = await world.start(path);
      const other = await world.client.execute({ body: { path, tenant: "acme" } });
      const later = { ...systemClock(), nowMs: () => Date.now() + 3 * 60_000 };
      const watcher = world.another({ clock: later });
      const ask = (body: object) =>
        watcher.client.cleanupExecutions({ body: { older_than_minutes: 2, ...body } });
      expect(await ask({ dry_run: true })).toMatchObject({
        cancelled_count: 0,
        execution_ids: [id],
      });
      expect(await ask({ older_than_minutes: 10 })).toMatchObject({ execution_ids: [] });
      expect(await ask({})).toMatchObject({ cancelled_count: 1, execution_ids: [id] });
      const acme = executionId(other.execution_id);
      expect((await world.stores.log.head(acme))?.row.status).toBe("running");
      expect(await ask({ tenant: "acme" })).toMatchObject({ execution_ids: [acme] });
    });

    test("is summed up for whoever looks at it first", async () => {
      const world = shelf().open();
      await world.register(chain(path, 2));
      const id = await world.start(path);
      const told = await world.client.analyzeExecution({ params: { id } });
      expect(told).toMatchObject({ status: "RUNNING", running_steps: ["s1"], open_commands: 1 });
      expect(told.text.length).toBeGreaterThan(0);
    });
  });

  test("variables come in three dialects, one by one, and go all at once", async () => {
    const world = shelf().open();
    await world.register(chain(path, 1));
    const id = await world.start(path);
    const params = { id };
    const { client } = world;
    await client.setVariables({ params, body: { variables: { a: 1 }, source_step: "s1" } });
    const list = [{ var_name: "b", var_value: [2], var_type: "user_defined", source_step: "s1" }];
    await client.setVariables({ params, body: { variables: list } });
    await client.setVariables({ params, body: { c: { d: 3 } } });
    await client.setVariable({ params: { id, name: "e" }, body: { value: null } });
    expect((await client.listVariables({ params })).variables).toEqual({
      a: { value: 1, type: "ctx" },
      b: { value: [2], type: "ctx" },
      c: { value: { d: 3 }, type: "ctx" },
      e: { value: null, type: "ctx" },
    });
    expect(await client.deleteVariables({ params })).toMatchObject({ deleted_count: 4 });
    expect((await client.listVariables({ params })).count).toBe(0);
    expect(await world.problems(id)).toEqual([]);
  });

  test("stored values are listed, counted, and removed once nobody can read them", async () => {
    const world = shelf().open();
    await world.register(chain(path, 1));
    const id = await world.start(path);
    const { client } = world;
    for (const name of ["s1", "a/b", "ä"]) {
      await client.putResult({ params: { id }, body: { name, data: [name] } });
    }
    const listed = await client.listResults({ params: { id }, query: {} });
    expect(listed.results.map(({ name }) => name).sort()).toEqual(["a/b", "s1", "ä"]);
    const own = await client.listTemp({ params: { id }, query: { step_name: "a/b" } });
    expect(own.results).toMatchObject([{ name: "a/b", bytes: 7 }]);
    await handWorker(client).drain();
    await client.deleteStepResults({ params: { id, step: "a/b" } });
    expect(await client.resultStats({ query: { execution_id: id } })).toMatchObject({ count: 2 });
    expect(await client.deleteResults({ params: { id } })).toMatchObject({ deleted_count: 2 });
    expect(await world.problems(id)).toEqual([]);
  });
});
