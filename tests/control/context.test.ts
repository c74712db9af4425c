// Variables from outside, and templates rendered against an execution as it stands.

import { describe, expect, test } from "bun:test";
import { onBothStores, type World } from "#tests/support/control";
import { done, handWorker, only } from "#tests/support/hand-worker";
import { passing } from "./playbooks.ts";

async function started(world: World) {
  await world.register(passing("t/pass"));
  return world.start("t/pass", { who: "Ada" });
}

onBothStores((shelf) => {
  describe("a template", () => {
    test("is rendered against a running execution, with what is given beside it", async () => {
      const world = shelf().open();
      const id = await started(world);
      const worker = handWorker(world.client);
      await worker.settle([done(only(await worker.claim()), { n: 20 })]);
      const answer = await world.client.renderContext({
        body: {
          execution_id: id,
          template: { sum: "{{ first.n + more }}", text: "to {{ who }}", plain: 7 },
          extra_context: { more: 2 },
        },
      });
      expect(answer).toMatchObject({
        status: "ok",
        rendered: { sum: 22, text: "to Ada", plain: 7 },
      });
      expect(answer.context_keys).toEqual(
        expect.arrayContaining(["who", "first", "more", "workload", "ctx"]),
      );
    });

    test("is rendered against one that has ended", async () => {
      const world = shelf().open();
      const id = await started(world);
      await handWorker(world.client).drain(({ step }) => ({ by: step }));
      const template = "{{ first.by }} then {{ second.by }}";
      const { rendered } = await world.client.renderContext({
        body: { execution_id: id, template },
      });
      expect(rendered).toBe("first then second");
    });

    test("that can't be rendered is refused when strict, else given back as it came", async () => {
      const world = shelf().open();
      const id = await started(world);
      for (const template of ["{{ who + }}", "{{ who | nosuchfilter }}"]) {
        const body = { execution_id: id, template };
        const refusal = world.client.renderContext({ body }).catch((thrown: unknown) => thrown);
        expect(await refusal).toMatchObject({ code: "invalid" });
        const lenient = await world.client.renderContext({ body: { ...body, strict: false } });
        expect(lenient).toMatchObject({ status: "ok", rendered: template });
      }
    });
  });

  describe("a variable set from outside", () => {
    test("is seen by the steps that come after, and no more once it is removed", async () => {
      const world = shelf().open();
      const id = await started(world);
      const other = await world.start("t/pass");
      const worker = handWorker(world.client);
      const firsts = await worker.claim();
      const set = (to: typeof id) =>
        world.client.setVariables({ params: { id: to }, body: { variables: { hint: [1, 2] } } });
      expect(await set(id)).toEqual({ execution_id: id, variables_set: 1, var_names: ["hint"] });
      await set(other);
      const params = { id: other, name: "hint" };
      expect(await world.client.deleteVariable({ params })).toMatchObject({ deleted: true });
      expect(await world.client.deleteVariable({ params })).toMatchObject({ deleted: false });
      const { commands } = await worker.settle(
        firsts.map((command) => done(command)),
        4,
      );
      const hintOf = (of: typeof id) =>
        commands.find(({ execution_id }) => execution_id === of)?.tasks[0]?.config["hint"];
      expect(hintOf(id)).toEqual([1, 2]);
      expect(hintOf(other)).toBe("none");
    });

    test("can be read one by one and all together", async () => {
      const world = shelf().open();
      const id = await started(world);
      const variables = { hint: { deep: true }, nothing: null, zero: 0 };
      await world.client.setVariables({ params: { id }, body: { variables } });
      const listed = await world.client.listVariables({ params: { id } });
      expect(listed.count).toBe(3);
      expect(listed.variables).toMatchObject({ hint: { value: { deep: true } } });
      const { value } = await world.client.getVariable({ params: { id, name: "nothing" } });
      expect(value).toBeNull();
    });

    test("keeps its name, whatever that is", async () => {
      const world = shelf().open();
      const id = await started(world);
      const names = ["__proto__", "constructor", "toString", "ünïcode ☃", "a b/c"];
      const variables = Object.fromEntries(names.map((name) => [name, name]));
      await world.client.setVariables({ params: { id }, body: { variables } });
      const next = world.another();
      for (const name of names) {
        const found = await next.client.getVariable({ params: { id, name } });
        expect(found.value).toBe(name);
      }
    });

    test("is refused once the execution has ended", async () => {
      const world = shelf().open();
      const id = await started(world);
      await world.client.setVariables({ params: { id }, body: { variables: { hint: 1 } } });
      await handWorker(world.client).drain();
      const calls = [
        world.client.setVariables({ params: { id }, body: { variables: { hint: 2 } } }),
        world.client.deleteVariable({ params: { id, name: "hint" } }),
      ];
      for (const call of calls) {
        const refusal: unknown = await call.catch((thrown: unknown) => thrown);
        expect(refusal).toMatchObject({ code: "conflict" });
      }
      const { value } = await world.client.getVariable({ params: { id, name: "hint" } });
      expect(value).toBe(1);
    });
  });
});
