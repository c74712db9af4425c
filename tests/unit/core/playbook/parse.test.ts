// From text to the canonical document, and from a problem to its place in the text.

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { amount } from "#scripts/test-amount";
import {
  documentOf,
  goodPlaybook,
  header,
  positionOf,
  problemsOf,
  warningsOf,
  withStepKeys,
  withTool,
} from "./playbook-text.ts";

describe("a good playbook", () => {
  test("uses every part of the language and gives neither problem nor warning", () => {
    expect(problemsOf(goodPlaybook)).toEqual([]);
    expect(warningsOf(goodPlaybook)).toEqual([]);
  });

  test("keeps values as written: workload is data, and so is every tool field", () => {
    const document = documentOf(goodPlaybook);
    expect(document.workload).toEqual({
      api: "https://example.org",
      "404": "not found",
      template: "{{ stays text",
    });
    expect(document.metadata.owner).toEqual({ mail: "shop@example.org" });
    expect(document.workflow[2]?.tool).toEqual([
      { kind: "workbook", name: "greet", input: { who: "you" } },
    ]);
  });

  test("reads as itself once it is in its canonical form", () => {
    const document = documentOf(goodPlaybook);
    expect(documentOf(JSON.stringify(document))).toEqual(document);
  });

  test("has a list of tools in every step", () => {
    expect(documentOf(goodPlaybook).workflow.map((step) => step.tool.length)).toEqual([
      1, 4, 1, 1, 1, 1, 1,
    ]);
  });

  test("has single tags as lists", () => {
    const { metadata } = documentOf(goodPlaybook);
    expect(metadata.tags).toEqual(["shop"]);
    expect(metadata.capabilities).toEqual(["orders"]);
  });

  test("has one spelling of rules: a condition or none, and always a do", () => {
    const [fetch, each] = documentOf(goodPlaybook).workflow;
    const rulesOf = (tool: unknown) =>
      JSON.stringify((tool as { spec: { policy: { rules: unknown } } }).spec.policy.rules);
    expect(rulesOf(fetch?.tool[0])).toBe(
      '[{"when":"output.http.status in [429, 503]","then":{"do":"retry","attempts":5,' +
        '"backoff":"exponential","delay":0.5}},' +
        '{"when":true,"then":{"do":"continue","set":{"ctx.page":"{{ output.data.page }}"}}}]',
    );
    expect(rulesOf(each?.tool[0])).toBe(
      `[{"when":"output.status == 'error'","then":{"do":"jump","to":"note"}},` +
        '{"then":{"do":"break"}}]',
    );
    const [entry] = documentOf(goodPlaybook).workbook ?? [];
    expect(rulesOf(entry?.tool)).toBe('[{"then":{"do":"break"}}]');
    expect(rulesOf(each?.tool[2])).toBe('[{"then":{"do":"jump","to":"previous"}}]');
    expect(rulesOf(each?.tool[3])).toBe(
      '[{"when":true,"then":{"do":"continue","set":{"a":1}}},{"else":null,"then":{"do":"fail"}}]',
    );
  });

  test("of version v10 is one of version v2", () => {
    const document = documentOf(goodPlaybook.replace("noetl.io/v2", "noetl.io/v10"));
    expect(document).toEqual(documentOf(goodPlaybook));
  });

  test("may begin with a byte order mark and have Windows line ends", () => {
    const windows = `\uFEFF${goodPlaybook.replaceAll("\n", "\r\n")}`;
    expect(documentOf(windows)).toEqual(documentOf(goodPlaybook));
    expect(problemsOf("\uFEFFkind: Playbok")).toEqual([
      "1:7: 'kind' is 'Playbok', expected Playbook, did you mean 'Playbook'?",
    ]);
  });
});

