// The fifteen places where independent implementations of the language went wrong (language
// reference §8), each as a test named after its rule, on the whole embedded product.

import { afterAll, beforeAll, expect, test } from "bun:test";
import type { Json, JsonObject } from "#core/model/json";
import { type House, type HouseRun, startHouse } from "#tests/support/embedded";

let house: House;
let served = 0;
const server = Bun.serve({
  port: 0,
  fetch: (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/json") return Response.json({ rows: [1, 2], paging: { next: 3 } });
    served++;
    return served % 3 === 0 ? Response.json({ served }) : new Response("busy", { status: 503 });
  },
});
const url = `http://127.0.0.1:${server.port}`;

beforeAll(async () => {
  house = await startHouse();
});
afterAll(async () => {
  await house.close();
  await server.stop(true);
});

let count = 0;

/** Registers and runs a workflow; `more` stands before it in the document. */
async function run(workflow: string, workload: JsonObject = {}, more = ""): Promise<HouseRun> {
  const path = `gotchas/${++count}`;
  await house.register(
    `apiVersion: noetl.io/v2\nkind: Playbook\nmetadata: {name: t, path: ${path}}\n${more}workflow:\n${workflow}`,
  );
  return house.run(path, workload);
}

/** The result of a run that has to complete. */
async function result(workflow: string, workload: JsonObject = {}, more = ""): Promise<Json> {
  const ended = await run(workflow, workload, more);
  expect([ended.status, ended.error]).toEqual(["completed", undefined]);
  return ended.result ?? null;
}

test("1: retry rules see the envelope: status error, http.status, error.retryable", async () => {
  served = 0;
  const data = await result(`
- step: start
  tool:
    kind: http
    url: ${url}/flaky
    spec:
      policy:
        rules:
        - when: "{{ output.status == 'error' and output.http.status == 503 and output.error.retryable }}"
          then: {do: retry, attempts: 5, delay: 0.01}
`);
  expect(data).toMatchObject({ status_code: 200, data: { served: 3 } });
});

test("2: output means the same in task set, rule and arc, with and without data", async () => {
  const body = await result(`
- step: start
  tool:
  - name: fetch
    kind: http
    url: ${url}/json
    set: {ctx.from_task: "{{ output.data.data.rows }}", ctx.bare: "{{ output.status_code }}"}
    spec:
      policy:
        rules:
        - when: "{{ output.status == 'ok' and output.data.data.paging.next == 3 }}"
          then: {do: continue, set: {ctx.from_rule: "{{ output.data.data.paging.next }}"}}
  next: {arcs: [{step: end, when: "{{ output.status_code == 200 and output.data.status_code == 200 }}"}]}
- step: end
  tool: {kind: noop, result: ["{{ from_task }}", "{{ bare }}", "{{ from_rule }}"]}
`);
  expect(body).toEqual([[1, 2], 200, 3]);
});

test("3: step.field, step.data.field, step.label.field and step.result.field are all valid", async () => {
  const seen = await result(`
- step: start
  tool:
  - {name: first, kind: noop, result: {a: 1}}
  - {name: second, kind: noop, result: {b: 2}}
  next: {arcs: [{step: end}]}
- step: end
  tool:
    kind: noop
    result:
    - "{{ start.b }}"
    - "{{ start.data.b }}"
    - "{{ start.second.b }}"
    - "{{ start.result.b }}"
    - "{{ start.first.a }}"
`);
  expect(seen).toEqual([2, 2, 2, 2, 1]);
});

test("4: a lone expression keeps its type, a literal is never coerced, tojson is text", async () => {
  const seen = await result(
    `
- step: start
  tool:
    kind: noop
    result: ["{{ n }}", "{{ text }}", "02134", "", '{"a": 1}', "{{ map | tojson }}", "{{ n }} of {{ n }}"]
`,
    { n: 5, text: "007", map: { a: 1 } },
  );
  expect(seen).toEqual([5, "007", "02134", "", '{"a": 1}', '{"a":1}', "5 of 5"]);
});

test("5: null is none, is defined, and default fires on it", async () => {
  const template = "{{ it is none }} {{ it is defined }} {{ it | default('d') }}";
  expect(
    await result(`- step: start\n  tool: {kind: noop, result: "${template}"}\n`, { it: null }),
  ).toBe("True True d");
});

