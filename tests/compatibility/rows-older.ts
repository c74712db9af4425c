// Rows of older forms (language reference §§0, 1.4): those that are read as what they have become,
// and those that are refused with what to write.

import {
  type Claim,
  different,
  gives,
  type Proof,
  type Row,
  refusal,
  refused,
  rowsIn,
  same,
  seen,
  shown,
  stepWith,
  tool,
  warns,
} from "./row.ts";

const rewritten = "; `noetl migrate` rewrites it";
const ends = (next: string, more = ""): string =>
  `- step: start
  tool: {kind: noop, result: {n: 1}}
  next: ${next}
${more}- step: a
  tool: {kind: noop, result: a}
- step: b
  tool: {kind: noop, result: b}
`;
const completed = (workflow: string, expected: readonly string[]): Proof =>
  seen(
    workflow,
    (run) => Object.keys(run.steps).filter((step) => run.steps[step]?.status === "completed"),
    expected,
  );

/** A key of a step that is refused. */
const stepKey = (key: string, line: string, use: string, message: string): Claim =>
  refused(`step.${key}`, {
    says: "an older key of steps",
    use,
    proof: refusal(stepWith(line), message),
  });

const toolKind = (kind: string, use: string, message: string): Claim =>
  refused([`kind: ${kind}`], {
    says: "a kind of tool that is no tool here",
    use,
    proof: refusal(tool(`kind: ${kind}`), message),
  });

