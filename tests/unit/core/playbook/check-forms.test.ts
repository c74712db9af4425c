// Older forms and what this version has no part for: refused with the form to use instead.

import { describe, expect, test } from "bun:test";
import { expectProblem, positionOf, problemsOf, withStepKeys, withTool } from "./playbook-text.ts";

const policy = (rule: string, ...more: readonly string[]) =>
  withTool("kind: noop", "spec:", "  policy:", `    rules: [${rule}]`, ...more);

describe("older forms are refused with the form to use", () => {
  const steps: readonly (readonly [string, string])[] = [
    ["when: a", "a condition on the arc that leads here: next.arcs[].when"],
    ["args: {}", "input"],
    ["case: []", "next.arcs[].when, or the tool's spec.policy.rules"],
    ["set_ctx: {}", "set"],
    ["set_iter: {}", "set: {iter.NAME: …}"],
    ["outcome: {}", "output in set and when"],
    ["result: {}", "output in set and when"],
    ["type: noop", "tool: {kind: …}"],
    ["vars: {}", "set"],
    ["retry: {}", "the tool's spec.policy.rules with do: retry"],
    ["sink: {}", "a step of its own that stores the result"],
  ];
  for (const [line, form] of steps) {
    const key = line.slice(0, line.indexOf(":"));
    test(`step key ${key}`, () => {
      expectProblem(withStepKeys(line), line, `step key '${key}' is an older form; use ${form}`);
    });
  }

  test("next as text, as a list, and without arcs", () => {
    expectProblem(
      withStepKeys("next: end"),
      "end\n",
      "'next' as text is an older form; write next: {arcs: [{step: NAME}]}",
    );
    expectProblem(
      withStepKeys("next: [end]"),
      "[end]",
      "'next' as a list is an older form; write next: " +
        "{spec: {mode: inclusive}, arcs: [{step: NAME}, …]}",
    );
    expectProblem(withStepKeys("next: {}"), "next", "next has no 'arcs', expected a list");
  });

  test("keys of the root, of next, of arcs, of rules and of tools", () => {
    const root = `${withTool("kind: noop")}vars: {}\n`;
    expectProblem(root, "vars", "playbook key 'vars' is an older form; use workload");
    const mode = withStepKeys("next: {spec: {next_mode: x}, arcs: [{step: end}]}");
    expectProblem(mode, "next_mode", "next.spec key 'next_mode' is an older form; use mode");
    for (const key of ["expr", "condition", "cond"]) {
      const arc = withStepKeys(`next: {arcs: [{step: end, ${key}: a}]}`);
      expectProblem(arc, `${key}: a`, `arc key '${key}' is an older form; use when`);
    }
    const args = withStepKeys("next: {arcs: [{step: end, args: {}}]}");
    expectProblem(args, "args", "arc key 'args' is an older form; use set");
    const rule = policy("{expr: a, then: {do: fail}}");
    expectProblem(rule, "expr", "rule key 'expr' is an older form; use when");
    const tool = withTool("kind: noop", "eval: []");
    expectProblem(tool, "eval", "noop tool key 'eval' is an older form; use spec.policy.rules");
  });

  test("tasks under their labels, and the iterator kind", () => {
    expectProblem(
      withTool("- fetch: {kind: noop}"),
      "fetch",
      "a task under its label is an older form; write {name: fetch, kind: …}",
    );
    expectProblem(
      withTool("kind: iterator"),
      "iterator",
      "tool kind 'iterator' is an older form; use the step's loop",
    );
  });
});

describe("what this version has no part for is said so", () => {
  test("kinds of tools", () => {
    for (const kind of ["nats", "snowflake", "container", "wait", "transfer", "agent", "mcp"]) {
      const message = `tool kind '${kind}' is not supported by this version`;
      expectProblem(withTool(`kind: ${kind}`), `${kind}\n`, message);
    }
  });

  test("cursor loops", () => {
    const source = withStepKeys(
      "loop: {in: '{{ a }}', iterator: i, cursor: {}, spec: {mode: cursor, frame: {}}}",
    );
    expect(problemsOf(source)).toEqual([
      `${positionOf(source, "cursor: {}")}: loop key 'cursor' is not supported by this version`,
      `${positionOf(source, "cursor, frame")}: 'mode': cursor is not ` +
        "supported by this version, expected sequential or parallel",
      `${positionOf(source, "frame")}: loop.spec key 'frame' is not supported by this version`,
    ]);
  });

  test("admission, events, placeholders of policies, inclusive rules", () => {
    expectProblem(
      withStepKeys("spec: {policy: {admit: {rules: []}}}"),
      "policy",
      "step spec key 'policy' is not supported by this version",
    );
    expectProblem(
      withStepKeys("emit: {event: a}"),
      "emit",
      "step key 'emit' is not supported by this version",
    );
    expectProblem(
      withTool("kind: noop", "spec: {policy: {finally: [], rules: []}}"),
      "finally",
      "policy key 'finally' is not supported by this version",
    );
    expectProblem(
      withTool("kind: noop", "spec: {policy: {mode: inclusive, rules: []}}"),
      "inclusive",
      "'mode': inclusive is not supported by this version, expected exclusive",
    );
  });

  test("documents of another kind", () => {
    const source = "apiVersion: noetl.io/v1\nkind: Subscription\nmetadata: {name: x}\nspec: {}\n";
    expectProblem(
      source,
      "Subscription",
      "'kind' is 'Subscription', expected Playbook; " +
        "subscriptions are not supported by this version",
    );
  });
});
