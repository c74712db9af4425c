// Rows of the events of an execution (language reference §4.1): what each is called in the log here.

import {
  type Claim,
  different,
  eventTypes,
  gives,
  type Proof,
  type Row,
  rowsIn,
  same,
  seen,
  shown,
  tool,
} from "./row.ts";

const noop = tool("kind: noop");
const failing = tool('kind: http, url: "http://127.0.0.1:1/"');

/** The log of a run has an event of this type. */
const has = (workflow: string, type: string): Proof =>
  seen(workflow, (run) => eventTypes(run).includes(type), true);

/** Written under another name, or not at all. */
const renamed = (names: readonly string[], to: string, why: string, proof: Proof): Claim =>
  different(names, { says: to, why, proof });

const live = "a live message, not in the log";
const follows = "nothing follows from it, so a log that has it says no more";
const one = "one type for each thing that happens, whoever wrote it";

const loop = "- step: start\n  loop: {in: [1], iterator: x}\n  tool: {kind: noop}\n";

export const rows: readonly Row[] = rowsIn("event", "§4.1", [
  same(
    ["common row"],
    "`event_id`, `execution_id`, `event_type`, `status`, `result` and their like in the feed and in the API",
    shown(
      "control/routes.test.ts",
      "a settled outcome is shown in the events by its step, and with its result",
    ),
  ),
  renamed(
    ["playbook_started", "playbook.initialized", "workflow.initialized"],
    "`playbook.started`",
    one,
    has(noop, "playbook.started"),
  ),
  same(
    ["step.enter"],
    "`step.enter`, of every step alike, with what a loop goes through",
    has(noop, "step.enter"),
  ),
  same(["command.issued"], "`command.issued`", has(noop, "command.issued")),
  renamed(
    ["command.claimed", "command.started", "command.heartbeat"],
    live,
    follows,
    seen(noop, (run) => eventTypes(run).filter((type) => /claimed|started|heartbeat/.test(type)), [
      "playbook.started",
    ]),
  ),
  same(["call.done"], "`call.done`, when the tool did its work", has(noop, "call.done")),
  same(
    ["call.error"],
    "`call.error`, also when a tool answers that it failed",
    has(failing, "call.error"),
  ),
  renamed(
    ["command.completed", "command.failed"],
    "`call.done` and `call.error` settle the command",
    "two events for one fact can contradict each other",
    seen(noop, (run) => eventTypes(run).filter((type) => type.startsWith("command.")), [
      "command.issued",
    ]),
  ),
  same(
    ["step.exit"],
    "`step.exit`, of every step alike, with the arcs taken and what `set` came to",
    has(noop, "step.exit"),
  ),
  same(
    ["step.skipped"],
    "`step.skipped`, with the reason",
    shown("unit/core/engine/routing.test.ts", "tell of a step that no arc led to"),
  ),
  renamed(
    ["ctx.updated"],
    "`set` of `step.exit`",
    "what a step sets is part of its exit: the two can't come apart",
    seen(
      "- step: start\n  tool: {kind: noop}\n  set: {a: 1}\n",
      (run) => run.events.flatMap((event) => (event.type === "step.exit" ? [event.set] : [])),
      [{ a: 1 }],
    ),
  ),
  same(["loop.done"], "`loop.done`, with the counts and the results", has(loop, "loop.done")),
  renamed(
    ["loop.item", "loop.stalled", "loop.shard.done", "loop.fanin.completed"],
    "`call.done` of each item's command",
    "an item is a command like any other",
    has(loop, "call.done"),
  ),
  renamed(
    [
      "stage.opened",
      "stage.closed",
      "frame.dispatched",
      "frame.started",
      "frame.committed",
      "frame.failed",
      "frame.abandoned",
    ],
    "`command.issued`, `cursor.claimed`, `call.done`, `call.error` and `cursor.drained`",
    "a frame is a command like any other",
    shown(
      "docs/log-events.test.ts",
      "the page of the log lists every event with all of its fields, and no others",
    ),
  ),
  renamed(
    ["batch.accepted", "batch.processing", "batch.completed", "batch.failed"],
    "no events: a batch of outcomes is taken or refused as a whole",
    follows,
    shown(
      "control/settle.test.ts",
      "64 settles at once on one execution are merged, and each is accepted",
    ),
  ),
  renamed(
    ["workflow.completed", "workflow.failed"],
    "`playbook.completed` and `playbook.failed`",
    one,
    seen(noop, (run) => eventTypes(run).at(-1), "playbook.completed"),
  ),
  same(
    ["playbook.completed", "playbook.failed"],
    "the end, with the result or the error and the steps that failed",
    has(failing, "playbook.failed"),
  ),
  renamed(
    ["playbook_completed", "playbook_failed"],
    "`playbook.cancelled` with `finalized`: what somebody decided on",
    "an end that was decided on is told from one that was reached",
    shown("control/routes.test.ts", "answers a good request"),
  ),
  renamed(
    ["playbook_cancelled", "execution.cancelled"],
    "`playbook.cancelled`",
    one,
    shown(
      "control/cancel.test.ts",
      "a cancelled execution has ended when the answer comes, and keeps no command",
    ),
  ),
  renamed(
    ["subscription.message.deduplicated"],
    "not there: subscriptions are not",
    "there are no subscriptions to deduplicate for",
    gives(noop, { status: "ok", message: "" }),
  ),
  renamed(
    [
      "step_started",
      "step_enter",
      "step_completed",
      "step_failed",
      "step_skipped",
      "action_started",
      "action_completed",
      "action_failed",
      "action_done",
    ],
    "not read: no log has them",
    "logs of other products are not taken over; older names are the past of those",
    shown("unit/core/engine/log.test.ts", "refuses an event of a newer schema"),
  ),
]);
