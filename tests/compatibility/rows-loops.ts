// Rows of loops over collections and cursors (language reference §§1.6, 4.8).

import type { Json } from "#core/model/json";
import {
  accepts,
  type Claim,
  different,
  gives,
  more,
  type Proof,
  type Row,
  refusal,
  rowsIn,
  same,
  seen,
  shown,
  under,
  warns,
} from "./row.ts";

const loop = (spec: string, body = '{kind: noop, result: "{{ x }}"}'): string =>
  `- step: start\n  loop: {${spec}}\n  tool: ${body}\n  next: {arcs: [{step: end}]}\n` +
  `- step: end\n  tool: {kind: noop, result: "{{ start.results }}"}\n`;

const over = (collection: string, results: Json, says: string, kind: string): Claim =>
  same([`in: ${kind}`], says, gives(loop(`in: ${collection}, iterator: x`), results));

const cursor = (spec: string, more = ""): string =>
  `- step: start
  loop:
    cursor:
      kind: postgres
      auth: pg
      claim: |
        with c as (select id from q where s = 'new' for update skip locked limit {{ __frame_max_rows }})
        update q set s = 'taken', k = '{{ __frame_key }}' from c where q.id = c.id returning q.*
    iterator: row
    spec: {mode: cursor${spec}}
  tool: {kind: noop}
${more}`;

const failed = (workflow: string): Proof =>
  seen(workflow, (run) => [run.status, run.error?.includes("list") ?? false], ["failed", true]);

