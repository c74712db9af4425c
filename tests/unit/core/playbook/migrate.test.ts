// Rewriting playbooks of older forms: the words that are about them change, the layout and every
// comment stay, and what comes out means what went in.

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { migratePlaybook } from "#core/playbook/migrate";
import { commentsIn } from "#core/playbook/read-yaml";
import { olderPlaybooks } from "./older-playbooks.ts";
import { documentOf, header, positionOf, problemsOf, warningsOf } from "./playbook-text.ts";

const playbook = (text: string) => `${header}workflow:\n${text}`;
const start = "  - step: start\n    tool: {kind: noop}\n";
const end = "  - step: end\n    tool: {kind: noop}\n";

/** Steps as they are written before and after; nothing is left to do. */
function expectMigrated(before: string, after: string): void {
  const { text, unresolved } = migratePlaybook(playbook(before));
  expect(text).toBe(playbook(after));
  expect(unresolved).toEqual([]);
  expect(migratePlaybook(text)).toMatchObject({ text, changes: [], unresolved: [] });
}

/** What is left to do, as `line:column: message`. */
function leftIn(source: string): readonly string[] {
  const { unresolved } = migratePlaybook(source);
  return unresolved.map(({ line, column, message }) => `${line}:${column}: ${message}`);
}

describe("every playbook of older forms", () => {
  test("means the same afterwards, keeps its comments, and has nothing left to rewrite", () => {
    let rewritten = 0;
    fc.assert(
      fc.property(olderPlaybooks, (source) => {
        fc.pre(problemsOf(source).length === 0);
        const { text, unresolved, changes } = migratePlaybook(source);
        expect(documentOf(text)).toEqual(documentOf(source));
        expect(comments(text)).toEqual(comments(source));
        expect(unresolved).toEqual([]);
        expect(warningsOf(text).filter((warning) => warning.includes("older form"))).toEqual([]);
        expect(migratePlaybook(text).changes).toEqual([]);
        if (changes.length > 0) rewritten++;
      }),
      { numRuns: 40 },
    );
    expect(rewritten).toBeGreaterThan(20);
  }, 60_000);
});

function comments(source: string): readonly string[] {
  return commentsIn(source)
    .map(({ from, to }) => source.slice(from, to).trim())
    .sort();
}

describe("next", () => {
  test("as a name, with the comment behind it", () => {
    expectMigrated(
      `${start}    next: end   # and out\n${end}`,
      `${start}    next: {arcs: [{step: end}]}   # and out\n${end}`,
    );
    expectMigrated(
      `  - step: start\n    tool: {kind: noop}\n    next: "yes, [sir]"\n${end.replace("end", "'yes, [sir]'")}`,
      `  - step: start\n    tool: {kind: noop}\n    next: {arcs: [{step: "yes, [sir]"}]}\n${end.replace("end", "'yes, [sir]'")}`,
    );
  });

  test("as a block list: its lines move in, comments and block scalars with them", () => {
    expectMigrated(
      `${start}    # where to go
    next:   # all of them
      # the first
      - step: end   # here
        set:
          text: |
            two
              lines

      - start
    # the end
${end}`,
      `${start}    # where to go
    next:   # all of them
      spec: {mode: inclusive}
      arcs:
        # the first
        - step: end   # here
          set:
            text: |
              two
                lines

        - step: start
    # the end
${end}`,
    );
  });

  test("as a list at the indentation of its key, and one of wide steps", () => {
    expectMigrated(
      `${start}    next:\n    - {step: end, when: a}\n    - start\n${end}`,
      `${start}    next:\n      arcs:\n      - {step: end, when: a}\n      - step: start\n${end}`,
    );
    expectMigrated(
      `${start}    next:\n        - end\n${end}`,
      `${start}    next:\n        arcs:\n            - step: end\n${end}`,
    );
  });

  test("as one arc, and in flow maps", () => {
    expectMigrated(
      `${start}    next:\n      # only there\n      when: a\n      step: end\n${end}`,
      `${start}    next:\n      arcs:\n        # only there\n        - when: a\n          step: end\n${end}`,
    );
    expectMigrated(
      "  - {step: start, next: [end, start], tool: {kind: noop}}\n  - {tool: {kind: noop}, next: {step: start}, step: end}\n",
      "  - {step: start, next: {spec: {mode: inclusive}, arcs: [{step: end}, {step: start}]}, tool: {kind: noop}}\n  - {tool: {kind: noop}, next: {arcs: [{step: start}]}, step: end}\n",
    );
  });

  test("next_mode moves, and the spec that it leaves empty goes", () => {
    expectMigrated(
      `${start}    spec:\n      # so\n      next_mode: exclusive   # one\n    next: [end, start]\n${end}`,
      `${start}    # so\n    # one\n    next: {spec: {mode: exclusive}, arcs: [{step: end}, {step: start}]}\n${end}`,
    );
    expectMigrated(
      `${start}    spec: {timeout: 3, next_mode: inclusive}\n    next:\n      arcs: [{step: end}]\n${end}`,
      `${start}    spec: {timeout: 3}\n    next:\n      spec: {mode: inclusive}\n      arcs: [{step: end}]\n${end}`,
    );
    expectMigrated(
      `${start}    next: {spec: {next_mode: inclusive}, arcs: [{step: end}]}\n${end}`,
      `${start}    next: {spec: {mode: inclusive}, arcs: [{step: end}]}\n${end}`,
    );
  });
});

