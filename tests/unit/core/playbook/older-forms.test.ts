// Older forms that are read: each comes to the same document as the form that is documented, warns
// once where it stands, and problems inside it point at what was written.

import { describe, expect, test } from "bun:test";
import { migrateHint } from "#core/playbook/older-context";
import { parsePlaybook } from "#core/playbook/parse";
import { renameRoot } from "#core/playbook/rename-root";
import { amount } from "#scripts/test-amount";
import {
  documentOf,
  expectProblem,
  header,
  positionOf,
  problemsOf,
  warningsOf,
  withStep,
  withStepKeys,
  withTool,
} from "./playbook-text.ts";

/** Both texts are the same playbook, and the older one warns at these places, once at each. */
function expectSame(older: string, canonical: string, ...places: readonly string[]): void {
  expect(documentOf(older)).toEqual(documentOf(canonical));
  expect(warningsOf(canonical).filter((warning) => warning.includes(migrateHint))).toEqual([]);
  const warned = warningsOf(older).filter((warning) => warning.includes(migrateHint));
  expect(warned.map((warning) => warning.slice(0, warning.indexOf(": ")))).toEqual(
    places.map((place) => positionOf(older, place)),
  );
}

/** Steps `start` with these lines, `a`, `b` and `end`. */
const branching = (...lines: readonly string[]) =>
  `${withStepKeys(...lines)}  - {step: a, tool: {kind: noop}}\n  - {step: b, tool: {kind: noop}}\n`;

describe("next", () => {
  test("as a name", () => {
    expectSame(branching("next: a"), branching("next: {arcs: [{step: a}]}"), "next");
  });

  test("as names, of which all are taken", () => {
    expectSame(
      branching("next: [a, b]"),
      branching("next: {spec: {mode: inclusive}, arcs: [{step: a}, {step: b}]}"),
      "next",
    );
  });

  test("as one name in a list, and as a list of none", () => {
    expectSame(branching("next: [a]"), branching("next: {arcs: [{step: a}]}"), "next");
    expectSame(branching("next: []"), branching("next: {arcs: []}"), "next");
  });

  test("as arcs in a list: one condition makes them exclusive", () => {
    expectSame(
      branching("next: [{step: a, when: x}, b]"),
      branching("next: {arcs: [{step: a, when: x}, {step: b}]}"),
      "next",
    );
    expectSame(
      branching("next: [{step: a, set: {x: 1}}, {step: b}]"),
      branching("next: {spec: {mode: inclusive}, arcs: [{step: a, set: {x: 1}}, {step: b}]}"),
      "next",
    );
  });

  test("as one arc", () => {
    expectSame(
      branching("next: {step: a, when: x}"),
      branching("next: {arcs: [{step: a, when: x}]}"),
      "next",
    );
  });

  test("with the mode of the step, or the older name of its own", () => {
    expectSame(
      branching("spec: {next_mode: exclusive}", "next: [a, b]"),
      branching("next: {spec: {mode: exclusive}, arcs: [{step: a}, {step: b}]}"),
      "next_mode",
      "next: [",
    );
    expectSame(
      branching("spec: {next_mode: inclusive, timeout: 3}", "next: {arcs: [{step: a}]}"),
      branching("spec: {timeout: 3}", "next: {spec: {mode: inclusive}, arcs: [{step: a}]}"),
      "next_mode",
    );
    expectSame(
      branching("next: {spec: {next_mode: inclusive}, arcs: [{step: a}]}"),
      branching("next: {spec: {mode: inclusive}, arcs: [{step: a}]}"),
      "next_mode",
    );
  });

  test("with two modes that differ is an error, with two that agree it is not", () => {
    const differ = branching(
      "spec: {next_mode: inclusive}",
      "next: {spec: {mode: exclusive}, arcs: [{step: a}]}",
    );
    expectProblem(
      differ,
      "next_mode",
      "'next_mode' is 'inclusive' beside a mode of 'exclusive', expected one mode",
    );
    expect(problemsOf(differ.replace("exclusive", "inclusive"))).toEqual([]);
  });

  test("a mode without next has no effect", () => {
    const source = withStepKeys("spec: {next_mode: inclusive}");
    expect(documentOf(source)).toEqual(documentOf(withStepKeys()));
    expect(warningsOf(source)).toEqual([
      `${positionOf(source, "next_mode")}: step spec key 'next_mode' has no effect without next`,
    ]);
  });

  test("a list that leads to its own step is a loop like any other", () => {
    expect(problemsOf(withStepKeys("next: [start]"))).toEqual([]);
  });
});

