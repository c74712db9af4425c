// Rows of arcs (language reference §§1.7, 4.4) and of the names that `set` writes (§1.8).

import {
  different,
  eventsOf,
  gives,
  type Row,
  refusal,
  rowsIn,
  same,
  seen,
  shown,
  stepWith,
  under,
} from "./row.ts";

const noops = (...names: readonly string[]): string =>
  names.map((name) => `- step: ${name}\n  tool: {kind: noop}\n`).join("");
const steps = (run: { readonly steps: object }): readonly string[] => Object.keys(run.steps);

export const rows: readonly Row[] = [
  ...rowsIn("arc", "§1.7", [
    same(
      under("next.", "spec arcs"),
      "a router: arcs in the order in which they are tried",
      shown(
        "unit/core/engine/routing.test.ts",
        "exclusive takes the first that matches, from the top",
      ),
    ),
    same(
      ["next.spec.mode: exclusive"],
      "the first arc that matches; the default",
      seen(
        `- step: start
  tool: {kind: noop}
  next: {arcs: [{step: a, when: "{{ false }}"}, {step: b}, {step: c}]}
${noops("a", "b", "c")}`,
        (run) => steps(run).filter((step) => run.steps[step]?.status === "completed"),
        ["start", "b"],
      ),
    ),
    same(
      ["next.spec.mode: inclusive", "next.spec.mode"],
      "all arcs that match; the branches run side by side",
      seen(
        `- step: start
  tool: {kind: noop}
  next: {spec: {mode: inclusive}, arcs: [{step: a}, {step: b, when: "{{ false }}"}, {step: c}]}
${noops("a", "b", "c")}`,
        (run) => steps(run).filter((step) => run.steps[step]?.status === "completed"),
        ["start", "a", "c"],
      ),
    ),
    different("next.spec.on_no_match", {
      says: "accepted: where no arc matches, the branch ends, whatever it says",
      why: "both words describe that end; `executor.spec.no_next_is_error` asks for a failure",
      proof: seen(
        `- step: start
  tool: {kind: noop}
  next: {spec: {on_no_match: quiet}, arcs: [{step: a, when: "{{ false }}"}]}
${noops("a")}`,
        (run) => run.status,
        "completed",
      ),
    }),
    same(
      under("arc.", "step when"),
      "the step it leads to, and a condition with or without braces; without one it always matches",
      seen(
        `- step: start
  tool: {kind: noop, result: {n: 2}}
  next: {arcs: [{step: a, when: "start.n == 1"}, {step: b, when: "{{ start.n == 2 }}"}]}
${noops("a", "b")}`,
        (run) => run.steps["b"]?.status,
        "completed",
      ),
    ),
    same(
      "arc.set",
      "rendered where the producing step is known, and kept: not only the next step sees it",
      gives(
        `- step: start
  tool: {kind: noop, result: {n: 2}}
  next: {arcs: [{step: a, set: {ctx.k: "{{ output.n }}"}}]}
- step: a
  tool: {kind: noop}
  next: {arcs: [{step: end}]}
- step: end
  tool: {kind: noop, result: "{{ ctx.k }}"}
`,
        2,
      ),
    ),
    different("arc.spec", {
      says: "accepted without effect, with a warning",
      why: "arcs have no settings in either implementation",
      proof: {
        kind: "accepted",
        playbook: `apiVersion: noetl.io/v2
kind: Playbook
metadata: {name: row}
workflow:
- step: start
  tool: {kind: noop}
  next: {arcs: [{step: end, spec: {}}]}
- step: end
  tool: {kind: noop}
`,
        warning: "arcs have no settings",
      },
    }),
    different(["arc to an undefined step"], {
      says: "refused at registration, with the nearest name",
      why:
        "one implementation logs it and takes the arc for none, so that a misspelt name ends the " +
        "branch in silence",
      proof: refusal(stepWith("next: {arcs: [{step: ned}]}"), "did you mean 'end'"),
    }),
  ]),
  ...rowsIn("set", "§1.8", [
    same(
      ["ctx.k", "iter.k", "step.k", "k"],
      "at steps and arcs the prefix goes and the bare name is one of the execution's variables",
      shown("unit/core/engine/data.test.ts", "takes its scope prefixes off"),
    ),
    same(
      ["set inside a pipeline"],
      "`iter.page` is read back as `iter.page`, `ctx.a` as `ctx.a`, while the pipeline runs",
      shown(
        "language/gotchas.test.ts",
        "6: set prefixes vanish between steps, nest inside a pipeline, and win over what they hide",
      ),
    ),
    same(
      ["set from a pipeline to the execution"],
      "`ctx`, `step` and bare names become variables of the execution once the call has settled, " +
        "in the order of their last writes; `iter` stays inside",
      shown(
        "worker/pipeline.test.ts",
        "what set writes goes to the execution as written, iter stays in the pipeline",
      ),
    ),
    different(["a dotted key with another prefix"], {
      says: "writes into the variable of that name: `page.next` changes one key of `page`",
      why: "a name with a dot in it can't be read back by any template",
      proof: shown("unit/core/engine/data.test.ts", "with further dots writes inside the variable"),
    }),
    same(
      ["nested maps"],
      "replace what was there; they are not merged",
      gives(
        `- step: start
  tool: {kind: noop}
  set: {m: {a: 1, b: 2}}
  next: {arcs: [{step: end, set: {m: {a: 3}}}]}
- step: end
  tool: {kind: noop, result: "{{ m }}"}
`,
        { a: 3 },
      ),
    ),
    different(["a set value that can't be rendered"], {
      says: "fails the step, which an arc can recover",
      why: "one implementation stores the text of the template as the value, and goes on with it",
      proof: shown(
        "unit/core/engine/routing.test.ts",
        "of a set that can't be rendered fails its step",
      ),
    }),
  ]),
  ...rowsIn("arc", "§4.4", [
    same(
      ["step-level set before arcs"],
      "applied once per completion, before the arcs are tried",
      shown(
        "language/gotchas.test.ts",
        "7: step-level set fires once per completion and never reverts a counter",
      ),
    ),
    same(
      ["arcs of the completed step"],
      "only the step that ended evaluates its arcs, and once",
      shown("unit/core/engine/loops.test.ts", "are evaluated once"),
    ),
    same(
      ["step.skipped for unmatched targets"],
      "told of a step that no arc will lead to any more",
      seen(
        `- step: start\n  tool: {kind: noop}\n  next: {arcs: [{step: a}, {step: b}]}\n${noops("a", "b")}`,
        (run) => eventsOf(run, "step.skipped").map(({ step, reason }) => [step, reason]),
        [["b", "unmatched"]],
      ),
    ),
    same(
      ["when on event.name"],
      "`call.done`, `call.error` and `loop.done`, always there",
      shown(
        "language/gotchas.test.ts",
        "11: event.name is always there: call.done, call.error, loop.done",
      ),
    ),
    different(["an arc when that can't be evaluated"], {
      says: "fails the step and follows no arc",
      why:
        "one implementation ends the execution where the failure could be recovered, the other goes " +
        "on as if the arc did not match",
      proof: shown(
        "unit/core/engine/routing.test.ts",
        "an arc that can't be evaluated fails the step and follows none",
      ),
    }),
  ]),
  ...rowsIn("arc", "§4.5", [
    same(
      ["fan-out"],
      "inclusive arcs all lead on at once",
      shown("unit/core/engine/routing.test.ts", "inclusive takes all that match"),
    ),
    same(
      ["AND-join"],
      "a step with several arcs leading to it waits for those that can still come, and for no " +
        "others; it is entered once",
      shown(
        "unit/core/engine/routing.test.ts",
        "a reducer after a fan-out enters exactly once, after all branches",
      ),
    ),
    same(
      ["back-edge"],
      "a join never waits for the far side of a cycle that leads through it",
      shown(
        "unit/core/engine/routing.test.ts",
        "do not wait for the far side of a cycle that leads through them",
      ),
    ),
  ]),
  ...rowsIn("arc", "§4.6", [
    same(
      ["cycle", "self-loop"],
      "a step that is reached again runs again; results of the round before stay visible until replaced",
      shown(
        "language/gotchas.test.ts",
        "10: an arc loop runs a finished step again and keeps its result until the new one",
      ),
    ),
    same(
      ["exit arc of a cycle"],
      "is not told as skipped while the cycle turns",
      shown(
        "language/gotchas.test.ts",
        "9: exclusive routing tells what it skipped, but not the way out of a cycle",
      ),
    ),
    same(
      ["no iteration cap"],
      "a cycle turns until its own condition ends it, however often",
      shown("unit/core/engine/routing.test.ts", "of thousands of turns stay as cheap as the first"),
    ),
  ]),
  ...rowsIn("arc", "§4.7", [
    different(["an arc without when after a failure"], {
      says: "is not taken: a step that failed goes on only over an arc with a `when` that holds",
      why: "nobody who writes a plain arc means it for failures",
      proof: shown(
        "unit/core/engine/routing.test.ts",
        "is never recovered by an arc without a when",
      ),
    }),
    same(
      ["when event.name == 'call.error'"],
      "an arc that matches recovers the execution; `error` and `output.error` say what happened",
      shown("unit/core/engine/routing.test.ts", "is recovered by an arc whose when holds"),
    ),
    different(["recovered executions"], {
      says: "end `completed`",
      why:
        "one implementation ends them failed although a failure was dealt with, so that nobody can " +
        "tell the two apart",
      proof: gives(
        `- step: start
  tool: {kind: http, url: "http://127.0.0.1:1/"}
  next: {arcs: [{step: end, when: "{{ event.name == 'call.error' }}"}]}
- step: end
  tool: {kind: noop, result: "{{ start.error.kind }}"}
`,
        "connection",
      ),
    }),
    different(["soft errors"], {
      says: "fail their step like thrown ones: an HTTP 404 and a refused connection are both failures",
      why: "what counts as thrown differs from tool to tool; a step either did its work or not",
      proof: seen(
        `- step: start\n  tool: {kind: http, url: "{{ workload.http }}/status/500"}\n`,
        (run) => run.status,
        "failed",
      ),
    }),
    same(
      ["completion on quiescence"],
      "it ends when nothing runs and nothing waits: completed, or failed if a failure is left",
      shown("unit/core/engine/routing.test.ts", "comes once nothing runs and nothing waits"),
    ),
    same(
      ["no matching arc"],
      "ends the branch and nothing more",
      shown(
        "language/gotchas.test.ts",
        "13: no match ends the branch, any step may be the entry, empty and null loops go on",
      ),
    ),
    same(
      ["several leaf branches"],
      "the end waits for all that run",
      seen(
        `- step: start
  tool: {kind: noop}
  next: {spec: {mode: inclusive}, arcs: [{step: a}, {step: b}]}
- step: a
  tool: {kind: noop}
- step: b
  tool: {kind: noop}
  next: {arcs: [{step: c}]}
${noops("c")}`,
        (run) => [run.status, run.steps["a"]?.status, run.steps["c"]?.status],
        ["completed", "completed", "completed"],
      ),
    ),
    different(["engine errors in templates"], {
      says: "fail their step; an arc can recover it",
      why: "one implementation ends the execution at once, and no arc has a say",
      proof: shown(
        "unit/core/engine/routing.test.ts",
        "of a step whose input can't be rendered can be recovered like any other",
      ),
    }),
  ]),
];
