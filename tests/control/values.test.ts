// Values too large for the log: stored behind references, given back whole.

import { describe, expect, test } from "bun:test";
import { httpControl } from "#core/adapters/http-control";
import { type ExecutionId, executionId } from "#core/model/ids";
import { inlineBytesMax, stateInlineBytesMax } from "#core/model/limits";
import { onBothStores, type World } from "#tests/support/control";
import { done, handWorker, only } from "#tests/support/hand-worker";
import { chain, loop, passing } from "./playbooks.ts";

const text = (bytes: number): string => "0123456789abcdef".repeat(bytes / 16);

const resolve = (world: World, ref: string) => world.client.resolveResult({ query: { ref } });

const detail = (world: World, id: ExecutionId) => world.client.getExecution({ params: { id } });

onBothStores((shelf) => {
  test("50 MB go through the result store and are settled by reference", async () => {
    const world = shelf().open();
    await world.register(chain("t/one", 1));
    const id = await world.start("t/one");
    const worker = handWorker(world.client);
    const { command_id, attempt } = only(await worker.claim());
    const value = { rows: [text(50 * 1_048_576)] };
    const ref = await httpControl(world.client).putResult(id, "s1", value);
    expect(ref.meta.bytes).toBe(JSON.stringify(value).length);
    const outcome = { command_id, attempt, output: { status: "ok" as const, ref }, duration_ms: 1 };
    expect((await worker.settle([outcome])).verdicts).toEqual(["accepted"]);
    const { result, result_ref } = await detail(world, id);
    expect(result).toBeUndefined();
    expect(result_ref).toMatchObject({ ref: ref.ref });
    expect((await resolve(world, ref.ref)) as object).toEqual(value);
    for (const event of await world.stores.log.events(id, 0, 100)) {
      expect(event.text.length).toBeLessThan(inlineBytesMax);
    }
  }, 60_000);

  test("the same value twice is one stored value", async () => {
    const world = shelf().open();
    await world.register(chain("t/one", 1));
    const id = await world.start("t/one");
    const put = () => httpControl(world.client).putResult(id, "s1", [1, 2, 3]);
    expect((await put()).ref).toBe((await put()).ref);
    const stored = await world.stores.results.list(`noetl://execution/${id}/`, 10);
    expect(only(stored)).toMatchObject({ bytes: 7 });
  });

  test("a large result that comes inline leaves the log, and a later step still gets it whole", async () => {
    const world = shelf().open();
    await world.register(passing("t/pass"));
    const id = await world.start("t/pass");
    const worker = handWorker(world.client);
    const value = { page: text(300 * 1_024) };
    const { commands } = await worker.settle([done(only(await worker.claim()), value)], 1);
    expect(only(commands).tasks[0]?.config).toMatchObject({ message: value });
    const settled = (await world.events(id)).find(({ type }) => type === "call.done");
    expect(settled).toMatchObject({ output: { status: "ok", ref: { kind: "result_ref" } } });
    const ref = settled?.type === "call.done" ? (settled.output.ref?.ref ?? "") : "";
    expect((await resolve(world, ref)) as object).toEqual(value);
    const view = await world.client.executionEvents({ params: { id }, query: {} });
    const shown = view.events.find(({ event_type }) => event_type === "call.done");
    expect(shown?.result).toMatchObject({ status: "ok", reference: { ref } });
    expect(await world.problems(id)).toEqual([]);
  });

  test("large results of a loop that are reported together come out together, in order", async () => {
    const world = shelf().open();
    await world.register(loop("t/loop", 3, "{{ each.results }}"));
    await world.start("t/loop", { items: [0, 1, 2] });
    const worker = handWorker(world.client);
    const page = text(300 * 1_024);
    const outcomes = (await worker.claim()).map((command, index) => done(command, index + page));
    const { verdicts, commands } = await worker.settle(outcomes, 1);
    expect(verdicts).toEqual(["accepted", "accepted", "accepted"]);
    expect(only(commands).tasks[0]?.config["message"]).toEqual([0, 1, 2].map((n) => n + page));
  });

  test("a value that stands in the log can be asked for by its place in it", async () => {
    const world = shelf().open();
    await world.register(chain("t/one", 1));
    const id = await world.start("t/one");
    await handWorker(world.client).drain(() => ({ answer: 42 }));
    const settled = (await world.events(id)).find(({ type }) => type === "call.done");
    const place = (seq: number) => `noetl://execution/${id}/event/${seq}`;
    expect((await resolve(world, place(settled?.seq ?? 0))) as object).toEqual({ answer: 42 });
    for (const seq of [1, 999]) {
      const refusal = resolve(world, place(seq)).catch((thrown: unknown) => thrown);
      expect(await refusal).toMatchObject({ code: "not_found" });
    }
  });

  test("values beyond what a state may hold are read back from the log when they are needed", async () => {
    const world = shelf().open();
    const steps = Array.from({ length: 20 }, (_, index) => {
      const next = index < 19 ? `s${index + 2}` : "sum";
      return `- step: s${index + 1}\n  tool: {kind: noop}\n  next: {arcs: [{step: ${next}}]}`;
    });
    const sum =
      '- step: sum\n  tool: {kind: noop, first: "{{ s1.page | length }}", last: "{{ s20.page }}"}';
    const head =
      "apiVersion: noetl.io/v2\nkind: Playbook\nmetadata: {name: p, path: t/pages}\nworkflow:";
    await world.register([head, ...steps, sum].join("\n"));
    await world.start("t/pages");
    const worker = handWorker(world.client);
    const page = text(96 * 1_024);
    expect(20 * page.length).toBeGreaterThan(stateInlineBytesMax);
    let command = only(await worker.claim());
    while (command.step !== "sum") {
      const data = { page: `${command.step}${page}` };
      command = only((await worker.settle([done(command, data)], 1)).commands);
    }
    expect(command.tasks[0]?.config).toEqual({ first: page.length + 2, last: `s20${page}` });
  });

  describe("a workload of 1 MB", () => {
    test("starts, is given to the first step, and is not carried in the log", async () => {
      const world = shelf().open();
      await world.register(passing("t/pass"));
      const who = text(1_048_576);
      const id = await world.start("t/pass", { who });
      const command = only(await handWorker(world.client).claim());
      expect(command.tasks[0]?.config["message"]).toBe(who);
      const [started] = await world.stores.log.events(id, 0, 1);
      expect(started?.text.length).toBeLessThan(inlineBytesMax);
      const { rendered } = await world.client.renderContext({
        body: { execution_id: id, template: "{{ workload.who | length }}" },
      });
      expect(rendered).toBe(who.length);
    });
  });

  test("a set from outside that is large is stored, and seen by the step after", async () => {
    const world = shelf().open();
    await world.register(passing("t/pass"));
    const id = await world.start("t/pass");
    const worker = handWorker(world.client);
    const hint = text(200 * 1_024);
    await world.client.setVariables({ params: { id }, body: { variables: { hint } } });
    const { value } = await world.client.getVariable({ params: { id, name: "hint" } });
    expect(value).toMatchObject({ kind: "result_ref" });
    const { commands } = await worker.settle([done(only(await worker.claim()))], 1);
    expect(only(commands).tasks[0]?.config["hint"]).toBe(hint);
  });

  test("a reference is not taken for data, nor data for a reference", async () => {
    const world = shelf().open();
    await world.register(passing("t/pass"));
    const id = await world.start("t/pass");
    const worker = handWorker(world.client);
    const ref = await httpControl(world.client).putResult(id, "s1", "secret of another step");
    const { commands } = await worker.settle(
      [done(only(await worker.claim()), { ...ref } as never)],
      1,
    );
    expect(only(commands).tasks[0]?.config["message"]).toMatchObject({ kind: "result_ref" });
    expect(executionId(only(commands).execution_id)).toBe(id);
  });
});