test("what arcs hand over is set, and input of the step", () => {
  expectMigrated(
    `${start}    next:
      arcs:
        - step: end
          args:   # along
            page: 1
        - {step: start, input: {a: 1}, set: {b: 2}}
  - step: end
    input:
      own: 1   # mine
    tool: {kind: noop}
`,
    `  - step: start
    input: {a: "{{ ctx.a }}"}
    tool: {kind: noop}
    next:
      arcs:
        - step: end
          set:   # along
            page: 1
        - {step: start, set: {a: 1, b: 2}}
  - step: end
    input:
      page: "{{ ctx.page }}"
      own: 1   # mine
    tool: {kind: noop}
`,
  );
});

describe("tools", () => {
  test("tasks under their labels, in blocks and in flow", () => {
    expectMigrated(
      `  - step: start
    tool:
      - fetch:   # first
          kind: python
          code: |
            if True:
              result = 1
      - store: {kind: noop}   # second
      - {last: {kind: noop}}
`,
      `  - step: start
    tool:
      - name: fetch   # first
        kind: python
        code: |
          if True:
            result = 1
      - {name: store, kind: noop}   # second
      - {name: last, kind: noop}
`,
    );
  });

  test("retry and eval; comments inside stand above", () => {
    expectMigrated(
      `  - step: start
    tool:
      kind: noop
      retry:
        max_attempts: 3   # thrice
        initial_delay: 0.5
      message: hi
  - step: end
    tool:
      kind: noop
      spec:
        timeout: 3
      eval:
        # on failure
        - expr: "{{ outcome.status == 'error' }}"
          do: retry
          set_ctx: {n: "it's \\"{{ outcome.n }}\\""}
        - else: {do: break}
`,
      `  - step: start
    tool:
      kind: noop
      # thrice
      spec:
        policy:
          rules:
            - when: "{{ output.status == 'error' }}"
              then: {do: retry, attempts: 3, delay: 0.5}
      message: hi
  - step: end
    tool:
      kind: noop
      spec:
        timeout: 3
        policy:
          rules:
            - when: "{{ output.status == 'error' }}"
              then: {do: retry, set: {ctx.n: 'it''s "{{ output.n }}"'}}
            - else:
                then: {do: break}
      # on failure
`,
    );
  });

  test("second names of fields, and else beside then", () => {
    expectMigrated(
      `  - step: start
    args: {a: 1}
    tool:
      kind: http
      endpoint: https://example.org   # there
      args: {b: 2}
      spec:
        policy:
          rules:
            - else:   # otherwise
              then:
                do: break
`,
      `  - step: start
    input: {a: 1}
    tool:
      kind: http
      url: https://example.org   # there
      input: {b: 2}
      spec:
        policy:
          rules:
            - else:   # otherwise
                then:
                  do: break
`,
    );
  });
});

