// Rows of what this product adds to the language (language reference §9).

import {
  accepts,
  eventsOf,
  gives,
  having,
  more,
  type Row,
  rowsIn,
  seen,
  shown,
  stepWith,
  tool,
} from "./row.ts";

const admitted = (rules: string): string =>
  `- step: start
  tool: {kind: noop}
  next: {arcs: [{step: a}]}
- step: a
  tool: {kind: noop}
  spec: {policy: {admit: {rules: [${rules}]}}}
`;

export const rows: readonly Row[] = rowsIn("own", "§9", [
  more(
    ["step.spec.policy.admit", "then.allow"],
    "rules asked before the step is entered; a step that is not admitted is skipped, and its branch ends",
    seen(
      admitted('{when: "{{ false }}", then: {allow: true}}, {else: {then: {allow: false}}}'),
      (run) => [
        run.status,
        eventsOf(run, "step.skipped").map(({ step, reason }) => [step, reason]),
      ],
      ["completed", [["a", "admit"]]],
    ),
  ),
  more(
    ["step.emit", "emit.event", "emit.data"],
    "events of your own, after a step that completed: in the log, published, and seen by those who listen",
    having(
      seen(
        stepWith('emit: {event: trip.touched, data: {id: "{{ workload.id }}"}}'),
        (run) => eventsOf(run, "event.emitted").map(({ name, data }) => [name, data]),
        [["trip.touched", { id: 7 }]],
      ),
      { workload: { id: 7 } },
    ),
  ),
  more(
    ["kind: wait", "wait.for", "wait.seconds"],
    "a durable wait that holds no slot: `timer`, `callback`, `signal`, `approval`",
    seen(
      tool("kind: wait, for: timer, seconds: 0.05"),
      (run) => [run.status, eventsOf(run, "wait.parked").length, eventsOf(run, "wait.done").length],
      ["completed", 1, 1],
    ),
  ),
  more(
    ["wait.key", "wait.timeout_s", "wait.approvers"],
    "what an answer is addressed to, when it is waited for no longer (an error of kind " +
      "`timeout`), and who may approve",
    seen(
      tool(
        "kind: wait, for: approval, key: order-1, timeout_s: 0.05, approvers: {roles: [operator]}",
      ),
      (run) =>
        eventsOf(run, "call.error").map(({ output }) => Object(Object(output)["error"])["kind"]),
      ["timeout"],
    ),
  ),
  more(
    ["both spellings of else"],
    "in admission too",
    accepts(admitted("{else: , then: {allow: true}}")),
  ),
  more(
    ["loop.spec.max_in_flight enforced"],
    "never more items at a time",
    gives(
      `- step: start
  loop: {in: [1, 2, 3], iterator: x, spec: {mode: parallel, max_in_flight: 1}}
  tool: {kind: noop, result: "{{ x }}"}
  next: {arcs: [{step: end}]}
- step: end
  tool: {kind: noop, result: "{{ start.results }}"}
`,
      [1, 2, 3],
    ),
  ),
  more(
    ["step.spec.pool", "step.spec.labels"],
    "which workers may run the step",
    shown(
      "control/dispatch.test.ts",
      "a command that asks for labels is handed only to a worker that has them",
    ),
  ),
  more(
    "step.spec.priority",
    "what goes first within a pool; sub-playbooks inherit it",
    shown(
      "control/dispatch.test.ts",
      "come from the request and from the step, and children inherit them",
    ),
  ),
  more(
    "executor.spec.concurrency",
    "commands of the playbook that may run at a time, over all its executions",
    shown("control/dispatch.test.ts", "may come with the playbook"),
  ),
  more(
    ["kind: javascript", "javascript.code", "javascript.script"],
    "code in a sandbox without I/O, within bounds of time and memory",
    gives(tool('kind: javascript, input: {a: 2}, code: "return a + 1"'), 3),
  ),
  more(
    ["kind: s3"],
    "objects of a store that speaks S3: put, get, head, list, delete and copy",
    shown("tools/objects.test.ts", "gives back what it was given, with its size and type"),
  ),
  more(
    ["kind: file"],
    "the same for files within the roots of the worker",
    shown("tools/objects.test.ts", "are written whole, read, listed, copied and deleted"),
  ),
  more(
    ["workbook.desc", "wait.until"],
    "a text, and a wait until a moment",
    accepts(
      tool('kind: wait, for: timer, until: "2030-01-01T00:00:00Z"'),
      "workbook: [{name: a, desc: does nothing, tool: {kind: noop}}]\n",
    ),
  ),
]);
