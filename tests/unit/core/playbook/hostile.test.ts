// What nobody should send: text that is no YAML, bombs, depths, good playbooks broken at random.
// Every one of them is refused with a place, and none makes the parser throw.

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { jsonDepthMax, playbookBytesMax, playbookStepsMax } from "#core/model/limits";
import { parsePlaybook } from "#core/playbook/parse";
import { amount } from "#scripts/test-amount";
import { goodPlaybook, header, positionOf, problemsOf, withTool } from "./playbook-text.ts";

const noop = withTool("kind: noop");
const withWorkload = (yaml: string) => `${noop}workload:\n${yaml}`;

/** The one problem of a text, at the place where `at` stands. */
function expectRefused(source: string, at: string, message: string): void {
  expect(problemsOf(source)).toEqual([`${positionOf(source, at)}: ${message}`]);
}

describe("text that is not YAML", () => {
  const broken: readonly (readonly [string, string, string])[] = [
    ["an open quote", "  a: 'b\n", "not YAML: missing closing 'quote"],
    ["an open list", "  a: [b\n", "not YAML: "],
    ["a map in a line of a map", "  a: b: c\n", "not YAML: a map inside a line of a map"],
    ["a key without a colon", "  a\n  b: 1\n", "not YAML: "],
    ["a wrong indentation", "    a: 1\n  b: 2\n", "not YAML: "],
    ["a tab as indentation", "  a:\n\tb: 1\n", "not YAML: a tab in the indentation"],
    ["an unknown escape", '  a: "\\q"\n', "not YAML: invalid escape sequence \\q"],
    ["text after a value", "  a: 'b' c\n", "not YAML: "],
    ["two anchors on one value", "  a: &x &y 1\n", "not YAML: "],
    ["an unknown tag", "  a: !secret b\n", "not YAML: tag !secret is unknown"],
    ["a known tag of other YAML", "  a: !!binary aGk=\n", "not YAML: tag "],
  ];
  for (const [name, yaml, message] of broken) {
    test(`is refused with a position: ${name}`, () => {
      const source = withWorkload(yaml);
      const problems = problemsOf(source);
      expect(problems.length).toBeGreaterThan(0);
      const [line, column, ...said] = (problems[0] ?? "").split(":");
      expect(Number(line)).toBeGreaterThanOrEqual(source.split("\n").indexOf("workload:") + 1);
      expect(Number(column)).toBeGreaterThan(0);
      expect(said.join(":").trim()).toStartWith(message);
    });
  }

  test("is told whole: every complaint has its own place", () => {
    const source = withWorkload("  a: 'b' c\n  d: 'e' f\n");
    expect(problemsOf(source).map((problem) => problem.split(": ")[0])).toEqual([
      positionOf(source, "c\n"),
      positionOf(source, "f\n"),
    ]);
  });

  test("for want of quotes around a template says so", () => {
    const lone = withTool("kind: http", "url: {{ workload.api }}");
    expectRefused(
      lone,
      "{{",
      "{{ without quotes is a map in a map to YAML, expected " +
        "text; a value that begins with {{ must stand in quotes",
    );
    const more = withTool("kind: http", "url: {{ workload.api }}/orders");
    expect(problemsOf(more)[0]).toEndWith("; a value that begins with {{ must stand in quotes");
  });
});