export const rows: readonly Row[] = [
  ...rowsIn("older form", "§0", [
    same(["next: NAME"], `one arc${rewritten}`, completed(ends("a"), ["start", "a"])),
    same(
      ["next: [NAME, …]"],
      `an arc to each, all of them taken${rewritten}`,
      completed(ends("[a, b]"), ["start", "a", "b"]),
    ),
    same(
      ["next: [{step, when, args}]"],
      `arcs; the first that matches if one has a condition, else all${rewritten}`,
      completed(ends('[{step: a, when: "{{ start.n == 2 }}"}, {step: b}]'), ["start", "b"]),
    ),
    same(
      ["step.spec.next_mode", "next.spec.next_mode"],
      `\`next.spec.mode\`${rewritten}`,
      completed(ends("[{step: a}, {step: b}]", "  spec: {next_mode: exclusive}\n"), ["start", "a"]),
    ),
    same(
      ["step when", "step.when"],
      "a guard: a step whose condition is false is skipped, and its arcs are tried as if it had done nothing",
      completed(
        `- step: start
  tool: {kind: noop}
  next: {arcs: [{step: a}]}
- step: a
  when: "{{ false }}"
  tool: {kind: noop}
  next: {arcs: [{step: b}]}
- step: b
  tool: {kind: noop}
`,
        ["start", "b"],
      ),
    ),
    same(
      ["step args"],
      `\`input\`${rewritten}`,
      gives(
        '- step: start\n  args: {who: Ada}\n  tool: {kind: noop, result: "{{ who }}"}\n',
        "Ada",
      ),
    ),
    same(
      ["arc args"],
      `\`set\` of the arc and input of its target${rewritten}`,
      gives(
        `- step: start
  tool: {kind: noop}
  next: [{step: end, args: {who: Ada}}]
- step: end
  tool: {kind: noop, result: "{{ who }}"}
`,
        "Ada",
      ),
    ),
    same(
      ["label-key pipeline items"],
      `\`{name: LABEL, kind: …}\`${rewritten}`,
      gives(
        '- step: start\n  tool: [{one: {kind: noop, result: {a: 1}}}, {two: {kind: noop, result: "{{ one.a }}"}}]\n',
        1,
      ),
    ),
    same(
      ["tool eval", "expr"],
      `rules of a policy: \`expr\` is \`when\`, \`outcome\` is \`output\`${rewritten}`,
      gives(
        tool(
          "kind: noop, result: {n: 1}, eval: [{expr: \"{{ outcome.status == 'ok' }}\", do: continue, " +
            "set_ctx: {seen: 5}}]",
        ) +
          '  next: {arcs: [{step: end}]}\n- step: end\n  tool: {kind: noop, result: "{{ seen }}"}\n',
        5,
      ),
    ),
    same(
      ["tool retry"],
      `a rule with \`do: retry\`${rewritten}`,
      seen(
        tool('kind: http, url: "http://127.0.0.1:1/", retry: {max_attempts: 2, delay: 0.01}'),
        (run) =>
          run.events.flatMap((event) =>
            event.type === "call.error" ? [event.output.meta?.["attempt"]] : [],
          ),
        [2],
      ),
    ),
    same(
      ["step.command_0.rows"],
      "the older shape of a postgres result: the whole data under `command_<n>`",
      gives(
        `- step: start
  tool: {kind: noop, result: {rows: [1], row_count: 1}}
  next: {arcs: [{step: end}]}
- step: end
  tool: {kind: noop, result: "{{ start.command_0.rows }}"}
`,
        [1],
      ),
    ),
    different(["http retry with next_call and collect"], {
      says: "accepted without effect, with a warning",
      why: "no playbook uses it: rules with `do: retry` and `do: jump` say the same",
      proof: warns(
        tool("kind: http, url: a, retry: [{when: '{{ true }}', then: {next_call: {}}}]"),
        "no effect",
      ),
    }),
    refused(["root vars"], {
      says: "refused by the Python implementation too",
      use: "`workload`",
      proof: refusal(tool("kind: noop"), "use workload", "vars: {a: 1}\n"),
    }),
    refused(["root spec"], {
      says: "belongs to subscriptions",
      use: "`executor.spec`",
      proof: refusal(tool("kind: noop"), "use executor.spec", "spec: {a: 1}\n"),
    }),
    stepKey(
      "case",
      "case: []",
      "`next.arcs[].when`, or the tool's `spec.policy.rules`",
      "use next.arcs[].when",
    ),
    stepKey("type", "type: noop", "`tool: {kind: …}`", "use tool: {kind: …}"),
    stepKey("set_ctx", "set_ctx: {}", "`set`", "use set"),
    stepKey("set_iter", "set_iter: {}", "`set: {iter.NAME: …}`", "use set: {iter.NAME: …}"),
    stepKey("result", "result: {}", "`output` in `set` and `when`", "use output in set and when"),
    stepKey("outcome", "outcome: {}", "`output` in `set` and `when`", "use output in set and when"),
    stepKey("retry", "retry: {}", "the tool's `spec.policy.rules` with `do: retry`", "do: retry"),
    stepKey(
      "sink",
      "sink: {}",
      "a step of its own that stores the result",
      "a step of its own that stores the result",
    ),
    refused(["arc expr", "arc condition", "arc cond"], {
      says: "older words for a condition; one of them was never read",
      use: "`when`",
      proof: refusal(stepWith("next: {arcs: [{step: end, cond: a}]}"), "use when"),
    }),
    toolKind("iterator", "the step's `loop`", "the step's loop"),
    toolKind("task_sequence", "a list of tools", "a list of tools"),
    toolKind("playbooks", "`kind: playbook`", "kind: playbook"),
    different(["kind: secrets"], {
      says: "keeps the secret under its name: later fields read `{{ keychain.STEP.FIELD }}`",
      why: "`{{ step.secret_value }}` would have the secret in the log",
      proof: shown(
        "keychain/run.test.ts",
        "a step reads a secret, and a later one sends it without ever showing it",
      ),
    }),
    toolKind("gateway", "`http`", "'gateway'"),
    toolKind("snowflake_transfer", "`kind: transfer`", "'snowflake_transfer'"),
    toolKind("result_fetch", "`kind: artifact`", "artifact"),
    toolKind("subscription", "`nats` with `operation: js_consume`", "'subscription'"),
    toolKind("wasm", "`javascript` or `python`", "'wasm'"),
    toolKind("sink", "a step of its own that stores the result", "'sink'"),
    toolKind("rhai", "`python` or `javascript`", "'rhai'"),
    toolKind("provider", "`http` against the provider's API, or `container`", "'provider'"),
    toolKind("script", "`container` for a job, or `python` with `script`", "'script'"),
    same(
      ["libs", "cmds", "spec.code", "http data, payload and endpoint", "context in python code"],
      "idioms that playbooks still use: read",
      warns(
        tool(
          'kind: python, libs: {js: json}, spec: {code: "result = js.dumps(1)"}, assert: {returns: [a]}',
        ),
        "use spec.policy.rules",
      ),
    ),
  ]),
  ...rowsIn("older form", "§1.4", [
    same(
      "step.spec.on_error",
      "accepted without effect, as before, with a warning",
      warns(stepWith("spec: {on_error: continue}"), "no effect"),
    ),
  ]),
];
