// Rows of the names that templates see (language reference §§3.2–3.4) and of how a step's result is
// reached.

import type { Json } from "#core/model/json";
import { type Claim, different, gives, type Row, rowsIn, same, shown, tool } from "./row.ts";

/** What an expression gives in the step after `start`, whose result is `{n: 5, list: [1, 2]}`. */
const after = (names: readonly string[], expression: string, value: Json, says: string): Claim =>
  same(
    names,
    says,
    gives(
      `- step: start
  tool: {kind: noop, result: {n: 5, list: [1, 2]}}
  set: {v: 9}
  next: {arcs: [{step: end}]}
- step: end
  tool: {kind: noop, result: "{{ ${expression} }}"}
`,
      value,
      { workload: { city: "Oslo" } },
    ),
  );

/** What an expression gives in an arc of a step whose result is `{n: 5, status: mine}`. */
const inArc = (names: readonly string[], expression: string, says: string): Claim =>
  same(
    names,
    says,
    gives(
      `- step: start
  tool: {kind: noop, result: {n: 5, rows: [1]}}
  next: {arcs: [{step: end, when: "{{ ${expression} }}"}]}
- step: end
  tool: {kind: noop, result: [here]}
`,
      ["here"],
    ),
  );

/** What an expression gives in the second task of a pipeline whose first came to `{a: 1}`. */
const inPipeline = (
  names: readonly string[],
  expression: string,
  value: Json,
  says: string,
): Claim =>
  same(
    names,
    says,
    gives(
      tool("kind: noop").replace(
        "tool: {kind: noop}",
        `tool: [{name: one, kind: noop, result: {a: 1}}, {name: two, kind: noop, result: "{{ ${expression} }}"}]`,
      ),
      value,
    ),
  );

const body = (names: readonly string[], expression: string, value: Json, says: string): Claim =>
  same(
    names,
    says,
    gives(
      `- step: start
  loop: {in: [a, b], iterator: x}
  tool: {kind: noop, result: "{{ ${expression} }}"}
  next: {arcs: [{step: end}]}
- step: end
  tool: {kind: noop, result: "{{ start.results }}"}
`,
      value,
    ),
  );