describe("problems inside older forms point at what was written", () => {
  const unknown = (name: string) =>
    `arc leads to unknown step '${name}', expected the name of a step`;

  test("a step that isn't there", () => {
    expectProblem(withStepKeys("next: nowhere"), "nowhere", unknown("nowhere"));
    expectProblem(withStepKeys("next: [end, nowhere]"), "nowhere", unknown("nowhere"));
    expectProblem(withStepKeys("next: [end, {step: nowhere}]"), "nowhere", unknown("nowhere"));
    expectProblem(withStepKeys("next: {step: nowhere}"), "nowhere", unknown("nowhere"));
  });

  test("with the path as written too", () => {
    const parsing = parsePlaybook(withStepKeys("next: [end, {step: nowhere}]"));
    expect(parsing.ok ? [] : parsing.problems.map(({ path }) => path)).toEqual([
      ["workflow", 0, "next", 1, "step"],
    ]);
  });

  test("a mode that is none, a template that doesn't parse, a name that is none", () => {
    expectProblem(
      withStepKeys("spec: {next_mode: both}", "next: [end]"),
      "both",
      "'mode' is 'both', expected exclusive or inclusive",
    );
    const args = withStepKeys("next: [{step: end, args: {a: '{{ 1 + }}'}}]");
    expect(problemsOf(args)[0]).toStartWith(`${positionOf(args, "}}'")}: template: `);
    const key = withStepKeys("next: [{step: end, args: {a b: 1}}]");
    expect(problemsOf(key)[0]).toStartWith(`${positionOf(key, "a b: 1")}: key 'a b'`);
  });

  test("in a task under its label, in eval and in retry", () => {
    const label = withTool("- fetch: {kind: http}");
    expectProblem(label, "fetch", "http tool has no 'url' or 'endpoint', expected one");
    const action = withTool("kind: noop", "eval:", "  - {expr: a, do: stop}");
    expect(problemsOf(action)[0]).toStartWith(`${positionOf(action, "stop")}: 'do' is 'stop'`);
    const other = withTool("kind: noop", "eval:", "  - else: {do: stop}");
    expect(problemsOf(other)[0]).toStartWith(`${positionOf(other, "stop")}: 'do' is 'stop'`);
    const sets = withTool("kind: noop", "eval:", "  - {expr: a, set_ctx: {x: '{{ 1 + }}'}}");
    expect(problemsOf(sets)[0]).toStartWith(`${positionOf(sets, "}}'")}: template: `);
    const attempts = withTool("kind: noop", "retry: {max_attempts: 0}");
    expectProblem(attempts, "0}", "'attempts' is 0, expected a whole number of at least 1");
  });

  test("inside anchors and merges", () => {
    const source = withStep(
      "    tool: &tool {kind: noop, retry: {max_attempts: 0}}",
      "    next: &next [end, nowhere]",
    );
    expect(problemsOf(source)).toEqual([
      `${positionOf(source, "0}}")}: 'attempts' is 0, expected a whole number of at least 1`,
      `${positionOf(source, "nowhere")}: ${unknown("nowhere")}`,
    ]);
  });
});

describe("what arcs hand over", () => {
  const target = (input: string) =>
    `${header}workflow:\n  - step: start\n    tool: {kind: noop}\n`.concat(
      input,
      "    tool: {kind: noop}\n",
    );

  test("is set, and input of the step, under its own", () => {
    const older = target(
      "    next: [{step: end, args: {a: 1, b: 2}, set: {c: 3}}]\n  - step: end\n    input: {b: 0}\n",
    );
    const canonical = target(
      "    next: {arcs: [{step: end, set: {a: 1, b: 2, c: 3}}]}\n" +
        "  - step: end\n    input: {a: '{{ ctx.a }}', b: 0}\n",
    );
    expectSame(older, canonical, "next", "args");
    expectSame(older.replace("args", "input"), canonical, "next", "input");
  });

  test("in a router too; names with dots are only set", () => {
    expectSame(
      target("    next: {arcs: [{step: end, args: {ctx.a: 1, x-y: 2}}]}\n  - step: end\n"),
      target(
        "    next: {arcs: [{step: end, set: {ctx.a: 1, x-y: 2}}]}\n  - step: end\n" +
          "    input: {x-y: \"{{ ctx['x-y'] }}\"}\n",
      ),
      "args",
    );
  });

  test("does not answer for what the step gives itself", () => {
    const source = target(
      "    next: [{step: end, args: {b: 2}}]\n  - step: end\n    input: {b: '{{ 1 + }}'}\n",
    );
    expect(problemsOf(source)[0]).toStartWith(`${positionOf(source, "}}'")}: template: `);
  });

  test("twice is an error", () => {
    const both = withStepKeys("next: [{step: end, args: {a: 1}, input: {b: 1}}]");
    expectProblem(both, "args", "arc has both 'args' and 'input', expected one");
    const set = withStepKeys("next: [{step: end, args: {a: 1}, set: {a: 2}}]");
    expectProblem(set, "a: 1", "arc gives 'a' in 'args' and in 'set', expected it once");
  });
});

