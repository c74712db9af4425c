// Older forms and what this version has no part for: refused with the form to use instead.

import { describe, expect, test } from "bun:test";
import { unsupportedKinds } from "#core/playbook/tool-fields";
import { refusedKinds } from "#core/playbook/tool-kinds-run";
import {
  expectProblem,
  positionOf,
  problemsOf,
  withStep,
  withStepKeys,
  withTool,
} from "./playbook-text.ts";

const policy = (rule: string, ...more: readonly string[]) =>
  withTool("kind: noop", "spec:", "  policy:", `    rules: [${rule}]`, ...more);

describe("older forms are refused with the form to use", () => {
  const steps: readonly (readonly [string, string])[] = [
    ["args: 3", "input"],
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

  test("next without arcs, and lists and maps that are no arcs", () => {
    expectProblem(withStepKeys("next: {}"), "next", "next has no 'arcs', expected a list");
    expectProblem(
      withStepKeys("next: ''"),
      "''",
      "'next' as text is an older form; write next: {arcs: [{step: NAME}]}",
    );
    expectProblem(
      withStepKeys("next: [3]"),
      "[3]",
      "'next' as a list is an older form; write next: {arcs: [{step: NAME, when: CONDITION}, …]}",
    );
    const then = withStepKeys("next: {step: end, then: end}");
    expect(problemsOf(then)).toContain(
      `${positionOf(then, "step: end,")}: next key 'step' is an older form; use arcs: [{step: NAME}]`,
    );
  });

  test("keys of the root, of next, of arcs, of rules and of tools", () => {
    const root = `${withTool("kind: noop")}vars: {}\n`;
    expectProblem(root, "vars", "playbook key 'vars' is an older form; use workload");
    for (const key of ["expr", "condition", "cond", "if"]) {
      const arc = withStepKeys(`next: {arcs: [{step: end, ${key}: a}]}`);
      expectProblem(arc, `${key}: a`, `arc key '${key}' is an older form; use when`);
    }
    const args = withStepKeys("next: {arcs: [{step: end, args: 3}]}");
    expectProblem(args, "args", "arc key 'args' is an older form; use set");
    const rule = policy("{expr: a, then: {do: fail}}");
    expectProblem(rule, "expr", "rule key 'expr' is an older form; use when");
    const tool = withTool("kind: noop", "eval: []");
    expectProblem(tool, "eval", "noop tool key 'eval' is an older form; use spec.policy.rules");
  });

  test("a task under its label that has a name besides, and kinds of other versions", () => {
    expectProblem(
      withTool("- fetch: {kind: noop, name: other}"),
      "fetch",
      "a task under its label is an older form; write {name: fetch, kind: …}",
    );
    for (const [kind, instead] of [
      ["iterator", "the step's loop"],
      ["task_sequence", "a list of tools"],
      ["playbooks", "kind: playbook"],
      ["auth", "an alias under auth of the calls that need it"],
      ["sink", "a step of its own that stores the result"],
    ]) {
      expectProblem(
        withTool(`kind: ${kind}`),
        `${kind}\n`,
        `tool kind '${kind}' is an older form; use ${instead}`,
      );
    }
  });

  test("a step without a tool", () => {
    const source = withStep("    desc: nothing to do");
    expectProblem(
      source,
      "step: start",
      "step has no 'tool', expected a map with a kind or a list",
    );
  });
});

describe("what this version has no part for is said so", () => {
  test("kinds of tools that it knows by name only", () => {
    for (const kind of unsupportedKinds) {
      if (refusedKinds.has(kind)) continue;
      const message = `tool kind '${kind}' is not supported by this version`;
      expectProblem(withTool(`kind: ${kind}`), `${kind}\n`, message);
    }
  });

  test("kinds that stay out, with what to use instead", () => {
    expect(refusedKinds.size).toBeGreaterThan(0);
    for (const [kind, instead] of refusedKinds) {
      const message = `tool kind '${kind}' is not supported; use ${instead}`;
      expectProblem(withTool(`kind: ${kind}`), `${kind}\n`, message);
    }
  });

  test("placeholders of policies", () => {
    for (const key of ["before", "after", "finally", "lifecycle", "failure", "emit"]) {
      const source = withTool("kind: noop", `spec: {policy: {${key}: [], rules: []}}`);
      const [problem = "", ...more] = problemsOf(source);
      expect(more).toEqual([]);
      const start = `${positionOf(source, `${key}: []`)}: policy key '${key}' is not supported`;
      expect(problem).toStartWith(start);
    }
  });

  test("documents of another kind", () => {
    const source = "apiVersion: noetl.io/v1\nkind: Subscription\nmetadata: {name: x}\nspec: {}\n";
    expectProblem(
      source,
      "Subscription",
      "'kind' is 'Subscription', expected Playbook; " +
        "subscriptions are not supported by this version",
    );
    expectProblem(
      source.replace("Subscription", "PlaybookTest"),
      "PlaybookTest",
      "'kind' is 'PlaybookTest', expected Playbook; " +
        "it is a test of playbooks: run it with noetl test",
    );
  });
});