describe("text that is YAML, but no playbook", () => {
  test("nothing, a comment, a list, a text, a number", () => {
    expect(problemsOf("")).toEqual(["1:1: the document is empty, expected a playbook"]);
    expect(problemsOf("# nothing\n")).toHaveLength(1);
    expect(problemsOf("- a\n")).toEqual(["1:1: the document is a list, expected a map"]);
    expect(problemsOf("a\n")).toEqual(["1:1: the document is text, expected a map"]);
    expect(problemsOf("3\n")).toEqual(["1:1: the document is 3, expected a map"]);
    expect(problemsOf("~\n")).toEqual(["1:1: the document is empty, expected a map"]);
  });

  test("several documents in one file", () => {
    const source = `${noop}---\n${noop}`;
    expectRefused(source, "---", "not YAML: a second document in one file, expected one playbook");
  });

  test("keys that stand twice, at any depth, also as number and text", () => {
    const source = withWorkload("  a: 1\n  b: {c: 1, d: 2, c: 3}\n  'a': 2\n  1: x\n  '1': y\n");
    expect(problemsOf(source)).toEqual([
      `${positionOf(source, "c: 3")}: a second key 'c' in one map, expected each key once`,
      `${positionOf(source, "'a': 2")}: a second key 'a' in one map, expected each key once`,
      `${positionOf(source, "'1': y")}: a second key '1' in one map, expected each key once`,
    ]);
  });

  test("numbers and booleans as keys of the language", () => {
    expectRefused(`${noop}1: a\n`, "1: a", "unknown playbook key '1'");
    expectRefused(`${noop}true: a\n`, "true: a", "unknown playbook key 'true'");
  });

  test("maps and nothing as keys", () => {
    const list = withWorkload("  ? [a]\n  : 1\n");
    expect(problemsOf(list)[0]).toStartWith(
      `${positionOf(list, "[a]")}: a map or list as a key, expected text`,
    );
    const empty = withWorkload("  a: {: 1}\n");
    expect(problemsOf(empty)).toEqual([
      `${positionOf(empty, ": 1}")}: an empty key, expected text`,
    ]);
  });

  test("numbers that JSON doesn't have", () => {
    for (const bad of [".nan", ".inf", "-.inf", "1e999"]) {
      const source = withWorkload(`  a: ${bad}\n`);
      expectRefused(source, bad, `'${bad}' is no JSON number, expected a finite one`);
    }
  });

  test("aliases of nothing and of what they stand in", () => {
    const unknown = withWorkload("  a: *b\n");
    expectRefused(unknown, "*b", "alias 'b' refers to an unknown anchor");
    const own = withWorkload("  a: &a [1, *a]\n");
    expectRefused(own, "*a", "alias 'a' refers to a value that contains it");
  });

  test("merges of what is no map", () => {
    const source = withWorkload("  a: {<<: [1, {b: 2}]}\n");
    expectRefused(source, "<<", "'<<' merges something else, expected a map or a list of maps");
  });
});

describe("characters", () => {
  test("that are no text are refused with their place and number", () => {
    for (const [character, code] of [
      ["\u0000", "0000"],
      ["\u0007", "0007"],
      ["\u001b", "001B"],
      ["\u007f", "007F"],
      ["\u0090", "0090"],
      ["\uffff", "FFFF"],
      ["\ud800", "D800"],
      ["\udc00", "DC00"],
    ]) {
      const source = withWorkload(`  a: 'b${character}c'\n`);
      const at = positionOf(source, character ?? "");
      expect(problemsOf(source)).toEqual([
        `${at}: character U+${code} is not allowed, expected printable text`,
      ]);
    }
  });

  test("that are half of a pair are refused in escapes too", () => {
    const source = withWorkload('  a: "\\ud800"\n');
    expect(problemsOf(source)[0]).toStartWith(`${positionOf(source, '"\\u')}: `);
  });

  test("of any language and picture are welcome", () => {
    expect(problemsOf(withWorkload("  größe: '日本語 😀 \u0085'\n"))).toEqual([]);
  });
});

