// Comparisons of texts: each leads from one to the other, and none takes more effort than it may.

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { compare } from "#control/catalog/compare";
import { lineDiff } from "#control/catalog/line-diff";
import { diffEditsMax } from "#core/model/catalog-limits";

/** Applies the hunks of a unified diff. */
function patched(from: string, diff: string): string {
  const old = linesOf(from);
  const lines: string[] = [];
  let at = 0;
  for (const line of diff === "" ? [] : diff.split("\n")) {
    const [, start, count] = /^@@ -(\d+),(\d+) /.exec(line) ?? [];
    if (start !== undefined) {
      const until = Number(start) - (Number(count) === 0 ? 0 : 1);
      while (at < until) lines.push(old[at++] ?? "");
    } else if (line.startsWith("+")) lines.push(line.slice(1));
    else {
      expect(line.slice(1)).toBe(old[at] ?? "missing");
      if (line.startsWith(" ")) lines.push(line.slice(1));
      at++;
    }
  }
  return [...lines, ...old.slice(at)].map((line) => `${line}\n`).join("");
}

const linesOf = (text: string): readonly string[] => text.split("\n").slice(0, -1);
const text = fc
  .array(fc.constantFrom("a", "b", "c", "", "d d"), { maxLength: 40 })
  .map((lines) => lines.map((line) => `${line}\n`).join(""));

test("the hunks lead from the one to the other", () => {
  fc.assert(
    fc.property(text, text, (from, to) => {
      const diff = lineDiff(from, to);
      expect(patched(from, diff.text)).toBe(to);
      expect(diff.added - diff.removed).toBe(linesOf(to).length - linesOf(from).length);
    }),
    { numRuns: 300 },
  );
});

test("no shorter way is there", () => {
  // The longest common part of both by the plain table of all of them.
  const common = (a: readonly string[], b: readonly string[]): number => {
    let row = new Array<number>(b.length + 1).fill(0);
    for (const line of a) {
      const next = [0];
      for (const [at, other] of b.entries()) {
        const kept = Math.max(row[at + 1] ?? 0, next[at] ?? 0);
        next.push(line === other ? (row[at] ?? 0) + 1 : kept);
      }
      row = next;
    }
    return row.at(-1) ?? 0;
  };
  fc.assert(
    fc.property(text, text, (from, to) => {
      const [a, b] = [linesOf(from), linesOf(to)];
      const { added, removed } = lineDiff(from, to);
      expect(added + removed).toBe(a.length + b.length - 2 * common(a, b));
    }),
    { numRuns: 200 },
  );
});

describe("what differs too much", () => {
  const lines = (prefix: string, count: number): string =>
    Array.from({ length: count }, (_, n) => `${prefix}${n}\n`).join("");

  test("is shown as replaced whole, between what is the same", () => {
    const from = `head\n${lines("a", diffEditsMax)}tail\n`;
    const to = `head\n${lines("b", diffEditsMax)}tail\n`;
    const diff = lineDiff(from, to);
    expect(diff).toMatchObject({ isCoarse: true, added: diffEditsMax, removed: diffEditsMax });
    expect(patched(from, diff.text)).toBe(to);
  });

  test("is found in long texts where it is little", () => {
    const from = lines("a", 100_000);
    const to = from.replace("a500\n", "x\n").replace("a900\n", "");
    expect(lineDiff(from, to)).toMatchObject({ isCoarse: false, added: 1, removed: 2 });
  });
});

test("parts of playbooks are told by name, whatever their form", () => {
  const playbook = (body: string) => `apiVersion: noetl.io/v2\nkind: Playbook\n${body}`;
  const from = playbook(`metadata: {name: p}
workload: {a: 1, b: 2}
workflow: [{step: s, tool: {kind: noop}}, {step: t, tool: {kind: noop}}]`);
  const to = playbook(`metadata: {name: p, description: d}
workload: {b: 3, c: 4}
workflow: [{step: s, tool: [{kind: noop}]}, {step: u, tool: {kind: noop}}]`);
  expect(compare(from, to)).toMatchObject({
    steps: { added: ["u"], removed: ["t"], changed: [] },
    workload: { added: ["c"], removed: ["a"], changed: ["b"] },
    parts: { added: [], removed: [], changed: ["metadata"] },
  });
  expect(compare("no: playbook", "none: either").steps).toEqual({
    ...{ added: [], removed: [], changed: [] },
  });
});
