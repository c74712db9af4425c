// Rewriting playbooks of older forms: the words that are about them change, the layout and every
// comment stay, and what comes out means what went in.

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { migratePlaybook } from "#core/playbook/migrate";
import { commentsIn } from "#core/playbook/read-yaml";
import { amount } from "#scripts/test-amount";
import { end, expectMigrated, leftIn, playbook, start } from "./migrated.ts";
import { olderPlaybooks } from "./older-playbooks.ts";
import { documentOf, header, positionOf, problemsOf, warningsOf } from "./playbook-text.ts";

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
      { numRuns: amount(40) },
    );
    expect(rewritten).toBeGreaterThan(amount(40) / 2);
  }, 60_000);
});

test("playbooks that are broken at random are given back, or mean what they did", () => {
  const breaks = fc.tuple(
    fc.nat(),
    fc.constantFrom("", ":", "- ", "\n", "&a ", "*a", "<<: ", "{", "next: "),
  );
  fc.assert(
    fc.property(olderPlaybooks, breaks, (good, [at, put]) => {
      const place = at % good.length;
      const source = good.slice(0, place) + put + good.slice(place + 1);
      const { text, readable } = migratePlaybook(source);
      if (!readable) expect(text).toBe(source);
      else expect(comments(text)).toEqual(comments(source));
      if (problemsOf(source).length === 0) expect(documentOf(text)).toEqual(documentOf(source));
    }),
    { numRuns: amount(60) },
  );
}, 60_000);

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
    const other = end.replace("end", "'yes, [sir]'");
    expectMigrated(
      `${start}    next: "yes, [sir]"\n${other}`,
      `${start}    next: {arcs: [{step: "yes, [sir]"}]}\n${other}`,
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
      "  - {step: start, next: [end, start], tool: {kind: noop}}\n" +
        "  - {tool: {kind: noop}, next: {step: start}, step: end}\n",
      "  - {step: start, next: {spec: {mode: inclusive}, arcs: [{step: end}, {step: start}]}, " +
        "tool: {kind: noop}}\n" +
        "  - {tool: {kind: noop}, next: {arcs: [{step: start}]}, step: end}\n",
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
    const source = playbook(
      "  - step: start\n    tool:\n      - one: {kind: noop}\n      - two:\n          kind: noop\n" +
        "          retry: {max_attempts: 2}\n    vars: {}\n    next:\n      - end\n" +
        `${end}    next: start\n`,
    );
    const { changes } = migratePlaybook(source);
    const places = ["one", "two", "retry", "next:\n", "next: start"];
    expect(changes.map(({ line, column }) => `${line}:${column}`)).toEqual(
      places.map((place) => positionOf(source, place)),
    );
    expect(leftIn(source)[0]).toStartWith(`${positionOf(source, "vars")}: `);
  });
});

describe("what can't be rewritten", () => {
  test("is told where several places share it, and the rest is rewritten", () => {
    const source = playbook(
      "  - step: start\n    tool: &t {kind: noop, retry: {max_attempts: 2}}\n    next: end\n" +
        "  - step: end\n    tool: *t\n",
    );
    const { text } = migratePlaybook(source);
    expect(text).toBe(source.replace("next: end", "next: {arcs: [{step: end}]}"));
    expect(leftIn(source)).toEqual([
      `${positionOf(source, "retry")}: tool key 'retry' is an older form, read as ` +
        "spec: {policy: {rules: [{when: …, then: {do: retry, …}}]}}; " +
        "it can't be rewritten here, rewrite it by hand",
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

  test("is a step where the result would mean something else; the others are rewritten", () => {
    const defaults = `${header}workload:\n  defaults: &d {input: {own: 1}}\nworkflow:\n`;
    const source =
      `${defaults}  - {step: start, tool: {kind: noop}, next: [{step: end, args: {a: 1}}]}\n` +
      "  - {<<: *d, step: end, tool: {kind: noop}, next: {step: start, args: {b: 1}}}\n";
    const { text } = migratePlaybook(source);
    expect(documentOf(text)).toEqual(documentOf(source));
    expect(text).toContain("next: {arcs: [{step: end, args: {a: 1}}]}");
    expect(text).toContain("{step: start, set: {b: 1}}");
    expect(leftIn(source)).toHaveLength(1);
    expect(leftIn(source)[0]).toStartWith(`${positionOf(source, "args: {a")}: arc key 'args'`);
  });

  test("is a place where a comment would be lost, or the result be no YAML", () => {
    const commented = playbook(
      "  - step: start\n    tool:\n      kind: noop\n      spec:\n        policy:\n          rules:\n" +
        `          - else: { # nothing\n              }\n            then: {do: fail}\n${end}`,
    );
    expect(migratePlaybook(commented)).toMatchObject({ text: commented, changes: [] });
    const explicit = playbook(
      "  - step: start\n    tool:\n      - ? fetch\n        : {kind: noop}\n" +
        "  - step: end\n    tool: [{fetch: {kind: noop}}]\n",
    );
    const { text, unresolved } = migratePlaybook(explicit);
    expect(text).toBe(explicit.replace("{fetch: {kind: noop}}", "{name: fetch, kind: noop}"));
    expect(unresolved).toHaveLength(1);
  });
});
