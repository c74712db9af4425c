// Sub-playbooks in all their modes, on the whole embedded product (language reference §4.9).

import { afterAll, beforeAll, expect, test } from "bun:test";
import type { Json } from "#core/model/json";
import { type House, type HouseRun, startHouse } from "#tests/support/embedded";

const header = (path: string): string =>
  `apiVersion: noetl.io/v2\nkind: Playbook\nmetadata: {name: t, path: ${path}}\nworkflow:\n`;

const child = `${header("sub/child")}
- step: start
  tool: {kind: noop, result: {half: "{{ n / 2 }}"}}
  next: {arcs: [{step: end}]}
- step: end
  tool: {kind: noop, result: {n: "{{ n }}"}}
`;

const failing = `${header("sub/failing")}
- step: start
  tool: {kind: noop, result: "{{ 1 / 0 }}"}
`;

const slow = `${header("sub/slow")}
- step: start
  tool: {kind: wait, for: callback, timeout_s: 60}
`;

let house: House;

beforeAll(async () => {
  house = await startHouse({ playbooks: [child, failing, slow] });
});
afterAll(() => house.close());

async function called(fields: string): Promise<HouseRun> {
  await house.register(`${header("sub/parent")}
- step: call
  tool: {kind: playbook, ${fields}}
  next:
    arcs:
    - {step: failed, when: "{{ event.name == 'call.error' }}"}
    - {step: end}
- step: end
  tool: {kind: noop, result: "{{ call }}"}
- step: failed
  tool: {kind: noop, result: {kind: "{{ call.error.kind }}", status: "{{ call.status }}"}}
`);
  return house.run("sub/parent");
}

const result = async (fields: string): Promise<Json | undefined> => (await called(fields)).result;

const one = "path: sub/child, input: {n: 6}";

test("nobody waits for a child without one of the modes", async () => {
  expect(await result(one)).toMatchObject({ status: "started", path: "sub/child", async: true });
});

test("return_result gives the result alone", async () => {
  expect(await result(`${one}, return_result: true`)).toEqual({ n: 6 });
});

test("return_result with result_step gives that step's output", async () => {
  expect(await result(`${one}, return_result: true, result_step: start`)).toEqual({ half: 3 });
});

test("a result_step that never ran leaves the child's own result", async () => {
  expect(await result(`${one}, return_result: true, result_step: none_such`)).toEqual({ n: 6 });
});

test("return_step gives the status with the fields of the result", async () => {
  expect(await result(`${one}, return_step: whatever`)).toMatchObject({
    ...{ n: 6, status: "COMPLETED", completed: true, failed: false, is_cancelled: false },
    ...{ path: "sub/child", current_step: "end", result: { n: 6 } },
    progress: { total_steps: 2, completed_steps: 2, running_steps: 0, failed_steps: 0 },
  });
});

for (const mode of ["return_result: true", "return_step: end"]) {
  test(`a failed child fails its step with ${mode}, and arcs see its status`, async () => {
    const ended = await called(`path: sub/failing, ${mode}`);
    expect([ended.status, ended.result]).toEqual([
      "completed",
      { kind: "playbook", status: "FAILED" },
    ]);
  });
}

test("a child that takes too long is left to itself", async () => {
  const ended = await called("path: sub/slow, return_result: true, timeout: 0.05");
  expect(ended.result).toEqual({ kind: "timeout", status: "RUNNING" });
  const [left] = await house.client.listExecutions({ query: { path: "sub/slow" } });
  expect(left?.status).toBe("RUNNING");
  await house.client.cancelExecution({ params: { id: left?.execution_id ?? "" }, body: {} });
});

test("a child has the version that is asked for", async () => {
  await house.register(child.replace("result: {n:", "result: {second:"));
  expect(await result(`${one}, return_result: true`)).toEqual({ second: 6 });
  for (const version of ['"1"', "1"]) {
    expect(await result(`${one}, return_result: true, version: ${version}`)).toEqual({ n: 6 });
  }
  expect(await result(`${one}, return_result: true, version: latest`)).toEqual({ second: 6 });
});