export const rows: readonly Row[] = [
  ...rowsIn("scope", "§3.2", [
    after(["workload keys"], "city", "Oslo", "every key of the workload is a bare name"),
    after(
      ["workload"],
      "workload.city",
      "Oslo",
      "the request over the defaults, as it was at the start",
    ),
    after(
      ["ctx"],
      "[ctx.city, ctx.start.n, ctx.v]",
      ["Oslo", 5, 9],
      "one flat map of workload, results and variables",
    ),
    after(["<step>"], "start.n", 5, "the result of a step that has ended"),
    after(
      ["steps.<step>"],
      "steps.start.n",
      5,
      "the same by the name of the step alone, which no variable hides",
    ),
    after(
      ["execution_id", "catalog_id"],
      "execution_id is string and catalog_id is string",
      true,
      "text, everywhere",
    ),
    after(
      ["path", "version"],
      "path is string and version is number",
      true,
      "of the playbook that runs",
    ),
    after(
      ["job.uuid", "job.id", "job.execution_id"],
      "job.uuid == execution_id and job.id == job.execution_id",
      true,
      "the execution's id",
    ),
    body(
      ["iter.<iterator>", "bare <iterator>"],
      "x ~ iter.x",
      ["aa", "bb"],
      "the item, under both names",
    ),
    body(
      ["iter._index", "iter._total", "_index", "_total"],
      "[_index, _total, iter._index, iter._total]",
      [
        [0, 2, 0, 2],
        [1, 2, 1, 2],
      ],
      "the item's place from 0, and how many there are",
    ),
    body(
      ["iter._first", "iter._last"],
      "[iter._first, iter._last]",
      [
        [true, false],
        [false, true],
      ],
      "whether the item is the first or the last",
    ),
    body(
      ["loop.index", "loop.first", "loop.length"],
      "[loop.index, loop.first, loop.length]",
      [
        [1, true, 2],
        [2, false, 2],
      ],
      "of the step's loop, as in a template's own",
    ),
    different(["loop.done"], {
      says: "is not a name: `event.name == 'loop.done'` says it",
      why: "one implementation alone has it, and only where it is always true",
      proof: gives(tool('kind: noop, result: "{{ loop.done is defined }}"'), false),
    }),
    same(
      ["__frame_max_rows", "__frame_policy"],
      "in the claim of a cursor loop; `__frame_key` and `__frame_lease_seconds` too",
      shown(
        "unit/core/engine/cursor.test.ts",
        "its claim is rendered, its body's row is left to the worker",
      ),
    ),
    inArc(
      ["event.name", "event.step"],
      "event.name == 'call.done' and event.step == 'start'",
      "what the arc is tried after, always there",
    ),
    inArc(
      ["event.payload", "event.timestamp"],
      "event.payload.status == 'ok' and event.timestamp is number",
      "the call's output, and when it was told, in milliseconds",
    ),
    inArc(
      ["output"],
      "output.n == 5",
      "what the call came to: in step `set`, arcs, task `set` and rules",
    ),
    same(
      ["error"],
      "in arcs, of the step that failed",
      shown("unit/core/engine/routing.test.ts", "binds error in the arcs"),
    ),
    inPipeline(
      ["<task label>"],
      "[one.a, one.data.a]",
      [1, 1],
      "the result of an earlier task of the pipeline",
    ),
    same(
      ["results", "_prev", "_task", "_attempt"],
      "in pipelines: earlier results by label, the last one, the task and its attempt",
      shown(
        "worker/task-scope.test.ts",
        "earlier tasks are seen under their labels, through results, and as the previous one",
      ),
    ),
    different(["keychain.<alias>.<field>"], {
      says: "in fields of tools alone; an entry or a field that isn't there fails the step",
      why: "elsewhere the secret would reach the log, and an empty text is no secret",
      proof: shown(
        "worker/keychain.test.ts",
        "is for fields alone: a set and a rule that read one fail",
      ),
    }),
    same(
      ["args", "input_data"],
      "in code, beside each input by its own name",
      shown("tools/python.test.ts", "names and the context of the execution"),
    ),
    same(
      ["step", "worker_id", "command_id"],
      "in fields of tools: who runs what",
      gives(tool('kind: noop, result: "{{ [step, worker_id is string, command_id is string] }}"'), [
        "start",
        true,
        true,
      ]),
    ),
    different(["action", "node_name", "server_url"], {
      says: "undefined in templates",
      why: "`step` says the one, and where the control plane is concerns no playbook",
      proof: gives(
        tool(
          'kind: noop, result: "{{ [action is defined, node_name is defined, server_url is defined] }}"',
        ),
        [false, false, false],
      ),
    }),
    different("env", {
      says: "undefined: playbooks use it with `default`",
      why: "no existing engine gives it; the environment of a worker is its operator's",
      proof: gives(tool("kind: noop, result: \"{{ env.HOME | default('none') }}\""), "none"),
    }),
  ]),
  ...rowsIn("scope", "§3.3", [
    after(["step.field"], "start.n", 5, "a field of the result"),
    after(
      ["step.data.field"],
      "start.data.n",
      5,
      "`data` stands for the result that has no such key of its own",
    ),
    after(["step.result.field"], "start.result.n", 5, "`result` too, in arcs as well"),
    same(
      ["step.label.field", "pipeline flattening"],
      "a pipeline shows the last task's fields and every label",
      shown(
        "unit/core/engine/data.test.ts",
        "of a pipeline shows the last task's fields and every label",
      ),
    ),
    same(
      ["own data key"],
      "wins over the alias: `step.data` of an http call is the body",
      shown("unit/core/engine/data.test.ts", "its own data key wins over the alias"),
    ),
    different(["misfire of flattening"], {
      says: "a result whose values happen to be maps stays as it is",
      why: "one implementation takes it for a pipeline by its looks",
      proof: gives(
        `- step: start
  tool: {kind: noop, result: {a: {x: 1}, b: {y: 2}}}
  next: {arcs: [{step: end}]}
- step: end
  tool: {kind: noop, result: "{{ start.x is defined }}"}
`,
        false,
      ),
    }),
    same(
      ["list results"],
      "stand under the step's name, `data` and `result`",
      shown(
        "unit/core/engine/data.test.ts",
        "that is a list or a scalar stands under its name and its aliases",
      ),
    ),
    same(
      ["_ref", "_store", "_uri"],
      "of a result that was stored; undefined for one that is at hand",
      shown(
        "language/gotchas.test.ts",
        "15: large results become references, ids are text, and no secret reaches the log",
      ),
    ),
    same(
      ["loop step result"],
      "`results` in the order of the items, and `stats`; neither implementation gives all of them",
      shown(
        "language/gotchas.test.ts",
        "14: a loop bounds itself by a template, binds every name, gives results, and leaks no iter",
      ),
    ),
    different(["step.context"], {
      says: "undefined: there is no stored envelope around a result",
      why: "`step.field`, `step.data.field` and `output` reach all of it",
      proof: gives(
        `- step: start
  tool: {kind: noop, result: {a: 1}}
  next: {arcs: [{step: end}]}
- step: end
  tool: {kind: noop, result: "{{ start.context is defined }}"}
`,
        false,
      ),
    }),
  ]),
  ...rowsIn("scope", "§3.4", [
    inArc(
      ["output.field", "output.data.field"],
      "output.rows == [1] and output.data.rows == [1]",
      "both, in arcs, step sets, task sets and rules",
    ),
    same(
      ["output.status"],
      "`ok` or `error`",
      gives(
        `${tool(
          `kind: noop, result: 1, spec: {policy: {rules: [
            {when: "{{ output.status == 'ok' }}", then: {do: continue, set: {s: "{{ output.status }}"}}}]}}`,
        )}  next: {arcs: [{step: end}]}\n- step: end\n  tool: {kind: noop, result: "{{ s }}"}\n`,
        "ok",
      ),
    ),
    different(["output.status == 'success'"], {
      says: "never holds: a good status is `ok`",
      why:
        "rules test `error`; one implementation says `success` and the other `ok`, and no playbook " +
        "compares with either",
      proof: gives(
        `- step: start
  tool: {kind: noop}
  next: {arcs: [{step: end, set: {s: "{{ output.status == 'success' }}"}}]}
- step: end
  tool: {kind: noop, result: "{{ s }}"}
`,
        false,
      ),
    }),
    same(
      ["output.error", "output.http", "output.meta"],
      "`error` with kind, retryable, code and message; `http` with status and headers; `meta` with the attempt",
      shown(
        "language/gotchas.test.ts",
        "1: retry rules see the envelope: status error, http.status, error.retryable",
      ),
    ),
    same(
      ["output.pg", "output.py"],
      "SQLSTATE and its parts; exception and traceback",
      shown(
        "tools/postgres-failure.test.ts",
        "carry the SQLSTATE and its parts, and whether to try again",
      ),
    ),
    same(
      ["output.ref"],
      "the reference of a result that was stored",
      shown("unit/core/engine/data.test.ts", "goes behind a reference, its scalars stay at hand"),
    ),
    same(
      ["http body at output.data.data"],
      "in rules, task sets and arcs alike",
      shown(
        "language/gotchas.test.ts",
        "2: output means the same in task set, rule and arc, with and without data",
      ),
    ),
  ]),
];
