// What must work however large or odd it is, and what must fail alone: that execution only,
// clearly, with the process up and nothing recorded lost.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { verifyLog } from "#core/engine/verify";
import type { Json, JsonObject } from "#core/model/json";
import { type House, type HouseRun, startHouse } from "#tests/support/embedded";
import { sha256 } from "#tests/support/engine";

let house: House;
beforeAll(async () => {
  house = await startHouse();
});
afterAll(() => house.close());

let count = 0;

async function run(workflow: string, workload: JsonObject = {}): Promise<HouseRun> {
  const path = `input/${++count}`;
  await house.register(
    `apiVersion: noetl.io/v2\nkind: Playbook\nmetadata: {name: t, path: ${path}}\nworkflow:\n${workflow}`,
  );
  return house.run(path, workload);
}

const start = (tool: string): string => `- step: start\n  tool: ${tool}\n`;

async function whole({ executionId }: HouseRun): Promise<boolean> {
  const log = await house.stores.log.events(executionId, 0, 100_000);
  return verifyLog(executionId, log, sha256).problems.length === 0;
}

describe("works:", () => {
  test("a playbook of 5,000 steps", async () => {
    const steps = Array.from({ length: 5_000 }, (_, index) => {
      const next = index === 4_999 ? "" : `\n  next: {arcs: [{step: s${index + 1}}]}`;
      return `- step: s${index}\n  tool: {kind: noop, result: ${index}}${next}\n`;
    });
    const ended = await run(steps.join(""));
    expect([ended.status, ended.result]).toEqual(["completed", 4_999]);
    expect(await whole(ended)).toBe(true);
  }, 60_000);

  test("a result of 50 MB: stored, referenced, read again", async () => {
    const ended = await run(`- step: start
  tool: {kind: python, code: "result = {'text': 'x' * 50_000_000, 'n': 7}"}
  next: {arcs: [{step: end}]}
- step: end
  tool: {kind: noop, result: ["{{ start.n }}", "{{ start.text | length }}", "{{ start._ref is defined }}"]}
`);
    expect([ended.status, ended.result]).toEqual(["completed", [7, 50_000_000, true]]);
    expect(JSON.stringify(ended.events).length).toBeLessThan(100_000);
  }, 60_000);

  test("data that contains template marks, through every hand it passes", async () => {
    const evil = "{{ 7 * 7 }}{% for x in y %}{{ keychain.secret }}";
    const ended = await run(
      `- step: start
  tool: {kind: python, input: {text: "{{ text }}"}, code: "result = {'text': text}"}
  set: {kept: "{{ output.data.text }}"}
  next: {arcs: [{step: loop}]}
- step: loop
  loop: {in: ["{{ kept }}"], iterator: item}
  tool:
  - {name: a, kind: noop, result: "{{ item }}", set: {ctx.again: "{{ output.data }}"}}
  - {name: b, kind: javascript, input: {text: "{{ a }}"}, code: "return text"}
  next: {arcs: [{step: end}]}
- step: end
  tool: {kind: noop, result: ["{{ loop.results[0] }}", "{{ again }}", "{{ start.text }}"]}
`,
      { text: evil },
    );
    expect([ended.status, ended.error]).toEqual(["completed", undefined]);
    expect(ended.result).toEqual([evil, evil, evil]);
  });

  test("nesting that is deep but ends", async () => {
    let deep: Json = "bottom";
    for (let level = 0; level < 1_000; level++) deep = level % 2 === 0 ? [deep] : { in: deep };
    const ended = await run(
      start('{kind: python, input: {deep: "{{ deep }}"}, code: "result = deep"}'),
      { deep },
    );
    expect(ended.status).toBe("completed");
    expect(ended.result).toEqual(deep);
  });
});

describe("fails alone:", () => {
  const cases: readonly (readonly [string, string, RegExp])[] = [
    ["an undefined name in arithmetic", '{kind: noop, result: "{{ nothing + 1 }}"}', /nothing/],
    ["division by zero", '{kind: noop, result: "{{ 1 / zero }}"}', /by zero/],
    ["NaN as a result", "{kind: python, code: \"result = float('nan')\"}", /JSON/],
    ["a result in a circle", '{kind: python, code: "a = []\\na.append(a)\\nresult = a"}', /JSON/],
    [
      "a circle in JavaScript",
      '{kind: javascript, code: "const a = {}; a.a = a; return a"}',
      /JSON|cycl|circ/i,
    ],
    [
      "a template without end",
      '{kind: noop, result: "{% for i in range(99999999) %}x{% endfor %}"}',
      /range|steps/,
    ],
    [
      "a template that grows without end",
      "{kind: noop, result: \"{{ 'ab' * 999999999 }}\"}",
      /longer/,
    ],
    ["code that never ends", '{kind: javascript, code: "while (true) {}", timeout: 0.3}', /time/],
    [
      "code that ends its process",
      '{kind: python, code: "import os\\nos._exit(3)"}',
      /3|ended|exit/,
    ],
  ];
  for (const [what, tool, message] of cases) {
    test(what, async () => {
      const ended = await run(start(tool), { zero: 0 });
      expect(ended.status).toBe("failed");
      expect(ended.error).toMatch(message);
      expect(await whole(ended)).toBe(true);
      const after = await run(start("{kind: noop, result: still here}"));
      expect(after.result).toBe("still here");
    });
  }

  test("a loop over what can't be one", async () => {
    const loop = `- step: start\n  loop: {in: "{{ it }}", iterator: x}\n  tool: {kind: noop}\n`;
    for (const it of [true, 1.5, -1]) {
      const ended = await run(loop, { it });
      expect(ended.error).toMatch(/expected a list/);
    }
  });

  test("paths into prototypes lead nowhere, also as keys of data", async () => {
    const template =
      "{{ data.__proto__.polluted }}|{{ data.constructor.name }}|{{ data.toString }}";
    const ended = await run(
      `${start(`{kind: noop, result: "${template}"}`)}  set: {ctx.__proto__: {polluted: 1}, constructor: 2}\n`,
      { data: JSON.parse('{"__proto__": {"polluted": "own"}}') },
    );
    expect(ended.status).toBe("completed");
    expect(ended.result).toBe("own||");
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });
});
