// Rows of executions (language reference §§4.2, 4.3, 4.9, 4.10): states, start, sub-playbooks,
// cancellation, and what happens when something is lost.

import { different, gives, more, type Row, rowsIn, same, seen, shown, tool, warns } from "./row.ts";

const child = (fields: string): string =>
  tool(`kind: playbook, path: child, input: {n: 4}${fields}`);

export const rows: readonly Row[] = [
  ...rowsIn("execution", "§4.2", [
    same(
      ["terminal states"],
      "completed, failed and cancelled let nothing follow: a late outcome is refused",
      shown("unit/core/engine/routing.test.ts", "lets nothing follow: a late outcome is refused"),
    ),
    same(
      ["state is a fold of events"],
      "in their order; a replay of any prefix gives the state the engine had there",
      shown(
        "unit/core/engine/log.test.ts",
        "of any prefix gives the state that the engine had there, and decides the same from it",
      ),
    ),
    same(
      ["step.enter for the start step"],
      "told of every step alike",
      seen(tool("kind: noop"), (run) => run.events.slice(0, 3).map(({ type }) => type), [
        "playbook.started",
        "step.enter",
        "command.issued",
      ]),
    ),
    different(["command states CLAIMED and RUNNING"], {
      says: "are not in the log: a command is issued, perhaps again, and settled once",
      why: "nothing follows from who has it; leases are rows that may be lost without loss",
      proof: shown(
        "control/settle.test.ts",
        "is recorded once, however often and by whichever process it is taken",
      ),
    }),
    different("command_id", {
      says: "`<execution>:<step>:<visit>`, with `:i<index>` for an item and `:f<frame>` for a frame",
      why: "the visit is known before anything is written, an event's id is not",
      proof: seen(
        tool("kind: noop"),
        (run) =>
          run.events.flatMap((event) =>
            event.type === "command.issued" ? [event.command_id.split(":").slice(1)] : [],
          ),
        [["start", "1"]],
      ),
    }),
  ]),
  ...rowsIn("execution", "§4.3", [
    same(
      ["workload merge"],
      "defaults overlaid by the payload, key by key",
      gives(tool('kind: noop, result: ["{{ a }}", "{{ b }}"]'), [1, 3], {
        more: "workload: {a: 1, b: 2}\n",
        workload: { b: 3 },
      }),
    ),
    different(["an error while the first command is made"], {
      says: "is an event like any other: the step fails and the execution ends",
      why: "one implementation answers the request with an error and leaves an execution that runs for ever",
      proof: seen(tool('kind: noop, result: "{{ 1 / 0 }}"'), (run) => run.status, "failed"),
    }),
    same(
      ["execute by path, catalog_id and version"],
      "the newest version of a path, a numbered one, or one by its id",
      shown(
        "control/catalog.test.ts",
        "a version is found by id, by path and number, and as the newest",
      ),
    ),
    different(["commands over 512 KB"], {
      says: "values over 102,400 bytes are stored and referred to, one by one",
      why: "what is small stays readable in the log",
      proof: shown(
        "control/values.test.ts",
        "starts, is given to the first step, and is not carried in the log",
      ),
    }),
  ]),
  ...rowsIn("execution", "§4.9", [
    same(
      ["playbook: async"],
      "without `return_step` and `return_result` the child is started and the step goes on with " +
        "`{status: started, execution_id, path, async: true}`",
      seen(
        child(""),
        (run) => {
          const { execution_id: _id, ...rest } = Object(run.result) as Record<string, unknown>;
          return rest;
        },
        { status: "started", path: "child", async: true },
      ),
    ),
    same(
      ["playbook: return_result"],
      "waits for the end and gives the child's result, or that of `result_step`",
      gives(child(", return_result: true"), { n: 4 }),
    ),
    more(
      ["playbook: return_step"],
      "waits for the end and gives its status: `execution_id`, `status`, `current_step`, " +
        "`progress`, and the fields of the result; the step named is ignored",
      seen(
        child(", return_step: end"),
        (run) => {
          const {
            status,
            n,
            is_cancelled: cancelled,
          } = Object(run.result) as Record<string, unknown>;
          return [status, n, cancelled];
        },
        ["COMPLETED", 4, false],
      ),
    ),
    same(
      ["playbook: payload"],
      "non-empty `input` or `args`, else `payload`",
      gives(tool("kind: playbook, path: child, payload: {n: 6}, return_result: true"), { n: 6 }),
    ),
    different(["playbook: a child that fails"], {
      says: "fails its step in every awaited mode; `error` and `output.data` say what became of it",
      why: "one implementation lets the parent go on as if all had gone well",
      proof: seen(
        tool("kind: playbook, path: failing, return_step: end"),
        (run) => run.status,
        "failed",
      ),
    }),
    different(["playbook: poll_interval"], {
      says: "accepted without effect",
      why: "nothing is polled: the end of a child is told",
      proof: warns(child(", poll_interval: 2"), "nothing is polled"),
    }),
    different(["playbook: timeout"], {
      says:
        "without one the step waits as long as the child takes; with one it fails, kind `timeout`, " +
        "and the child goes on",
      why:
        "no slot is held by a wait, so none needs a default end; a timeout that looks like success " +
        "hides what happened",
      proof: shown(
        "language/sub-playbook.test.ts",
        "a child that takes too long is left to itself",
      ),
    }),
  ]),
  ...rowsIn("execution", "§4.10", [
    different(["cancel"], {
      says: "stops the tools that run and cancels children too, unless the request says otherwise",
      why: "one implementation lets both run on",
      proof: shown("control/cancel.test.ts", "children and grandchildren are cancelled too"),
    }),
    same(
      ["cancel of an ended execution"],
      "changes nothing",
      shown("control/cancel.test.ts", "an execution that has ended stays as it ended"),
    ),
    same(
      ["dedup"],
      "one outcome per command, one end per execution",
      shown("control/settle.test.ts", "named twice in one request is accepted once"),
    ),
    different(["side-effect barrier"], {
      says: "calls carry an idempotency key that is the same for every attempt",
      why: "only the service that is called can know whether it has done the work",
      proof: shown(
        "worker/idempotency.test.ts",
        "a new attempt and another worker make the same keys again",
      ),
    }),
    more(
      ["recovery"],
      "state comes from the log after a restart; commands of lost workers are tried again, and " +
        "those that kill their workers are set apart",
      shown(
        "control/leases.test.ts",
        "a command that lost its worker too often while alone fails, and its execution with it",
      ),
    ),
    different(["orphan sweep"], {
      says: "what a dead worker had is given to another one",
      why: "one implementation fails the execution instead",
      proof: shown(
        "control/leases.test.ts",
        "a lease that ran out lets another worker try again; the first one's outcome is refused",
      ),
    }),
    same(
      ["pre-dispatch failures"],
      "an unknown credential or a malformed config is final; what may pass is tried again by a rule",
      shown("tools/auth.test.ts", "an unknown alias is a failure of kind credential"),
    ),
    same(
      ["container callback"],
      "`POST /api/internal/container-callback/<execution>/<step>` ends the step that has parked; a " +
        "second one is `accepted_stale`",
      shown("language/container.test.ts", "a second report changes nothing"),
    ),
  ]),
];