describe("steps and tools", () => {
  test("args of a step are its input, unless it has one", () => {
    expectSame(withStepKeys("args: {a: 1}"), withStepKeys("input: {a: 1}"), "args");
    const both = withStepKeys("args: {a: 1}", "input: {a: 2}");
    expectProblem(both, "args", "step has both 'args' and 'input', expected one");
  });

  test("a guard stays what it is", () => {
    expect(documentOf(withStepKeys("when: '{{ a }}'")).workflow[0]?.when).toBe("{{ a }}");
    expect(warningsOf(withStepKeys("when: '{{ a }}'"))).toEqual([]);
  });

  test("on_error is accepted without effect", () => {
    const source = withStepKeys("spec: {on_error: continue}");
    expect(problemsOf(source)).toEqual([]);
    expect(warningsOf(source)).toEqual([
      `${positionOf(source, "on_error")}: step spec key 'on_error' has no effect; ` +
        "use an arc with event.name == 'call.error'",
    ]);
  });

  test("tasks under their labels; a map of two keys is none", () => {
    expectSame(
      withTool("- fetch: {kind: noop}", "- {name: two, kind: noop}"),
      withTool("- {name: fetch, kind: noop}", "- {name: two, kind: noop}"),
      "fetch",
    );
    expect(problemsOf(withTool("- {fetch: {kind: noop}, more: {kind: noop}}"))).not.toEqual([]);
  });

  test("second names of fields mean the first", () => {
    expect(documentOf(withTool("kind: http", "endpoint: a", "args: {b: 1}"))).toEqual(
      documentOf(withTool("kind: http", "url: a", "input: {b: 1}")),
    );
  });

  test("data that looks like older forms is never touched", () => {
    const data = "next: a\n  args: {b: 1}\n  tool: {retry: {max_attempts: 3}}\n  eval: []\n";
    const source = `${withTool("kind: noop", "result: {next: a, args: {b: 1}}")}workload:\n  ${data}`;
    const { workload, workflow } = documentOf(source);
    expect(workload).toEqual({
      next: "a",
      args: { b: 1 },
      tool: { retry: { max_attempts: 3 } },
      eval: [],
    });
    expect(workflow[0]?.tool[0]?.["result"]).toEqual({ next: "a", args: { b: 1 } });
    expect(warningsOf(source)).toEqual([]);
  });
});

