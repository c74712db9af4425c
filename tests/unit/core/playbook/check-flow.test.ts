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

const rules = "rules: [{then: {do: continue}}]";

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
