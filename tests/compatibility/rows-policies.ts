// Rows of pipelines and the policies of their tasks (language reference §§1.5, 4.11).

import {
  accepts,
  different,
  gives,
  more,
  type Row,
  refusal,
  refused,
  rowsIn,
  same,
  shown,
  tool,
  under,
} from "./row.ts";

const pipeline = (tasks: string): string => `- step: start\n  tool: [${tasks}]\n`;
const policy = (rules: string): string =>
  tool(`kind: noop, result: {n: 1}, spec: {policy: {rules: [${rules}]}}`);
const withReserved = (key: string): string =>
  tool(`kind: noop, spec: {policy: {${key}: [], rules: []}}`);

const thenEnd = "  next: {arcs: [{step: end}]}\n- step: end";

export const rows: readonly Row[] = [
  ...rowsIn("policy", "§1.5", [
    same(
      ["policy of a single tool"],
      "works as in a pipeline of one task; one implementation ignores it there",
      gives(
        tool(
          `kind: noop, result: {n: 1}, spec: {policy: {rules: [
      {when: "{{ output.status == 'ok' }}", then: {do: continue, set: {seen: "{{ output.data.n }}"}}}]}}`,
        ) +
          '  next: {arcs: [{step: end}]}\n- step: end\n  tool: {kind: noop, result: "{{ seen }}"}\n',
        1,
      ),
    ),
    same(
      "pipeline",
      "tasks run in order; labels differ; a task without a name is `task_` and its place",
      gives(
        pipeline(
          `{kind: noop, result: {a: 1}}, {name: b, kind: noop, result: "{{ task_0.a + 1 }}"}`,
        ),
        2,
      ),
    ),
    same(["empty list of tools"], "is refused", refusal("- step: start\n  tool: []\n", "'tool'")),
    same(
      under(
        "task.",
        "name kind input args set spec spec.policy spec.code spec.timeout output auth credential libs",
      ),
      "every tool has them; `args` is `input`, `credential` is `auth`",
      accepts(
        tool(
          'kind: python, name: a, args: {x: 1}, set: {ctx.a: "{{ output.data }}"}, spec: {timeout: 5}, ' +
            "output: {store: {kind: kv}}, credential: pg, libs: {json: json}, code: result = 1",
        ),
      ),
    ),
    same(
      ["task set"],
      "applied after the task, whether it went well or not, with `output` bound",
      shown(
        "worker/pipeline.test.ts",
        "sets are applied after an error, too, and reported with it",
      ),
    ),
    same(
      under("policy.", "mode on_unmatched rules"),
      "rules are tried in order; `on_unmatched` says what an error does that no rule matched",
      shown(
        "worker/pipeline.test.ts",
        "on_unmatched decides only about errors that no rule matched",
      ),
    ),
    more(
      ["policy.mode: inclusive"],
      "every rule that matches has its `set` applied, and the first of them that does more than go " +
        "on decides; modelled before, implemented by neither",
      gives(
        `${tool(`kind: noop, spec: {policy: {mode: inclusive, rules: [
      {when: "{{ true }}", then: {set: {a: 1}}}, {when: "{{ true }}", then: {set: {b: 2}}}]}}`)}${thenEnd}
  tool: {kind: noop, result: "{{ a + b }}"}
`,
        3,
      ),
    ),
    ...["before", "after", "finally"].map((key) =>
      refused(`policy.${key}`, {
        says: "a reserved key, evaluated by neither server",
        use: "a task in front or behind, or arcs of success and of `call.error` to one step",
        proof: refusal(withReserved(key), `'${key}'`),
      }),
    ),
    same(
      "rule.when",
      "an expression or a template; `when: true` is accepted",
      gives(
        `${policy("{when: true, then: {do: continue, set: {a: 5}}}")}  next: {arcs: [{step: end}]}
- step: end
  tool: {kind: noop, result: "{{ a }}"}
`,
        5,
      ),
    ),
    same(
      ["rule.else", "else beside then", "rule.then"],
      "both spellings: `else: {then: …}`, and an empty `else:` beside `then:`",
      gives(
        `${policy(
          '{when: "{{ false }}", then: {do: fail}}, {else: , then: {do: continue, set: {a: 5}}}',
        )}  next: {arcs: [{step: end}]}\n- step: end\n  tool: {kind: noop, result: "{{ a }}"}\n`,
        5,
      ),
    ),
    same(
      ["first match wins"],
      "in exclusive mode",
      shown("worker/pipeline.test.ts", "the first rule that matches decides"),
    ),
    same(
      ["then.do: continue", "then.do"],
      "goes on; after an error the step counts as done, with the error still to be seen",
      shown(
        "worker/pipeline.test.ts",
        "continue and break after an error settle as done with the error still to be seen",
      ),
    ),
    same(
      ["then.do: retry", "then.attempts"],
      "`attempts` counts all executions, the first included; 3 without it",
      shown("worker/pipeline.test.ts", "attempts: 3 is three executions in all"),
    ),
    same(
      ["then.do: fail"],
      "ends the pipeline with an error that keeps the data",
      shown("worker/pipeline.test.ts", "fail on a success is an error that keeps its data"),
    ),
    same(
      ["then.do: break"],
      "ends the pipeline well, with the results so far",
      shown("worker/pipeline.test.ts", "break leaves the tasks behind it out"),
    ),
    same(
      ["then.do: jump", "then.to"],
      "to a label, backward or forward, or to the task before: `previous`, `prev`, `_previous`, `@previous`",
      shown(
        "worker/pipeline.test.ts",
        "every word for the previous task leads there, and nowhere from the first",
      ),
    ),
    same(
      under("then.", "backoff delay"),
      "`none` is no delay; `linear` is delay × n, `exponential` delay × 2^(n-1), without it the " +
        "delay stays the same; n counts the retries",
      shown("worker/pipeline.test.ts", 'backoff ${backoff} waits ${expected.join(", ")} ms'),
    ),
    same(
      "then.set",
      "applied when its rule is taken, after the task's own `set`",
      shown(
        "worker/pipeline.test.ts",
        "what set writes goes to the execution as written, iter stays in the pipeline",
      ),
    ),
    same(
      "then.allow",
      "for admission alone: refused in a tool's policy",
      refusal(policy("{when: true, then: {do: continue, allow: true}}"), "'allow'"),
    ),
    same(
      ["no rule matched"],
      "without `on_unmatched` an error fails and a success goes on, as with no policy at all",
      shown("worker/pipeline.test.ts", "an error without a policy ends the pipeline"),
    ),
    same(
      ["retry counting"],
      "per label, and not reset by a jump",
      shown("worker/pipeline.test.ts", "a jump neither spends a retry nor gives one back"),
    ),
    same(
      ["guard against endless jumps"],
      "a pipeline ends with an error after 1,000,000 tasks, and others run meanwhile",
      shown(
        "worker/pipeline.test.ts",
        "a pipeline that never ends is ended by its bound, and lets others run meanwhile",
      ),
    ),
    different(["delays of more than five seconds"], {
      says: "give the slot back; the pipeline goes on where it was, also on another worker",
      why: "a wait should cost nothing, and should outlive a restart",
      proof: shown(
        "control/timers.test.ts",
        "a wait is over a quarter of a second after its time at the latest",
      ),
    }),
    refused(["policy on a playbook call"], {
      says: "calls that stand alone in their step have no policy",
      use: "an arc with `when: \"{{ event.name == 'call.error' }}\"`",
      proof: refusal(
        tool("kind: playbook, path: a, spec: {policy: {rules: [{else: {then: {do: retry}}}]}}"),
        "a policy on a playbook call is not supported",
      ),
    }),
    refused(["policy on wait and container"], {
      says: "calls that stand alone in their step have no policy",
      use: "an arc with `when: \"{{ event.name == 'call.error' }}\"`",
      proof: refusal(
        tool(
          "kind: wait, for: timer, seconds: 1, spec: {policy: {rules: [{else: {then: {do: retry}}}]}}",
        ),
        "a policy on a wait call is not supported",
      ),
    }),
    refused(["a playbook, wait or container call in a pipeline of several tasks"], {
      says: "no slot is held while they last, so they can't stand among other tasks",
      use: "a step of its own",
      proof: refusal(
        pipeline("{name: a, kind: noop}, {name: b, kind: playbook, path: a}"),
        "give it a step of its own",
      ),
    }),
  ]),
  ...rowsIn("policy", "§4.11", [
    different(["commands that are lost"], {
      says: "are tried again when their worker is lost",
      why:
        "the existing engine never gives a command to a second worker; at least once, with an " +
        "idempotency key, is worth more than at most once",
      proof: shown(
        "control/leases.test.ts",
        "a lease that ran out lets another worker try again; the first one's outcome is refused",
      ),
    }),
    same(
      ["pagination by arcs", "pagination by jump"],
      "arc cycles with `set`, self-loops, and a pipeline's `jump` back to the task that fetches",
      gives(
        `- step: start
  tool:
  - name: fetch
    kind: noop
    result: {page: "{{ iter.page | default(1) }}"}
    set: {iter.page: "{{ output.data.page + 1 }}"}
  - name: more
    kind: noop
    result: "{{ iter.page }}"
    spec: {policy: {rules: [{when: "{{ iter.page < 4 }}", then: {do: jump, to: fetch}}]}}
`,
        4,
      ),
    ),
  ]),
];