test("6: set prefixes vanish between steps, nest inside a pipeline, and win over what they hide", async () => {
  const seen = await result(
    `
- step: start
  tool:
  - {name: a, kind: noop, set: {ctx.page: 2, iter.size: 10, bare: 3}}
  - {name: b, kind: noop, result: "{{ ctx.page }} {{ iter.size }} {{ bare }}"}
  next: {arcs: [{step: end, set: {step.city: "Bergen"}}]}
- step: end
  tool: {kind: noop, result: ["{{ start }}", "{{ page }}", "{{ ctx.bare }}", "{{ city }}", "{{ size is defined }}"]}
`,
    { city: "Oslo" },
  );
  expect(seen).toEqual(["2 10 3", 2, 3, "Bergen", false]);
});

test("7: step-level set fires once per completion and never reverts a counter", async () => {
  const ended = await run(`
- step: start
  tool: {kind: noop}
  set: {n: 0}
  next: {arcs: [{step: work}]}
- step: work
  tool: {kind: noop, result: "{{ n }}"}
  set: {n: "{{ n + 1 }}"}
  next: {arcs: [{step: work, when: "{{ n < 4 }}"}]}
`);
  expect(ended.result).toBe(3);
  expect(ended.steps["work"]).toEqual({ status: "completed", visits: 4 });
});

const noop = (step: string, next = ""): string => `- step: ${step}\n  tool: {kind: noop}\n${next}`;
const arcs = (list: string, mode = "exclusive"): string =>
  `  next: {spec: {mode: ${mode}}, arcs: [${list}]}\n`;

test("8: a join waits for upstreams that can still run, and for no others", async () => {
  const ended = await run(
    noop("start", arcs("{step: a}, {step: b}", "inclusive")) +
      noop("a", arcs('{step: a2, when: "{{ false }}"}, {step: join}')) +
      noop("a2", arcs("{step: join}")) +
      noop("b", arcs("{step: join}")) +
      noop("join"),
  );
  expect(ended.status).toBe("completed");
  expect(ended.steps["join"]).toEqual({ status: "completed", visits: 1 });
});

test("9: exclusive routing tells what it skipped, but not the way out of a cycle", async () => {
  const ended = await run(
    noop("start", arcs("{step: a}, {step: never}")) +
      `- step: a\n  tool: {kind: noop}\n  set: {n: "{{ (n | default(0)) + 1 }}"}\n` +
      arcs('{step: a, when: "{{ n < 3 }}"}, {step: out}') +
      noop("out") +
      noop("never"),
  );
  const skipped = ended.events.flatMap((event) =>
    event.type === "step.skipped" ? [event.step] : [],
  );
  expect(skipped).toEqual(["never"]);
  expect(ended.steps["out"]?.status).toBe("completed");
});

test("10: an arc loop runs a finished step again and keeps its result until the new one", async () => {
  const seen = await result(`
- step: start
  tool: {kind: noop, result: {page: "{{ (start.page | default(0)) + 1 }}"}}
  next: {arcs: [{step: start, when: "{{ start.page < 3 }}"}, {step: end}]}
- step: end
  tool: {kind: noop, result: "{{ start.page }}"}
`);
  expect(seen).toBe(3);
});

test("11: event.name is always there: call.done, call.error, loop.done", async () => {
  const seen = await result(`
- step: start
  tool: {kind: noop}
  next: {arcs: [{step: failing, when: "{{ event.name == 'call.done' }}"}]}
- step: failing
  tool: {kind: http, url: "http://127.0.0.1:1/"}
  next: {arcs: [{step: looping, when: "{{ event.name == 'call.error' }}"}]}
- step: looping
  loop: {in: [1, 2], iterator: x}
  tool: {kind: noop}
  next: {arcs: [{step: end, when: "{{ event.name == 'loop.done' }}"}]}
- step: end
  tool: {kind: noop, result: "here"}
`);
  expect(seen).toBe("here");
});

