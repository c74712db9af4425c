// Durable waits, guards, admission and events of a playbook's own, on the whole embedded product.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Event } from "#core/model/event";
import type { ExecutionId } from "#core/model/ids";
import type { JsonObject } from "#core/model/json";
import { executionUpdates } from "#core/wire/subjects";
import { eventually } from "#tests/support/control";
import { type House, type HouseRun, startHouse } from "#tests/support/embedded";

let house: House;

beforeAll(async () => {
  house = await startHouse();
});
afterAll(() => house.close());

let count = 0;

async function register(workflow: string): Promise<string> {
  const path = `flow/${++count}`;
  await house.register(
    `apiVersion: noetl.io/v2\nkind: Playbook\nmetadata: {name: t, path: ${path}}\nworkflow:\n${workflow}`,
  );
  return path;
}

const run = async (workflow: string, workload: JsonObject = {}): Promise<HouseRun> =>
  house.run(await register(workflow), workload);

const answer = (id: ExecutionId, key: string, body: object) =>
  house.client.callback({ params: { id, key }, query: {}, body });

/** Resolves once so many calls of the execution are parked, with their keys. */
const parked = (id: ExecutionId, wanted = 1): Promise<readonly string[]> =>
  eventually(async () => {
    const events = (await house.stores.log.events(id, 0, 1_000)).map(({ event }) => event);
    const keys = events.flatMap((event) => (event.type === "wait.parked" ? [event.key] : []));
    return keys.length >= wanted ? keys : undefined;
  });

describe("a wait", () => {
  test("for a timer goes on when its time has come", async () => {
    const ended = await run(`
- step: start
  tool: {kind: wait, for: timer, seconds: 0.05}
  next: {arcs: [{step: end}]}
- step: end
  tool: {kind: noop, result: "{{ start.waited_ms >= 50 }}"}
`);
    expect([ended.status, ended.result]).toEqual(["completed", true]);
  });

  test("for a callback has what came as its result", async () => {
    const path = await register(`
- step: start
  tool: {kind: wait, for: callback, key: "order-{{ n }}"}
  next: {arcs: [{step: end, when: "{{ output.data.paid > 10 }}"}]}
- step: end
  tool: {kind: noop, result: "{{ start.paid }}"}
`);
    const id = await house.start(path, { n: 7 });
    expect(await parked(id)).toEqual(["order-7"]);
    await answer(id, "order-7", { data: { paid: 12 } });
    expect((await house.ended(id)).result).toBe(12);
  });

  test("for a callback that never comes is a failure that arcs can recover", async () => {
    const ended = await run(`
- step: start
  tool: {kind: wait, for: callback, timeout_s: 0.05}
  next: {arcs: [{step: end, when: "{{ event.name == 'call.error' and error.kind == 'timeout' }}"}]}
- step: end
  tool: {kind: noop, result: gave up}
`);
    expect([ended.status, ended.result]).toEqual(["completed", "gave up"]);
  });

  test("for each of several items is answered item by item", async () => {
    const path = await register(`
- step: each
  loop: {in: [1, 2], iterator: x, spec: {mode: parallel}}
  tool: {kind: wait, for: callback, key: "item {{ x }}"}
  next: {arcs: [{step: end}]}
- step: end
  tool: {kind: noop, result: "{{ each.results }}"}
`);
    const id = await house.start(path);
    expect(await parked(id, 2)).toEqual(["item 1", "item 2"]);
    await answer(id, "item 2", { data: "second" });
    await answer(id, "item 1", { data: "first" });
    expect((await house.ended(id)).result).toEqual(["first", "second"]);
  });
});

describe("the way past a step", () => {
  test("whose guard does not hold goes on by its arcs", async () => {
    const workflow = `
- step: start
  tool: {kind: noop, result: ran}
  when: "{{ go }}"
  next: {arcs: [{step: end}]}
- step: end
  tool: {kind: noop, result: "{{ start | default('passed by') }}"}
`;
    expect((await run(workflow, { go: false })).result).toBe("passed by");
    expect((await run(workflow, { go: true })).result).toBe("ran");
  });

  test("that is not admitted ends there", async () => {
    const ended = await run(
      `
- step: start
  tool: {kind: noop, result: 1}
  next: {arcs: [{step: spend}]}
- step: spend
  spec:
    policy:
      admit:
        rules:
        - {when: "{{ budget > 0 }}", then: {allow: true}}
        - else: {then: {allow: false}}
  tool: {kind: noop, result: 2}
`,
      { budget: 0 },
    );
    expect([ended.status, ended.result]).toEqual(["completed", 1]);
    expect(ended.steps["spend"]).toEqual({ status: "skipped", visits: 0 });
  });
});

test("events of a playbook's own are published under their names", async () => {
  const path = await register(`
- step: start
  tool: {kind: wait, for: callback}
  emit: {event: calendar.event.touched, data: {trip: "{{ output.data.trip }}"}}
`);
  const id = await house.start(path);
  const heard: { readonly subject: string; readonly event: Event }[] = [];
  const { bus } = house.embedded;
  const listening = bus.subscribe(executionUpdates(id), ({ subject, data }) => {
    heard.push({ subject, event: JSON.parse(data) as Event });
  });
  const [key = ""] = await parked(id);
  await answer(id, key, { data: { trip: "t1" } });
  const own = await eventually(async () => {
    const found = heard.filter(({ event }) => event.type === "event.emitted");
    return found.length > 0 ? found : undefined;
  });
  listening.close();
  expect(own).toMatchObject([
    {
      subject: `playbooks.executions.${id}.calendar.event.touched`,
      event: { name: "calendar.event.touched", data: { trip: "t1" } },
    },
  ]);
});
