// Agents on the whole embedded product: a playbook runs as one, and its end is data.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { type House, startHouse } from "#tests/support/embedded";

let house: House;

const playbook = (path: string, steps: string): string =>
  `apiVersion: noetl.io/v2\nkind: Playbook\nmetadata: {name: t, path: ${path}}\nworkflow:\n${steps}`;

beforeAll(async () => {
  house = await startHouse({
    playbooks: [
      playbook(
        "agents/greet",
        '\n- step: start\n  tool: {kind: noop, result: {hello: "{{ who }}"}}\n',
      ),
      playbook("agents/fails", '\n- step: start\n  tool: {kind: artifact, uri: "noetl://none"}\n'),
    ],
  });
});
afterAll(() => house.close());

let count = 0;

async function result(fields: string) {
  const path = `asks/${++count}`;
  await house.register(
    playbook(
      path,
      `
- step: start
  tool: {kind: agent, framework: noetl, ${fields}}
  next:
    arcs:
    - step: broken
      when: "{{ event.name == 'call.error' }}"
      set: {why: ["{{ error.kind }}", "{{ error.code }}"]}
    - {step: end, when: "{{ event.name == 'call.done' }}"}
- step: end
  tool: {kind: noop, result: "{{ start }}"}
- step: broken
  tool: {kind: noop, result: "{{ why }}"}
`,
    ),
  );
  const ended = await house.run(path, { name: "Ada" });
  expect([ended.status, ended.error]).toEqual(["completed", undefined]);
  return ended.result;
}

test("an agent's answer is its envelope, with its own execution and how long it took", async () => {
  const envelope = await result('entrypoint: agents/greet, payload: {who: "{{ name }}"}');
  expect(envelope).toEqual({
    status: "ok",
    framework: "noetl",
    entrypoint: "agents/greet",
    data: { hello: "Ada" },
    execution_id: expect.stringMatching(/^\d+$/),
    duration: expect.any(Number),
  });
});

test("an agent that fails is data, and the step goes on", async () => {
  expect(await result("entrypoint: agents/fails")).toMatchObject({
    status: "error",
    framework: "noetl",
    data: null,
    error: { status: "failed" },
  });
});

test("an agent that fails ends the step as an error where that is asked for", async () => {
  expect(await result("entrypoint: agents/fails, on_failure: fail")).toEqual(["agent", "failed"]);
});

test("an agent that is not in the catalog is an error of the step", async () => {
  expect(await result("entrypoint: agents/none")).toEqual(["playbook", "not_found"]);
});

test("an agent of another framework is refused when the playbook is registered", async () => {
  const other = playbook(
    "asks/other",
    "\n- step: start\n  tool: {kind: agent, framework: langchain, entrypoint: a}\n",
  );
  expect(house.register(other)).rejects.toThrow("run an agent of another framework in python");
});
