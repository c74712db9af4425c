// How long a policy waits before it runs a task again (language reference §1.5).

import { expect, test } from "bun:test";
import { planOf } from "#tests/support/engine";
import { retryDelayMs } from "#worker/policy";

function delays(then: string): readonly number[] {
  const plan = planOf(`
apiVersion: noetl.io/v2
kind: Playbook
metadata: {name: t, path: t}
workflow:
- step: start
  tool:
    kind: noop
    spec: {policy: {rules: [{when: "{{ true }}", then: {do: retry, ${then}}}]}}
`);
  const rule = plan.steps[0]?.tasks[0]?.policy?.rules[0];
  if (rule === undefined) throw new Error("the plan has no rule");
  return [1, 2, 3].map((retry) => retryDelayMs(rule, retry));
}

for (const [then, expected] of [
  ["attempts: 4", [0, 0, 0]],
  ["delay: 2", [2000, 2000, 2000]],
  ["delay: 2, backoff: none", [0, 0, 0]],
  ["delay: 2, backoff: linear", [2000, 4000, 6000]],
  ["delay: 2, backoff: exponential", [2000, 4000, 8000]],
  ["backoff: linear", [1000, 2000, 3000]],
] as const) {
  test(`${then} waits ${expected.join(", ")} ms`, () => {
    expect(delays(then)).toEqual([...expected]);
  });
}