describe("YAML values", () => {
  const workload = (lines: string) => documentOf(`${withTool("kind: noop")}workload:\n${lines}`);

  test("dates and times stay text, yes and no too", () => {
    expect(
      workload("  a: 2024-01-01\n  b: 2024-01-01T10:00:00Z\n  c: yes\n  d: off\n  e: 0123\n")
        .workload,
    ).toEqual({
      a: "2024-01-01",
      b: "2024-01-01T10:00:00Z",
      c: "yes",
      d: "off",
      e: 123,
    });
  });

  test("a %YAML 1.1 line changes nothing of this", () => {
    const source = `%YAML 1.1\n---\n${withTool("kind: noop")}workload: {a: yes, b: 2024-01-01}\n`;
    expect(documentOf(source).workload).toEqual({ a: "yes", b: "2024-01-01" });
  });

  test("integers beyond 2^53 are kept to the digit, as text, with a warning", () => {
    const source =
      `${withTool("kind: noop")}workload:\n  a: 123456789012345678901\n  b: ` +
      "-9007199254740993\n  c: 0xFFFFFFFFFFFFFFFF\n  d: 9007199254740991\n  e: 1e300\n";
    expect(documentOf(source).workload).toEqual({
      a: "123456789012345678901",
      b: "-9007199254740993",
      c: "18446744073709551615",
      d: 9007199254740991,
      e: 1e300,
    });
    expect(warningsOf(source).map((line) => line.split(":").slice(0, 2).join(":"))).toEqual([
      positionOf(source, "1234567"),
      positionOf(source, "-900719"),
      positionOf(source, "0xFFFF"),
    ]);
  });

  test("numbers and booleans as keys of data are text, as they are written", () => {
    expect(workload("  1: a\n  1.50: b\n  true: c\n").workload).toEqual({
      "1": "a",
      "1.50": "b",
      true: "c",
    });
  });

  test(
    "anchors and merges give the values they " + "stand for; own keys win, of several the first",
    () => {
      const { workload: data } = workload(
        "  base: &base {a: 1, b: 2}\n  more: &more {b: 3, c: 4}\n  one: {<<: " +
          "*base, a: 9}\n  two: {<<: [*base, *more]}\n  same: *base\n  '<<': text\n",
      );
      expect(data).toEqual({
        base: { a: 1, b: 2 },
        more: { b: 3, c: 4 },
        one: { a: 9, b: 2 },
        two: { a: 1, b: 2, c: 4 },
        same: { a: 1, b: 2 },
        "<<": "text",
      });
    },
  );

  test("__proto__ is a key like any other, in data and in merges", () => {
    const { workload: data } = workload(
      "  a: &a {__proto__: {polluted: true}, constructor: 1}\n  b: {<<: *a}\n",
    );
    expect(Object.keys((data as { a: object }).a)).toEqual(["__proto__", "constructor"]);
    expect(Object.keys((data as { b: object }).b)).toEqual(["__proto__", "constructor"]);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
    expect((data as { a: { polluted?: boolean } }).a.polluted).toBeUndefined();
  });
});

describe("the place of a template error", () => {
  const styles: readonly (readonly [string, string])[] = [
    ["a plain text", "url: http://x/{{ a | nosuch }}"],
    [
      "a plain text over several lines",
      "url: http://x/{{ a\n\n\n          or b\n          | nosuch }}",
    ],
    ["a single-quoted text", "url: 'it''s {{ ''a'' | nosuch }}'"],
    [
      "a single-quoted text over several lines",
      "url: 'a  \n\n        b ''c''\n        {{ d | nosuch }}'",
    ],
    ["a double-quoted text", 'url: "a\\t\\x41\\u0042\\U0001F600\\"{{ b | nosuch }}"'],
    [
      "a double-quoted text over several lines",
      'url: "a\n        b \\\n        c\\n\n\n        {{ d | nosuch }}"',
    ],
    ["a literal block", "url: |\n        first\n          {{ a }}\n        {{ b | nosuch }}"],
    [
      "a literal block with an indentation of its own",
      "url: |2-\n          first\n        {{ b | nosuch }}",
    ],
    ["a folded block", "url: >\n        one\n        two {{ a }}\n\n        {{ b | nosuch }}"],
    [
      "a folded block with deeper lines",
      "url: >-\n\n        one\n          two\n          three\n\n        {{ b\n        | nosuch }}",
    ],
    [
      "a folded block with an indentation of its own",
      "url: >2\n          one\n        {{ b | nosuch }}",
    ],
    ["a text with an anchor", "url: &here '{{ b | nosuch }}'"],
    ["a text beyond the first plane", 'url: "\u{1F600} {{ b | nosuch }}"'],
  ];
  for (const [name, lines] of styles) {
    for (const [ends, end] of [
      ["", "\n"],
      [" with Windows line ends", "\r\n"],
    ] as const) {
      test(`is exact in ${name}${ends}`, () => {
        const source = withTool("kind: http", ...lines.split("\n")).replaceAll("\n", end);
        const [problem, ...rest] = problemsOf(source);
        expect(rest).toEqual([]);
        expect(problem).toStartWith(`${positionOf(source, "nosuch")}: template: `);
      });
    }
  }

  test("is exact whatever stands before it", () => {
    const word = fc
      .array(fc.constantFrom(..."abz'\"\\ :#-é😀"), { maxLength: 12 })
      .map((letters) => letters.join(""));
    const style = fc.constantFrom("|", ">", "|-", ">+", "'", '"');
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 6 }), style, (words, kind) => {
        const quote = kind === "'" || kind === '"';
        const text = words.map((part) => (quote ? quoted(part, kind) : part.trimStart()));
        const lines = ["first", ...text, "{{ a | nosuch }}"].map((line) => `  ${line}`);
        const source = quote
          ? withTool("kind: http", `url: ${kind}`, ...lines, `  ${kind}`)
          : withTool("kind: http", `url: ${kind}`, ...lines);
        expect(problemsOf(source)[0]).toStartWith(`${positionOf(source, "nosuch")}: template: `);
      }),
      { seed: 7, numRuns: amount(400) },
    );
  });

  test("is told once for a text that an alias repeats", () => {
    const source = withTool("kind: http", "url: &u '{{ b | nosuch }}'", "headers: {a: *u, b: *u}");
    expect(problemsOf(source)).toHaveLength(1);
  });

  test("is exact in conditions without braces", () => {
    const source = withStepKeys("next:", "  arcs:", "    - {step: end, when: 'a and b | nosuch'}");
    expect(problemsOf(source)[0]).toStartWith(`${positionOf(source, "nosuch")}: `);
  });
});