test("12: rules see thrown transport errors, and attempts is the total of executions", async () => {
  const ended = await run(`
- step: start
  tool:
    kind: http
    url: "http://127.0.0.1:1/"
    spec:
      policy:
        rules:
        - when: "{{ output.status == 'error' and output.error.kind == 'connection' }}"
          then: {do: retry, attempts: 3, delay: 0.01, set: {ctx.tries: "{{ (ctx.tries | default(0)) + 1 }}"}}
`);
  expect(ended.status).toBe("failed");
  const settled = ended.events.find((event) => event.type === "call.error");
  expect(settled).toMatchObject({ set: { "ctx.tries": 3 }, output: { meta: { attempt: 3 } } });
});

test("13: no match ends the branch, any step may be the entry, empty and null loops go on", async () => {
  const ended = await run(
    `${noop("first", arcs("{step: empty}"))}- step: empty
  loop: {in: "{{ [] }}", iterator: x}
  tool: {kind: noop}
${arcs("{step: none}")}- step: none
  loop: {in: "{{ workload.missing }}", iterator: x}
  tool: {kind: noop}
${arcs("{step: last}")}${noop("last", arcs('{step: first, when: "{{ false }}"}'))}`,
  );
  expect(ended.status).toBe("completed");
  expect(Object.keys(ended.steps)).toEqual(["first", "empty", "none", "last"]);
});

test("14: a loop bounds itself by a template, binds every name, gives results, and leaks no iter", async () => {
  const seen = await result(
    `
- step: start
  loop: {in: "{{ items }}", iterator: x, spec: {mode: parallel, max_in_flight: "{{ width }}"}}
  tool:
  - {name: a, kind: noop, set: {iter.twice: "{{ iter.x * 2 }}"}}
  - {name: b, kind: noop, result: "{{ x }}/{{ iter.x }}/{{ _index }}/{{ _total }}/{{ iter.twice }}"}
  next: {arcs: [{step: end}]}
- step: end
  tool:
    kind: noop
    result:
      results: "{{ start.results }}"
      stats: "{{ start.stats.success }}"
      leak: "{{ twice is defined }}"
`,
    { items: [1, 2, 3], width: 2 },
  );
  expect(seen).toEqual({
    results: ["1/1/0/3/2", "2/2/1/3/4", "3/3/2/3/6"],
    stats: 3,
    leak: false,
  });
});

test("15: large results become references, ids are text, and no secret reaches the log", async () => {
  const seen = await result(
    `
- step: start
  tool: {kind: noop, result: {text: "{{ 'x' * 150000 }}", n: 7}}
  next: {arcs: [{step: end}]}
- step: end
  tool:
    kind: noop
    result:
    - "{{ start._ref is defined }}"
    - "{{ start.n }}"
    - "{{ start.text | length }}"
    - "{{ execution_id is string }}"
`,
  );
  expect(seen).toEqual([true, 7, 150_000, true]);
});

test("15, secrets: a credential's value is in no event, even if a service tells it back", async () => {
  const secret = "s3cr3t-value-of-a-token";
  const own = await startHouse({
    credentials: [{ name: "partner", type: "bearer", data: { token: secret } }],
  });
  const seen: (string | null)[] = [];
  const echo = Bun.serve({
    port: 0,
    fetch: (request) => {
      const header = request.headers.get("authorization");
      seen.push(header);
      // A service that tells back what it was told.
      return Response.json(
        { echo: header, coded: btoa(secret) },
        { headers: { "x-echo": secret } },
      );
    },
  });
  try {
    await own.register(
      `apiVersion: noetl.io/v2\nkind: Playbook\nmetadata: {name: s, path: s}\nworkflow:\n- step: start\n  tool: {kind: http, url: "http://127.0.0.1:${echo.port}/", auth: "{{ who }}"}\n`,
    );
    const ended = await own.run("s", { who: "partner" });
    expect(seen).toEqual([`Bearer ${secret}`]);
    expect(ended.status).toBe("completed");
    expect(JSON.stringify(ended.events)).not.toContain(secret);
    expect(JSON.stringify(ended.events)).not.toContain(btoa(secret));
    expect(JSON.stringify(ended.events)).toContain("partner");
  } finally {
    await own.close();
    await echo.stop(true);
  }
});