export const rows: readonly Row[] = [
  ...rowsIn("loop", "§1.6", [
    same(
      under("loop.", "in iterator spec"),
      "the items, the name under which the body sees its item, and how they run",
      gives(loop("in: [1, 2], iterator: x, spec: {mode: sequential}"), [1, 2]),
    ),
    same(
      ["loop.spec.mode: sequential", "loop.spec.mode"],
      "one item after the other; the default",
      shown("unit/core/engine/loops.test.ts", "runs one item at a time, in order"),
    ),
    same(
      ["loop.spec.mode: parallel", "loop.spec.max_in_flight"],
      "at most `max_in_flight` items at a time, enforced; a number or a template",
      shown("unit/core/engine/loops.test.ts", "keeps max_in_flight items open and never more"),
    ),
    different(["max_in_flight omitted"], {
      says: "64 items at a time in parallel mode",
      why: "one implementation runs one at a time and the other all at once: neither is what parallel asks for",
      proof: seen(
        loop('in: "{{ range(100) | list }}", iterator: x, spec: {mode: parallel}'),
        (run) => {
          const enter = run.events.find((event) => event.type === "step.enter");
          return enter?.type === "step.enter" ? enter.loop?.max_in_flight : undefined;
        },
        64,
      ),
    }),
    same(
      "loop.spec.policy",
      "`exec: local` and `exec: distributed` are accepted; every iteration is a command of its own",
      accepts(loop("in: [1], iterator: x, spec: {policy: {exec: distributed}}")),
    ),
    over('"{{ [1, 2] }}"', [1, 2], "its items, in order", "list"),
    over(
      `"{{ {'a': 1, 'b': 2} }}"`,
      [
        { key: "a", value: 1 },
        { key: "b", value: 2 },
      ],
      "a `key` and a `value` for each entry, in order",
      "object",
    ),
    over(
      "\"{{ workload.text | default('a, b') }}\"",
      ["a", "b"],
      "a JSON array in it, else its parts between commas and line ends, without blanks",
      "string",
    ),
    over('"{{ 3 }}"', [0, 1, 2], "0 to n - 1", "number"),
    over('"{{ none }}"', [], "nothing: the loop is done at once", "null"),
    over('"{{ workload.nothing }}"', [], "nothing, as for null", "undefined"),
    same(
      ["in: bool"],
      "fails the step: it is no collection",
      failed(loop('in: "{{ true }}", iterator: x')),
    ),
    same(
      ["in: a literal"],
      "a list whose items may hold templates",
      gives(loop('in: [1, "{{ 1 + 1 }}"], iterator: x'), [1, 2]),
    ),
    more(
      ["in: a literal map, number or text"],
      "reads as a template that gives it would",
      gives(loop("in: {a: 1}, iterator: x"), [{ key: "a", value: 1 }]),
    ),
    same(
      ["in on the start step"],
      "reads the same there as anywhere",
      gives(loop('in: "{{ 2 }}", iterator: x'), [0, 1]),
    ),
    same(
      ["loop.cursor", "loop.spec.mode: cursor", ...under("loop.cursor.", "kind auth claim")],
      "claims rows frame by frame until none is left",
      shown("language/cursor.test.ts", "is drained frame by frame, each row once"),
    ),
    more(
      ["cursor kind: duckdb", "cursor kind: nats"],
      "rows of a DuckDB file, messages of a stream",
      shown("language/cursor-nats.test.ts", "messages are drained frame by frame and acknowledged"),
    ),
    same(
      ["exactly one of in and cursor"],
      "`cursor` and `mode: cursor` go together, `in` with neither",
      refusal(
        `- step: start
  loop: {in: [1], cursor: {kind: postgres, claim: select 1}, iterator: x, spec: {mode: cursor}}
  tool: {kind: noop}
`,
        "cursor",
      ),
    ),
    same(
      under("loop.cursor.", "options options.max_iterations"),
      "`max_iterations` bounds the frames of one visit; 100,000 without it",
      shown("language/cursor.test.ts", "a queue that never ends is left at max_iterations"),
    ),
    same(
      under("loop.spec.frame.", "max_seconds max_bytes"),
      "what one claim may take, in time and in weight; a claim beyond either is rolled back",
      shown(
        "language/cursor.test.ts",
        "rows that weigh more than max_bytes: the claim is rolled back",
      ),
    ),
    same(
      "loop.spec.frame.row_concurrency",
      "rows of a frame that are worked on at once",
      shown("worker/frame.test.ts", "only so many rows run at once"),
    ),
    same(
      under("loop.spec.frame.", "max_attempts retry_mode"),
      "a frame in which rows failed is run again as a whole, with the same idempotency keys",
      shown("worker/frame.test.ts", "a frame whose rows all went well the second time is done"),
    ),
    same(
      "loop.spec.frame.process",
      "`row`: the pipeline runs for each row; `frame`: once, with all of them",
      shown("language/cursor.test.ts", "a body may run once for a whole frame"),
    ),
    different(["cursor max_in_flight"], {
      says: "frames at a time, enforced; 1 without it",
      why: "one of the implementations has one frame at a time, whatever it says",
      proof: shown(
        "language/cursor.test.ts",
        "is drained by several frames at once, several rows of each at once",
      ),
    }),
    same(
      ["loop.spec.frame", "loop.spec.frame.max_rows"],
      "how many rows a claim takes, 1 without it; all numbers of a frame may be templates",
      accepts(
        cursor(
          ", max_in_flight: 2, frame: {max_rows: 50, max_seconds: 30, max_bytes: 1000000, " +
            "row_concurrency: 4, process: row, max_attempts: 3, retry_mode: whole_frame}",
        ),
      ),
    ),
    different(under("loop.spec.frame.", "lease_seconds heartbeat_seconds"), {
      says: "accepted; the claim's SQL may read the lease as `__frame_lease_seconds`",
      why: "a frame is a command: its lease is the command's, renewed while its worker lives",
      proof: accepts(cursor(", frame: {lease_seconds: 120, heartbeat_seconds: 30}")),
    }),
    different("loop.spec.frame.verify_ipc", {
      says: "accepted without effect, with a warning",
      why: "rows are not shared in memory between processes",
      proof: warns(cursor(", frame: {verify_ipc: false}"), "memory"),
    }),
  ]),
  ...rowsIn("loop", "§4.8", [
    different(["collection evaluated once"], {
      says: "`in` is evaluated when the step is entered, and not again",
      why:
        "one implementation evaluates it again before each item, so that a body that changes its " +
        "source changes the loop under way",
      proof: shown(
        "unit/core/engine/loops.test.ts",
        "is rendered once: changing its source changes nothing",
      ),
    }),
    same(
      ["iteration failure"],
      "is counted in `stats.failed`; the other items run",
      shown(
        "unit/core/engine/loops.test.ts",
        "that fails is counted, the others run, and the step has failed",
      ),
    ),
    different(["status of a loop with failed iterations"], {
      says: "the step has failed, with `event.name` `loop.done` for its arcs",
      why: "one implementation goes on as if all had gone well",
      proof: shown(
        "unit/core/engine/loops.test.ts",
        "see event.name loop.done and the stats, also when iterations failed",
      ),
    }),
    same(["empty list"], "is an immediate `loop.done`", gives(loop("in: [], iterator: x"), [])),
    same(
      ["arcs after a loop"],
      "are evaluated once, after the last item",
      shown("unit/core/engine/loops.test.ts", "are evaluated once"),
    ),
    same(
      ["re-entering a loop"],
      "starts afresh, with a count of its own",
      shown("unit/core/engine/loops.test.ts", "starts afresh, with command ids of its own"),
    ),
    same(
      ["cursor drain"],
      "a claim without rows, made when nothing else is open, ends the loop",
      shown(
        "unit/core/engine/cursor.test.ts",
        "an empty claim beside others is no proof: one more is made once all have ended",
      ),
    ),
    more(
      ["rows of a claim"],
      "are recorded before any is worked on: a second attempt gets the same rows, and never claims again",
      shown("worker/frame.test.ts", "no row is worked on before the rows are recorded"),
    ),
    different(["a row that fails"], {
      says: "is counted, and the step has failed once the queue is drained; all frames are run",
      why: "as any loop; one implementation ends the execution at the first such row",
      proof: shown("language/cursor.test.ts", "rows that fail are counted, the others are done"),
    }),
    same(
      ["process: frame"],
      "binds all rows and runs the pipeline once",
      shown("language/cursor.test.ts", "a body may run once for a whole frame"),
    ),
    same(
      ["claim SQL"],
      "must itself be atomic and return its rows; what is seen to be otherwise draws a warning",
      warns(
        `- step: start
  loop: {cursor: {kind: postgres, auth: pg, claim: select 1}, iterator: row, spec: {mode: cursor}}
  tool: {kind: noop}
`,
        "claim",
      ),
    ),
  ]),
];
