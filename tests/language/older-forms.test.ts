// Older forms on the whole embedded product: each runs, and what the log says of it is what it says
// of the form that is documented, but for ids and times.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { migratePlaybook } from "#core/playbook/migrate";
import { type House, type HouseRun, startHouse } from "#tests/support/embedded";

let house: House;
beforeAll(async () => {
  house = await startHouse({ policy: { shell: true } });
});
afterAll(() => house.close());

let count = 0;
const path = "older/twin";

function playbook(workflow: string, apiVersion = "noetl.io/v2"): string {
  const header = `apiVersion: ${apiVersion}\nkind: Playbook\nmetadata: {name: twin, path: ${path}}\n`;
  // Texts that differ are versions of their own.
  return `${header}workload: {n: 2}\nworkflow:\n${workflow}# ${++count}\n`;
}

async function run(text: string): Promise<HouseRun> {
  await house.register(text);
  return house.run(path);
}

/** What is the same in every run: no ids, no times, nothing of the text itself. */
function said({ events, status, result, steps }: HouseRun): unknown {
  const told = events.map((event) => JSON.stringify(event, withoutChance));
  return { events: told.sort(), status, result, steps };
}

const chance = new RegExp(
  "^(?:time|.*_id|parent_.*|root_.*|version|.*digest.*|.*sha256.*|worker.*|" +
    "seq|at|.*_at|.*_ms|created.*|date|shard|ref|meta)$",
);

function withoutChance(key: string, value: unknown): unknown {
  if (chance.test(key)) return undefined;
  return typeof value === "string" ? value.replace(/\d{12,}/g, "ID") : value;
}

/** Both end well and alike, and so does what `noetl migrate` makes of the older one. */
async function expectTwins(older: string, canonical: string): Promise<HouseRun> {
  const expected = await run(playbook(canonical));
  expect([expected.status, expected.error]).toEqual(["completed", undefined]);
  const ran = await run(playbook(older));
  expect(said(ran)).toEqual(said(expected));
  const { text, unresolved } = migratePlaybook(playbook(older));
  expect(unresolved).toEqual([]);
  expect(said(await run(text))).toEqual(said(expected));
  return ran;
}

const rest = `
- {step: a, tool: {kind: noop, result: {from: a}}}
- {step: b, tool: {kind: noop, result: {from: b}}}
`;

test("next as a name leads there", async () => {
  const { steps } = await expectTwins(
    `- {step: start, tool: {kind: noop}, next: a}${rest}`,
    `- {step: start, tool: {kind: noop}, next: {arcs: [{step: a}]}}${rest}`,
  );
  expect(Object.keys(steps)).toEqual(["start", "a"]);
});

test("next as a list of names leads to all of them", async () => {
  const { steps } = await expectTwins(
    `- {step: start, tool: {kind: noop}, next: [a, b]}${rest}`,
    `- {step: start, tool: {kind: noop}, next: {spec: {mode: inclusive}, arcs: [{step: a}, {step: b}]}}${rest}`,
  );
  expect(Object.keys(steps).sort()).toEqual(["a", "b", "start"]);
});

test("next as a list with a condition leads to the first that matches", async () => {
  const { steps } = await expectTwins(
    `- {step: start, tool: {kind: noop}, next: [{step: a, when: "{{ workload.n > 2 }}"}, {step: b}]}${rest}`,
    `- {step: start, tool: {kind: noop}, next: {arcs: [{step: a, when: "{{ workload.n > 2 }}"}, {step: b}]}}${rest}`,
  );
  expect(steps["b"]?.visits).toBe(1);
  expect(steps["a"]?.visits ?? 0).toBe(0);
});

test("next_mode of the step decides for its list", async () => {
  const { steps } = await expectTwins(
    `- {step: start, tool: {kind: noop}, spec: {next_mode: exclusive}, next: [a, b]}${rest}`,
    `- {step: start, tool: {kind: noop}, next: {spec: {mode: exclusive}, arcs: [{step: a}, {step: b}]}}${rest}`,
  );
  expect(steps["b"]?.visits ?? 0).toBe(0);
});

test("what an arc hands over reaches the tool of the step it leads to", async () => {
  const { result } = await expectTwins(
    `
- step: start
  tool: {kind: noop, result: {page: 7}}
  next: [{step: use, args: {page: "{{ output.page }}", x-y: 1}}]
- step: use
  input: {own: 1}
  tool: {kind: javascript, code: "return {page, own, keys: Object.keys(input_data ?? {}).sort()}"}
`,
    `
- step: start
  tool: {kind: noop, result: {page: 7}}
  next: {arcs: [{step: use, set: {page: "{{ output.page }}", x-y: 1}}]}
- step: use
  input: {page: "{{ ctx.page }}", x-y: "{{ ctx['x-y'] }}", own: 1}
  tool: {kind: javascript, code: "return {page, own, keys: Object.keys(input_data ?? {}).sort()}"}
`,
  );
  expect(result).toMatchObject({ page: 7, own: 1 });
});