describe("bounds", () => {
  test("a playbook of too many bytes is refused before it is read", () => {
    const comment = `# ${"é".repeat(playbookBytesMax / 2)}\n`;
    expect(problemsOf(noop + comment)[0]).toMatch(
      /^1:1: the playbook has \d+ bytes, expected at most 4194304$/,
    );
    expect(problemsOf(`${noop}# ${"é".repeat(playbookBytesMax / 2 - 500)}\n`)).toEqual([]);
  });

  test("so is one of too many steps", () => {
    const source = `${header}workflow: [${"{}, ".repeat(playbookStepsMax + 1)}]\n`;
    expectRefused(source, "workflow", "'workflow' has 10001 steps, expected at most 10000");
  });

  test("a bomb of aliases is refused by its number of values", () => {
    const level = (n: number) => `  l${n}: &l${n} [${`*l${n - 1}, `.repeat(10)}]\n`;
    const bomb = withWorkload(
      `  l0: &l0 [${"x, ".repeat(10)}]\n${[1, 2, 3, 4, 5, 6, 7, 8, 9].map(level).join("")}`,
    );
    expect(problemsOf(bomb)).toHaveLength(1);
    expect(problemsOf(bomb)[0]).toMatch(
      /: more than (1000000 values, aliases counted|100 aliases), expected fewer$/,
    );
    const few = withWorkload(`  a: &a [${"1, ".repeat(20_000)}]\n  b: [${"*a, ".repeat(60)}]\n`);
    expect(problemsOf(few)[0]).toEndWith(
      ": more than 1000000 values, aliases counted, expected fewer",
    );
  });

  test("more than a hundred aliases are refused at the first one too many", () => {
    const good = withWorkload(`  a: &a 1\n  b: [${"*a, ".repeat(100)}]\n`);
    expect(problemsOf(good)).toEqual([]);
    const source = withWorkload(`  a: &a 1\n  b: [${"*a, ".repeat(100)}*a]\n`);
    expectRefused(source, "*a]", "more than 100 aliases, expected fewer");
  });

  test("nesting is refused where it gets too deep, however deep it goes on", () => {
    const nested = (depth: number) =>
      withWorkload(`  a: ${"[".repeat(depth)}${"]".repeat(depth)}\n`);
    expect(problemsOf(nested(jsonDepthMax - 2))).toEqual([]);
    const source = nested(jsonDepthMax + 10);
    expect(problemsOf(source)).toHaveLength(1);
    expect(problemsOf(source)[0]).toEndWith(`: nested deeper than ${jsonDepthMax} levels`);
    for (const deep of ["[", "{a: ", "- ", "? ", "{? [", "&a [", "!!seq ["]) {
      for (const source of [
        deep.repeat(amount(20_000)),
        withWorkload(`  a:\n    ${deep.repeat(amount(20_000))}`),
      ]) {
        const problems = problemsOf(source);
        expect(problems.length).toBeGreaterThan(0);
        for (const problem of problems.slice(0, 3)) expect(problem).toMatch(/^\d+:\d+: /);
      }
    }
  });

  test("a template nested too deep, or too long, is a problem like another", () => {
    const source = withTool("kind: noop", `message: '{{ ${"(".repeat(20_000)} }}'`);
    expect(problemsOf(source)).toHaveLength(1);
    const long = withTool("kind: noop", `message: '{{ a${" + a".repeat(300_000)} }}'`);
    expect(problemsOf(long)).toHaveLength(1);
  });
});