describe("what the command line of earlier versions ran", () => {
  test("case becomes arcs, conditions in Rhai become templates", () => {
    expectMigrated(
      `  - step: start
    tool: {kind: shell, cmds: [ls]}
    case:
      # when it is large
      - when: "workload.n > 3 && !workload.dry"
        then:
          - set: {ctx.seen: true}
          - next: [{step: large, args: {page: 1}}]
      - when: "{{ workload.n == 2 }}"   # two
        then: {next: small}
      - else: {next: [end]}
  - step: large
    tool: {kind: noop}
    next:
      - step: end
        cond: 'large.name == "x"'   # named so
      - step: small
  - {step: small, tool: {kind: noop}}
${end}`,
      `  - step: start
    tool: {kind: shell, cmds: [ls]}
    # when it is large
    # two
    next:
      arcs:
        - {step: large, when: "{{ workload.n > 3 and not workload.dry }}", set: {page: 1, ctx.seen: true}}
        - {step: small, when: "{{ workload.n == 2 }}"}
        - {step: end}
  - step: large
    input: {page: "{{ ctx.page }}"}
    tool: {kind: noop}
    next:
      arcs:
        - step: end
          when: "{{ large.name == 'x' }}"   # named so
        - step: small
  - {step: small, tool: {kind: noop}}
${end}`,
    );
  });

  test("what has no words here stays, and is told of", () => {
    for (const [lines, place, message] of [
      ["case: [{when: a, then: {call: b}}]", "case", "step key 'case' is an older form; use "],
      ["case: [{when: a, then: {next: [start, end]}}]", "case", "step key 'case' is an older form"],
      ["case: [{when: f(x), then: {next: end}}]", "case", "step key 'case' is an older form"],
      [
        "next: {arcs: [{step: end, cond: x + 1}]}",
        "cond",
        "arc key 'cond' is an older form; use when",
      ],
    ] as const) {
      const source = playbook(`${start}    ${lines}\n${end}`);
      expect(migratePlaybook(source).text).toBe(source);
      expect(leftIn(source)[0]).toStartWith(`${positionOf(source, place)}: ${message}`);
    }
    const kinds = playbook(
      "  - {step: start, tool: {kind: rhai}}\n  - {step: b, tool: {kind: sink}}\n",
    );
    expect(leftIn(kinds)).toHaveLength(2);
  });
});

describe("the file around it", () => {
  test("keeps its line ends, its tabs in comments, its end and its header", () => {
    const source = `${header}workflow:\n${start}    next: [end]\t#\ttabs\n${end}`
      .replace("noetl.io/v2", '"noetl.io/v10"')
      .replaceAll("\n", "\r\n")
      .trimEnd();
    const { text } = migratePlaybook(source);
    expect(text).toBe(
      source.replace('"noetl.io/v10"', "noetl.io/v2").replace("[end]", "{arcs: [{step: end}]}"),
    );
    const block = playbook(`${start}    next:\n      - end\n${end}`).replaceAll("\n", "\r\n");
    expect(migratePlaybook(block).text).not.toMatch(/[^\r]\n/);
  });

  test("without older forms is given back as it is", () => {
    const source = playbook(`# top\n${start}    when: a\n${end}`);
    expect(migratePlaybook(source)).toEqual({
      text: source,
      changes: [],
      unresolved: [],
      readable: true,
    });
  });

  test("tells every change at its place in the source, whatever changed before it", () => {
    const source = playbook(`${start}    next:\n      - end\n${end}    next: start\n`);
    const { changes } = migratePlaybook(source);
    expect(changes.map(({ line, column }) => `${line}:${column}`)).toEqual([
      positionOf(source, "next:\n"),
      positionOf(source, "next: start"),
    ]);
  });
});

describe("what can't be rewritten", () => {
  test("is told where several places share it, and the rest is rewritten", () => {
    const source = playbook(
      "  - step: start\n    tool: &t {kind: noop, retry: {max_attempts: 2}}\n    next: end\n  - step: end\n    tool: *t\n",
    );
    const { text } = migratePlaybook(source);
    expect(text).toBe(source.replace("next: end", "next: {arcs: [{step: end}]}"));
    expect(leftIn(source)).toEqual([
      `${positionOf(source, "retry")}: tool key 'retry' is an older form, read as spec: {policy: {rules: [{when: …, then: {do: retry, …}}]}}; it can't be rewritten here, rewrite it by hand`,
    ]);
  });

  test("is told of forms that are refused, with the form to use", () => {
    const source = playbook(`${start}    vars: {a: 1}\n    next: end\n${end}`);
    expect(leftIn(source)).toEqual([
      `${positionOf(source, "vars")}: step key 'vars' is an older form; use set`,
    ]);
    expect(migratePlaybook(source).changes).toHaveLength(1);
  });

  test("is a text that is no YAML, several documents, and a key that stands twice", () => {
    for (const source of ["a: [", `${playbook(end)}---\n${playbook(end)}`, "- a\n", ""]) {
      const { readable, text, unresolved } = migratePlaybook(source);
      expect({ readable, text }).toEqual({ readable: false, text: source });
      expect(unresolved).not.toEqual([]);
    }
    const twice = playbook(`${start}    next: end\n    next: start\n${end}`);
    expect(migratePlaybook(twice)).toMatchObject({ readable: false, text: twice });
  });

  test("is a document of another kind: it is left as it is", () => {
    const source = "apiVersion: noetl.io/v2\nkind: PlaybookTest\nnext: a\n";
    expect(migratePlaybook(source)).toEqual({
      text: source,
      changes: [],
      unresolved: [],
      readable: true,
      otherKind: "PlaybookTest",
    });
  });
});