test("args of a step and labels of tasks", async () => {
  const { result } = await expectTwins(
    `
- step: start
  args: {who: Ada}
  tool:
  - greet: {kind: javascript, code: "return 'Hello, ' + who"}
  - shout: {kind: noop, result: "{{ greet }}!"}
`,
    `
- step: start
  input: {who: Ada}
  tool:
  - {name: greet, kind: javascript, code: "return 'Hello, ' + who"}
  - {name: shout, kind: noop, result: "{{ greet }}!"}
`,
  );
  expect(result).toBe("Hello, Ada!");
});

test("retry runs the call as often as it says", async () => {
  let served = 0;
  const server = Bun.serve({
    port: 0,
    fetch: () => (++served % 3 === 0 ? Response.json({}) : new Response("busy", { status: 503 })),
  });
  try {
    const call = `kind: http, url: "http://127.0.0.1:${server.port}/"`;
    const rule = `{when: "{{ output.status == 'error' }}", then: {do: retry, attempts: 3, delay: 0}}`;
    await expectTwins(
      `
- step: start
  tool: {${call}, retry: {max_attempts: 3, delay: 0}}
  next: end
- {step: end, tool: {kind: noop, result: "{{ start.status_code }}"}}
`,
      `
- step: start
  tool: {${call}, spec: {policy: {rules: [${rule}]}}}
  next: {arcs: [{step: end}]}
- {step: end, tool: {kind: noop, result: "{{ start.status_code }}"}}
`,
    );
    expect(served).toBe(9);
    const fewer = await run(
      playbook(`- {step: start, tool: {${call}, retry: {max_attempts: 2, delay: 0}}}\n`),
    );
    expect([fewer.status, served]).toEqual(["failed", 11]);
  } finally {
    await server.stop(true);
  }
});

test("eval decides by outcome, and sets what it says", async () => {
  const { result } = await expectTwins(
    `
- step: start
  tool:
  - one:
      kind: noop
      result: {n: 5}
      eval:
      - expr: "{{ outcome.status == 'ok' and outcome.data.n == 5 }}"
        do: jump
        to: three
        set_ctx: {seen: "{{ outcome.data.n }}"}
      - else: {do: fail}
  - two: {kind: noop, result: two}
  - three: {kind: noop, result: "three after {{ ctx.seen }}"}
`,
    `
- step: start
  tool:
  - name: one
    kind: noop
    result: {n: 5}
    spec:
      policy:
        rules:
        - when: "{{ output.status == 'ok' and output.data.n == 5 }}"
          then: {do: jump, to: three, set: {ctx.seen: "{{ output.data.n }}"}}
        - else: {then: {do: fail}}
  - {name: two, kind: noop, result: two}
  - {name: three, kind: noop, result: "three after {{ ctx.seen }}"}
`,
  );
  expect(result).toBe("three after 5");
});

test("a guard that doesn't hold passes the step by", async () => {
  const { steps, result } = await run(
    playbook(`
- {step: start, tool: {kind: noop}, next: guarded}
- {step: guarded, when: "{{ workload.n > 2 }}", tool: {kind: noop, result: ran}, next: end}
- {step: end, tool: {kind: noop, result: "{{ guarded is defined }}"}}
`),
  );
  expect(steps["guarded"]?.status).not.toBe("completed");
  expect(result).toBe(false);
});

test("rows stand under command_0 too, where nothing else does", async () => {
  const { result } = await run(
    playbook(`
- step: start
  tool: {kind: duckdb, command: "select 1 as n union all select 2 order by n"}
  next: use
- step: use
  tool:
    kind: noop
    result: ["{{ start.command_0.rows | length }}", "{{ start.command_0.rows[1].n }}", "{{ start.other_0 is defined }}"]
  next: own
- {step: own, tool: {kind: noop, result: {rows: [], command_0: mine}}, next: end}
- {step: end, tool: {kind: noop, result: ["{{ own.command_0 }}", "{{ use }}", "{{ use.command_0 is defined }}"]}}
`),
  );
  expect(result).toEqual(["mine", [2, 2, false], false]);
});

test("apiVersion noetl.io/v10 runs as noetl.io/v2", async () => {
  const { status } = await run(playbook("- {step: start, tool: {kind: noop}}\n", "noetl.io/v10"));
  expect(status).toBe("completed");
});