function quoted(part: string, quote: string): string {
  if (quote === "'") return part.replaceAll("'", "''");
  return part.replaceAll("\\", "\\\\").replaceAll('"', '\\"');
}

describe("problems", () => {
  test("are all told, in the order of the text", () => {
    const source =
      `${header}workflow:\n  - step: start\n    tol: 1\n    tool: {kind: nop}\n    next: ` +
      `{arcs: [{step: strat}]}\n  - step: start\n    tool: {kind: noop, message: '{{ }}'}\n`;
    expect(problemsOf(source).map((line) => line.split(": ")[0])).toEqual([
      positionOf(source, "tol:"),
      positionOf(source, "nop}"),
      positionOf(source, "strat}"),
      positionOf(source, "start\n    tool: {kind: noop, m"),
      positionOf(source, "}}'"),
    ]);
  });

  test("point into merged keys and aliases where they are written", () => {
    const source = withTool("- &a {kind: nop, name: x}", "- {<<: *a, name: y}");
    expect(problemsOf(source)).toEqual([
      `${positionOf(source, "nop,")}: unknown tool kind 'nop', did you mean 'noop'?`,
    ]);
  });

  test("of a text without end are counted, not all told", () => {
    const many = Array.from({ length: 3000 }, (_, index) => `bad${index}: 1\n`).join("");
    const problems = problemsOf(withTool("kind: noop") + many);
    expect(problems).toHaveLength(1001);
    expect(problems[1000]).toEndWith(": 2000 more problems are not listed");
  });
});

describe("keys written without a value", () => {
  const source = `apiVersion: noetl.io/v2
kind: Playbook
metadata: {name: t, path: t, description: , tags: }
workload:
keychain:
executor: {spec: }
workflow:
- step: start
  desc:
  set:
  input:
  loop:
  spec:
  tool: {kind: noop, result: null, set: , spec: {policy: }}
  next:
    spec:
    arcs:
    - {step: end, when: , set: }
- step: end
  tool: {kind: noop}
  next:
`;
  test("count as absent, each with a warning, and run", () => {
    expect(problemsOf(source)).toEqual([]);
    expect(warningsOf(source).length).toBe(16);
    expect(documentOf(source)).toEqual({
      apiVersion: "noetl.io/v2",
      kind: "Playbook",
      metadata: { name: "t", path: "t" },
      executor: {},
      workflow: [
        {
          step: "start",
          tool: [{ kind: "noop", result: null, spec: {} }],
          next: { arcs: [{ step: "end" }] },
        },
        { step: "end", tool: [{ kind: "noop" }] },
      ],
    });
  });
  test("are refused where something has to stand", () => {
    expect(
      problemsOf(source.replace("workflow:", "workflow: []\nx:").split("- step")[0] ?? ""),
    ).not.toEqual([]);
    expect(
      problemsOf(source.replace("arcs:\n    - {step: end, when: , set: }", "arcs:")),
    ).not.toEqual([]);
    expect(problemsOf(source.replace("metadata: {name: t", "metadata: {name: "))).not.toEqual([]);
  });
});