describe("work stays in proportion to the text", () => {
  const wide = amount(20_000);
  const targets = Array.from(
    { length: amount(2_000) },
    (_, n) => `  - {step: to${n}, tool: {kind: noop}, next: {arcs: [{step: ot${n}}]}}\n`,
  );
  const texts: readonly (readonly [string, string])[] = [
    ["wide maps", withWorkload(Array.from({ length: wide }, (_, n) => `  k${n}: 1\n`).join(""))],
    ["unknown keys", noop + Array.from({ length: wide }, (_, n) => `workload${n}: 1\n`).join("")],
    ["repeated keys", withWorkload("  a: 1\n".repeat(wide))],
    ["unknown targets", `${header}workflow:\n${targets.join("")}`],
    [
      "unknown tool fields",
      withTool("kind: noop", ...Array.from({ length: wide }, (_, n) => `k${n}: 1`)),
    ],
    ["white space", `${noop}${" ".repeat(50_000)}\n${"\n".repeat(50_000)}`],
    ["comments", noop + "# comment\n".repeat(20_000)],
    ["stray brackets", "}\n".repeat(10_000)],
    ["document marks", "---\n".repeat(10_000)],
    ["anchors", "&a ".repeat(10_000)],
    ["white space in templates", withTool("kind: noop", `message: '{{ a${" ".repeat(500_000)}}}'`)],
    [
      "templates that don't parse",
      withTool("kind: noop", `message: [${"'{{ a b }}', ".repeat(5_000)}]`),
    ],
    [
      "lines of one folded text",
      withTool(
        "kind: noop",
        "message: >",
        ...Array.from({ length: amount(50_000) }, () => "  word"),
        "  {{ a b }}",
      ),
    ],
    [
      "lines of one quoted text",
      withTool(
        "kind: noop",
        "message: '",
        ...Array.from({ length: amount(50_000) }, () => "  word"),
        "  {{ a b }}'",
      ),
    ],
  ];
  for (const [name, source] of texts) {
    test(`over ${name}`, () => {
      const result = parsePlaybook(source);
      if (!result.ok) expect(result.problems.length).toBeGreaterThan(0);
    }, 10_000);
  }
});

describe("a good playbook with anything done to it", () => {
  const check = (source: string): void => {
    const result = parsePlaybook(source);
    const lines = source.split("\n").length;
    const told = [...(result.ok ? [] : result.problems), ...result.warnings];
    const misplaced = told.filter(
      ({ line, column, message }) => line < 1 || line > lines || column < 1 || message === "",
    );
    expect(misplaced).toEqual([]);
    if (!result.ok) expect(result.problems.length).toBeGreaterThan(0);
  };
  const place = fc.integer({ min: 0, max: goodPlaybook.length });
  const bounded = { seed: 11, numRuns: amount(200) };

  test("is read or refused, never thrown at: characters put in and taken out", () => {
    const piece = fc.constantFrom(
      ..."{}[]:,-?&*!|>'\"%@`# \n\t\u0000\\<~",
      "{{",
      "}}",
      "{%",
      "<<: ",
      "*a",
      "&a ",
      "\n- ",
      "\n---\n",
      "null",
      "1",
      "__proto__: 1",
      "constructor: {}",
    );
    const edit = fc.record({ at: place, remove: fc.integer({ min: 0, max: 12 }), insert: piece });
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
        let source = goodPlaybook;
        for (const { at, remove, insert } of edits) {
          source = source.slice(0, at) + insert + source.slice(at + remove);
        }
        check(source);
      }),
      bounded,
    );
  });

  test("is read or refused, never thrown at: lines moved, doubled and lost", () => {
    const lines = goodPlaybook.split("\n");
    const line = fc.integer({ min: 0, max: lines.length - 1 });
    fc.assert(
      fc.property(fc.array(fc.tuple(line, line), { minLength: 1, maxLength: 6 }), (moves) => {
        const moved = [...lines];
        for (const [from, to] of moves) moved[to] = moved[from] ?? "";
        check(moved.join("\n"));
      }),
      bounded,
    );
  });

  test("is read or refused, never thrown at: any value in any place", () => {
    const values = /(: )([^\n{[|>][^\n]*)/g;
    const places = [...goodPlaybook.matchAll(values)].map((match) => match.index + 2);
    const value = fc.oneof(
      fc.json({ maxDepth: 3 }),
      fc.constantFrom(
        "null",
        "true",
        "[]",
        "{}",
        "''",
        "3",
        "-1",
        "'{{ a'",
        "'{{ a b }}'",
        "1e999",
      ),
    );
    fc.assert(
      fc.property(fc.constantFrom(...places), value, (at, text) => {
        const end = goodPlaybook.indexOf("\n", at);
        check(goodPlaybook.slice(0, at) + text + goodPlaybook.slice(end));
      }),
      bounded,
    );
  });
});
