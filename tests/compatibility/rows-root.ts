// Rows of the document itself (language reference §§0–1.3, 1.9): root keys, metadata, workload,
// workbook, executor, entry and end, and what the catalog does with a text.

import {
  accepts,
  different,
  gives,
  having,
  more,
  type Proof,
  playbook,
  type Row,
  refusal,
  refused,
  rowsIn,
  same,
  seen,
  shown,
  stepWith,
  tool,
  under,
  warns,
} from "./row.ts";

const noop = tool("kind: noop");
const minimal = playbook(noop);

/** A document that is refused, or read, as a whole. */
const document = (from: string, to: string, message?: string): Proof => {
  const text = minimal.replace(from, to);
  return message === undefined
    ? { kind: "accepted", playbook: text }
    : { kind: "refused", playbook: text, message };
};

const steps = (run: { readonly steps: object }): readonly string[] => Object.keys(run.steps);

export const rows: readonly Row[] = [
  ...rowsIn("root", "§0", [
    same(["apiVersion: noetl.io/v2"], "the version of every playbook", accepts(noop)),
    same(
      ["apiVersion: noetl.io/v10"],
      "read as `noetl.io/v2`",
      document("noetl.io/v2", "noetl.io/v10"),
    ),
    refused(["apiVersion: noetl.io/v1"], {
      says: "the version of subscriptions",
      use: "`noetl.io/v2`",
      proof: document("noetl.io/v2", "noetl.io/v1", "expected noetl.io/v2 or noetl.io/v10"),
    }),
    same(
      ["validation at registration"],
      "a text that is no playbook is refused with every problem at its line and column, and is not registered",
      shown(
        "control/catalog.test.ts",
        "is refused with every problem and its place, and not registered",
      ),
    ),
  ]),
  ...rowsIn("root", "§0", [
    different(["the dialect of local runs"], {
      says: "does not exist: `noetl run` reads the language that servers read",
      why: "a playbook that works in one place should work in the other",
      proof: shown(
        "embedded/run.test.ts",
        "is told line by line, with its result and the place of its log, and ends with 0",
      ),
    }),
  ]),
  ...rowsIn("root", "§1.1", [
    different(["a payload key ctx"], {
      says: "is a key of the workload like any other: `workload.ctx`",
      why: "one implementation merges it into the variables, where it hides what steps set",
      proof: gives(
        tool('kind: noop, result: "{{ [workload.ctx.a, ctx.a is defined] }}"'),
        [1, false],
        {
          workload: { ctx: { a: 1 } },
        },
      ),
    }),
    same(
      "apiVersion kind metadata workflow",
      "must be there; `workflow` has at least one step, each with a name of its own",
      shown("unit/core/playbook/check.test.ts", "needs its header, a name and steps"),
    ),
    same(
      under("metadata.", "name path description version labels exposes_as_mcp"),
      "kept with the playbook; `path` is its place in the catalog; keys of your own are kept",
      document(
        "metadata: {name: row, path: row}",
        "metadata: {name: row, path: row, description: d, version: 3, labels: {a: b}, " +
          "exposes_as_mcp: true, agent: true, owner: me}",
      ),
    ),
    same(
      under("metadata.", "tags capabilities exposed_in_ui agent"),
      "checked for their types; a single text counts as a list of one",
      shown(
        "unit/core/playbook/check.test.ts",
        "keeps unknown metadata and takes single tags as lists",
      ),
    ),
    same(
      "workload",
      "defaults, over which the request's keys are laid, one by one and whole; a text with braces " +
        "in it stays that text, and is never evaluated later",
      gives(
        tool(`kind: noop, result: ["{{ workload.a }}", "{{ workload.b }}", "{{ workload.c }}"]`),
        [2, { y: 1 }, "{{ a }}"],
        { more: `workload: {a: 1, b: {x: 1}, c: "{{ a }}"}\n`, workload: { a: 2, b: { y: 1 } } },
      ),
    ),
    same(
      "keychain",
      "a list of named entries, resolved for the tools that read them; see [Keychain](keychain.md)",
      accepts(noop, "keychain: [{name: token, kind: bearer, auth: shop, ttl_seconds: 60}]\n"),
    ),
    same(
      under("workbook.", "name tool").concat("workbook"),
      "tool calls that steps share; input of the step wins over that of the entry",
      gives(tool("kind: workbook, name: greet, input: {who: Ada}"), "Hello, Ada", {
        more: `workbook: [{name: greet, tool: {kind: noop,
   input: {who: you, word: Hello}, result: "{{ word }}, {{ who }}"}}]
`,
      }),
    ),
    different(under("workbook.", "sink assert"), {
      says: "accepted without effect, with a warning",
      why: "neither implementation has them do anything; a step that stores, and a rule, do",
      proof: warns(
        noop,
        "use a policy rule",
        "workbook: [{name: a, tool: {kind: noop}, assert: {x: 1}}]\n",
      ),
    }),
    same("executor", "see its fields below", accepts(noop, "executor: {profile: auto}\n")),
    different(["unknown root keys"], {
      says: "refused, with the nearest key that exists",
      why: "one implementation ignores them, so that a misspelt key does nothing and says nothing",
      proof: shown("unit/core/playbook/check.test.ts", "has no unknown keys"),
    }),
    same(
      ["catalog versions"],
      "the text is kept as it was; a changed text is the path's next version; a path without a " +
        "version runs the newest; an execution keeps the version it began with",
      shown("control/catalog.test.ts", "an execution keeps the version that it was started with"),
    ),
  ]),
  ...rowsIn("root", "§1.2", [
    same(
      ["entry"],
      "`executor.spec.entry_step`, else the step `start`, else the first",
      having(
        seen("- step: a\n  tool: {kind: noop}\n- step: b\n  tool: {kind: noop}\n", steps, ["b"]),
        { more: "executor: {spec: {entry_step: b}}\n" },
      ),
    ),
    same(
      ["step named start"],
      "is where it begins, wherever it stands",
      seen("- step: a\n  tool: {kind: noop}\n- step: start\n  tool: {kind: noop}\n", steps, [
        "start",
      ]),
    ),
    same(
      ["playbook without start"],
      "begins at its first step",
      seen("- step: first\n  tool: {kind: noop}\n- step: b\n  tool: {kind: noop}\n", steps, [
        "first",
      ]),
    ),
    same(
      "end",
      "a step like any other, whose result is that of the execution",
      gives(
        `- step: start
  tool: {kind: noop, result: 1}
  next: {spec: {mode: inclusive}, arcs: [{step: end}, {step: late}]}
- step: end
  tool: {kind: noop, result: 2}
- step: late
  tool: {kind: noop, result: 3}
`,
        2,
      ),
    ),
    refused(["arc to an undefined end"], {
      says: "an arc to a step that isn't there, `end` included",
      use: "a step `end`, or no arc: a branch ends where no arc leads on",
      proof: shown(
        "unit/core/playbook/check.test.ts",
        "to a step end that isn't there say how a branch ends",
      ),
    }),
    different("executor.spec.final_step", {
      says: "accepted without effect; it must name a step",
      why: "no implementation reads it",
      proof: accepts(noop, "executor: {spec: {final_step: start}}\n"),
    }),
    more(
      "executor.spec.no_next_is_error",
      "a step with arcs of which none matches fails; the existing implementations only read it",
      shown(
        "unit/core/engine/routing.test.ts",
        "no match fails the step where no_next_is_error says so",
      ),
    ),
  ]),
  ...rowsIn("root", "§1.3", [
    same(
      under("executor.", "profile version requires spec"),
      "checked and kept; nothing depends on them, as before",
      accepts(
        noop,
        "executor: {profile: distributed, version: noetl-runtime/1, requires: {tools: [http]}}\n",
      ),
    ),
    same(
      "executor.spec.entry_step",
      "the first step",
      shown("unit/core/engine/routing.test.ts", "is the step named by executor.spec.entry_step"),
    ),
    same(
      "executor.spec.policy",
      "accepted without effect, as before",
      accepts(noop, "executor: {spec: {policy: {defaults: {}, results: {}, limits: {}}}}\n"),
    ),
  ]),
  ...rowsIn("root", "§1.9", [
    refused("Subscription", {
      says: "documents of `kind: Subscription`, with all their fields",
      use: "a playbook that reads with the `nats` tool, started by whatever receives the messages",
      proof: document(
        "kind: Playbook",
        "kind: Subscription",
        "subscriptions are not supported by this version",
      ),
    }),
  ]),
  ...rowsIn("step", "§1.4", [
    same(
      under("step.", "step desc tool next"),
      "a unique name, a text, a tool or a list of tools, and where to go; without `next` the branch ends",
      gives(
        `- step: start
  desc: first
  tool: [{name: a, kind: noop, result: {x: 1}}, {name: b, kind: noop, result: {y: 2}}]
  next: {arcs: [{step: end}]}
- step: end
  tool: {kind: noop, result: ["{{ start.a.x }}", "{{ start.y }}"]}
`,
        [1, 2],
      ),
    ),
    same(
      ["step without tool"],
      "is refused, also one named `end`",
      refusal("- step: start\n", "step has no 'tool'"),
    ),
    same(
      "step.loop",
      "runs the tool once for each item",
      shown(
        "unit/core/engine/loops.test.ts",
        "see event.name loop.done and the stats, also when iterations failed",
      ),
    ),
    same(
      "step.set",
      "evaluated once when the step has ended, seen by its arcs and by all that follows",
      gives(
        `- step: start
  tool: {kind: noop, result: {n: 1}}
  set: {ctx.a: "{{ output.n + 1 }}", b: "{{ a + 1 }}"}
  next: {arcs: [{step: end, when: "{{ b == 3 }}"}]}
- step: end
  tool: {kind: noop, result: ["{{ a }}", "{{ ctx.b }}"]}
`,
        [2, 3],
      ),
    ),
    same(
      "step.input",
      "given to every tool of the step, under the tool's own input",
      gives(
        `- step: start
  input: {who: you, word: Hello}
  tool: {kind: noop, input: {who: Ada}, result: "{{ word }}, {{ who }}"}
`,
        "Hello, Ada",
      ),
    ),
    same(
      "step.output",
      "read and kept; large results are stored and summed up by themselves, as in the Rust server",
      accepts(stepWith("output: {store: {kind: kv}, output_select: [a]}")),
    ),
    same("step.spec", "see its fields below", accepts(stepWith("spec: {timeout: 5}"))),
    more(
      "step.spec.timeout",
      "bounds one attempt at the whole step; the existing implementations only read it",
      seen(
        '- step: start\n  tool: {kind: python, code: "import time; time.sleep(60)"}\n  spec: {timeout: 0.3}\n',
        (run) => [
          run.status,
          run.error?.includes("timed out") === true || run.error?.includes("time") === true,
        ],
        ["failed", true],
      ),
    ),
    refused(under("step.spec.policy.", "lifecycle failure emit"), {
      says: "placeholders that no implementation evaluates and no playbook uses",
      use: "`spec.timeout`, arcs with `event.name == 'call.error'`, and the step's `emit`",
      proof: refusal(stepWith("spec: {policy: {lifecycle: {}}}"), "'lifecycle'"),
    }),
    more(
      [
        "step.spec.policy.admit",
        "step.spec.policy",
        ...under("step.spec.policy.admit.", "mode rules"),
      ],
      "evaluated before the step is entered; modelled before, evaluated by neither (see [what we add](#what-we-add))",
      accepts(
        stepWith(
          'spec: {policy: {admit: {mode: exclusive, rules: [{when: "{{ true }}", then: {allow: true}}]}}}',
        ),
      ),
    ),
    refused("step.vars", {
      says: "read and never used before",
      use: "`set`",
      proof: refusal(stepWith("vars: {a: 1}"), "use set"),
    }),
  ]),
];