describe("retry and eval", () => {
  const rules = (text: string) => withTool("kind: noop", `spec: {policy: {rules: ${text}}}`);
  const failed = "\"{{ output.status == 'error' }}\"";

  test("retry is one rule", () => {
    expectSame(
      withTool("kind: noop", "retry: {max_attempts: 4, initial_delay: 2, backoff_multiplier: 2}"),
      rules(`[{when: ${failed}, then: {do: retry, attempts: 4, backoff: exponential, delay: 2}}]`),
      "retry",
    );
    expectSame(
      withTool("kind: noop", "retry: {attempts: 4, delay: 2, backoff: linear, when: a}"),
      rules("[{when: a, then: {do: retry, attempts: 4, backoff: linear, delay: 2}}]"),
      "retry",
    );
    expectSame(
      withTool("kind: noop", "retry: {retry_when: a, backoff_multiplier: 1, backoff: }"),
      rules("[{when: a, then: {do: retry}}]"),
      "retry",
    );
  });

  test("keys of retry that mean nothing here warn", () => {
    const source = withTool("kind: noop", "retry: {max_attempts: 2, jitter: true}");
    expect(warningsOf(source)[1]).toBe(
      `${positionOf(source, "jitter")}: retry key 'jitter' has no effect`,
    );
  });

  test("retry keeps what the tool's spec says, and in the workbook too", () => {
    const code = withTool("kind: python", "spec: {code: x}", "retry: {max_attempts: 2}");
    expect(documentOf(code).workflow[0]?.tool[0]?.["spec"]).toEqual({
      code: "x",
      policy: {
        rules: [
          // biome-ignore lint/suspicious/noThenProperty: the language calls the key so.
          { when: "{{ output.status == 'error' }}", then: { do: "retry", attempts: 2 } },
        ],
      },
    });
    const workbook = `${withTool("kind: noop")}workbook:\n  - name: w\n    tool: {kind: noop, retry: {}}\n`;
    expect(documentOf(workbook).workbook?.[0]?.tool["spec"]).toBeDefined();
  });

  test("retry that says something else, or stands beside a policy, has no effect as before", () => {
    const said = [
      withTool("kind: noop", "retry: 3"),
      withTool("kind: noop", "retry: {attempts: 2, max_attempts: 3}"),
      withTool("kind: noop", "retry: {max_attempts: '{{ n }}'}"),
      withTool("kind: noop", "retry: {max_attempts: 2}", "spec: {policy: {rules: []}}"),
      withTool("kind: playbook", "path: a", "retry: {max_attempts: 2}"),
    ];
    for (const source of said) {
      expect(problemsOf(source)).toEqual([]);
      expect(warningsOf(source).join("\n")).toContain("tool key 'retry' has no effect");
      expect(JSON.stringify(documentOf(source))).not.toContain('"do":"retry"');
    }
  });

  test("eval is rules, outcome is output", () => {
    expectSame(
      withTool(
        "kind: noop",
        "eval:",
        "  - {expr: \"{{ outcome.status == 'error' and x.outcome }}\", do: retry, attempts: 5, delay: 1}",
        "  - {expr: outcome.data.more, do: jump, to: task_0, set_ctx: {a: '{{ outcome.a }}'}}",
        "  - {expr: c, set_iter: {b: 1}, set: {c: [\"{{ 'outcome' ~ outcome }}\"]}, do: continue}",
        "  - else: {do: fail}",
      ),
      withTool(
        "kind: noop",
        "spec:",
        "  policy:",
        "    rules:",
        "      - when: \"{{ output.status == 'error' and x.outcome }}\"",
        "        then: {do: retry, attempts: 5, delay: 1}",
        "      - {when: output.data.more, then: {do: jump, to: task_0, set: {ctx.a: '{{ output.a }}'}}}",
        "      - when: c",
        "        then: {set: {iter.b: 1, c: [\"{{ 'outcome' ~ output }}\"]}, do: continue}",
        "      - else: {then: {do: fail}}",
      ),
      "eval",
    );
  });

  test("eval beside a policy is an error; eval of another form is refused", () => {
    const both = withTool("kind: noop", "eval: [{do: fail}]", "spec: {policy: {rules: []}}");
    expectProblem(both, "eval", "tool has both 'eval' and spec.policy, expected one");
    for (const form of ["[]", "{do: fail}", "[{do: fail, then: {}}]", "[3]"]) {
      const source = withTool("kind: noop", `eval: ${form}`);
      expectProblem(source, "eval", "noop tool key 'eval' is an older form; use spec.policy.rules");
    }
  });
});

describe("renaming a root name", () => {
  const names = { from: "outcome", to: "output", expression: true };
  const cases: readonly (readonly [string, string])[] = [
    [
      "{{ outcome }} {{a.outcome}} {{ outcome.outcome }}",
      "{{ output }} {{a.outcome}} {{ output.outcome }}",
    ],
    ["{{ 'outcome' | outcome(outcome=outcome) }}", "{{ 'outcome' | outcome(outcome=output) }}"],
    [
      "text outcome {% if outcome is outcome %}outcome{% endif %}",
      "text outcome {% if output is outcome %}outcome{% endif %}",
    ],
    ["outcome > my_outcome", "output > my_outcome"],
    ["{{ outcome + }", "{{ outcome + }"],
    ["{{ 'open outcome }}", "{{ 'open outcome }}"],
  ];
  for (const [before, after] of cases) {
    test(before, () => expect(renameRoot(before, names)).toBe(after));
  }

  test("leaves text that is data", () => {
    expect(renameRoot("the outcome", { ...names, expression: false })).toBe("the outcome");
  });
});

test("thousands of steps with lists are read in linear time, each warned of up to the limit", () => {
  const steps = amount(5_000);
  const step = (index: number) =>
    `  - {step: s${index}, tool: {kind: noop}, next: [s${(index + 1) % steps}]}\n`;
  const source = `${header}workflow:\n${Array.from({ length: steps }, (_, index) => step(index)).join("")}`;
  const { workflow } = documentOf(source);
  expect(workflow).toHaveLength(steps);
  expect(workflow.every(({ next }) => next?.arcs.length === 1)).toBe(true);
  expect(warningsOf(source).length).toBeGreaterThan(50);
});
