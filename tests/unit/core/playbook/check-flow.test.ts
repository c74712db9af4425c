// What the check says of rules that are about the way of an execution: those that are refused, with
// what to write instead, and what a policy of mode inclusive asks for.

import { describe, expect, test } from "bun:test";
import { parsePlaybook } from "#core/playbook/parse";

const playbook = (policy: string, step = ""): string => `apiVersion: noetl.io/v2
kind: Playbook
metadata: {name: t, path: t}
workflow:
- step: start
  ${step}
  tool: {kind: noop, spec: {policy: ${policy}}}
`;

function problems(text: string): readonly string[] {
  const parsed = parsePlaybook(text);
  return parsed.ok ? [] : parsed.problems.map(({ message }) => message);
}

function warnings(tool: string, step = ""): readonly string[] {
  const head = playbook("{rules: [{then: {do: continue}}]}", step).replace(/ {2}tool: .*/, "");
  const parsed = parsePlaybook(`${head}  tool: ${tool}\n`);
  return parsed.warnings.map(({ message }) => message);
}

const rules = "rules: [{then: {do: continue}}]";

describe("a field that comes to nothing", () => {
  const cases: Readonly<Record<string, readonly [string, string?]>> = {
    "'timeout' has no effect; the step doesn't wait": ["{kind: playbook, path: p, timeout: 3}"],
    "'timeout_seconds' has no effect": ["{kind: playbook, path: p, timeout_seconds: 3}"],
    "'result_step' has no effect": [
      "{kind: playbook, path: p, return_step: end, timeout: 3, result_step: a}",
    ],
    "'timeout' has no effect; a timer": [
      "{kind: wait, for: timer, seconds: 1}",
      "spec: {timeout: 3}",
    ],
  };
  for (const [message, [tool, step]] of Object.entries(cases)) {
    test(`is warned about: ${message}`, () => {
      const [warning, ...others] = warnings(tool, step);
      expect(warning).toContain(message);
      expect(others).toEqual([]);
    });
  }
  test("is no field of those that say how the end is waited for", () => {
    expect(
      warnings("{kind: playbook, path: p, return_result: true, timeout: 3, result_step: a}"),
    ).toEqual([]);
    expect(warnings("{kind: wait, for: callback}", "spec: {timeout: 3}")).toEqual([]);
  });
});

describe("a policy", () => {
  for (const [key, instead] of [
    ["admit", "spec.policy.admit of the step"],
    ["before", "a task in front of this one"],
    ["after", "the set of a rule"],
    ["finally", "arcs of success and of call.error that lead to one step"],
    ["lifecycle", "tasks in front"],
    ["failure", "event.name == 'call.error'"],
    ["emit", "emit of the step"],
  ] as const) {
    test(`with ${key} is refused, and told what to use`, () => {
      const [problem = "", ...others] = problems(playbook(`{${rules}, ${key}: {}}`));
      expect(problem).toContain(`policy key '${key}' is not supported; use `);
      expect(problem).toContain(instead);
      expect(others).toEqual([]);
    });
  }
  test("that allows something is told where that stands", () => {
    const [problem] = problems(playbook("{rules: [{then: {do: continue, allow: true}}]}"));
    expect(problem).toContain("spec.policy.admit of the step");
  });
  test("of mode inclusive says of every rule when it applies", () => {
    const bare =
      "{mode: inclusive, rules: [{when: true, then: {set: {a: 1}}}, {then: {do: fail}}]}";
    expect(problems(playbook(bare))).toEqual([
      "rule of mode inclusive has neither, expected 'when' (true for always) or 'else' (for when no other did)",
    ]);
    const both =
      "{mode: inclusive, rules: [{when: true, then: {set: {a: 1}}}, {else: , then: {do: fail}}]}";
    expect(problems(playbook(both))).toEqual([]);
  });
  test("of a step is for admission alone", () => {
    for (const key of ["lifecycle", "failure", "emit"]) {
      const step = `spec: {policy: {${key}: {}}}`;
      const [problem] = problems(playbook(`{${rules}}`, step));
      expect(problem).toContain(`step policy key '${key}' is not supported; use `);
    }
  });
});
