// Loops over everything that is a collection in one sense or another (language reference §1.6).

import { afterAll, beforeAll, expect, test } from "bun:test";
import type { Json } from "#core/model/json";
import { type House, startHouse } from "#tests/support/embedded";

let house: House;

beforeAll(async () => {
  house = await startHouse();
});
afterAll(() => house.close());

const playbook = (source: string): string => `
apiVersion: noetl.io/v2
kind: Playbook
metadata: {name: t, path: loops/over}
workflow:
- step: each
  loop: {in: ${source}, iterator: x, spec: {mode: parallel}}
  tool: {kind: noop, result: "{{ x }}"}
  next: {arcs: [{step: end}]}
- step: end
  tool: {kind: noop, result: "{{ each.results }}"}
`;

const cases: readonly (readonly [string, string, Json])[] = [
  ["a list", "[1, 2]", [1, 2]],
  [
    "a map",
    "{b: 1, a: 2}",
    [
      { key: "b", value: 1 },
      { key: "a", value: 2 },
    ],
  ],
  ["a number", "3", [0, 1, 2]],
  ["text with commas", "'red, green'", ["red", "green"]],
  ["a template that gives a number", '"{{ n }}"', [0, 1]],
  ["a template that gives a map", '"{{ map }}"', [{ key: "k", value: [1] }]],
  ["a template inside text", '"{{ n }},{{ n }}"', ["2", "2"]],
  ["a list of lists", '[["a"], "{{ n }}"]', [["a"], 2]],
  ["nothing", '"{{ none_such }}"', []],
];
for (const [what, source, results] of cases) {
  test(`a loop over ${what}`, async () => {
    await house.register(playbook(source));
    const ended = await house.run("loops/over", { n: 2, map: { k: [1] } });
    expect([ended.status, ended.result]).toEqual(["completed", results]);
  });
}

test("a loop over true says what it found", async () => {
  await house.register(playbook('"{{ true }}"'));
  const ended = await house.run("loops/over");
  expect(ended.status).toBe("failed");
  expect(ended.error).toContain(
    "loop.in is true, expected a list, a map, a text or a whole number",
  );
});
