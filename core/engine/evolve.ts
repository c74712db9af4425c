// The fold: what each event makes of the state. Replay uses this alone; it looks at no playbook
// and decides nothing, so neither a changed template nor a new build can change history.
//
// E1  evolve depends on its arguments only; it may change the state it is given.
// E2  A command is settled at most once, and only by its open attempt.
// E4  Nothing follows a terminal event.

import type {
  CallSettled,
  ChildStarted,
  CommandIssued,
  CommandReissued,
  Event,
  EventEmitted,
  LoopDone,
  PlaybookCompleted,
  PlaybookFailed,
  PlaybookStarted,
  StepEnter,
  StepExit,
  VarsSet,
} from "#core/model/event";
import { terminalStatus } from "#core/model/event";
import { unreachable } from "#core/model/fault";
import type { CommandId } from "#core/model/ids";
import type { Failure, Output } from "#core/model/outcome";
import { arrive, skipped } from "./arrivals.ts";
import { type Place, withinBudget } from "./budget.ts";
import {
  cursorOutput,
  cursorState,
  frameClaimed,
  frameIssued,
  frameSettled,
  saidDrained,
} from "./cursor-fold.ts";
import { jobAsked } from "./jobs.ts";
import { ReplayError } from "./replay-error.ts";
import { resume } from "./resume.ts";
import { type ActiveStep, type ExecutionState, isTerminal, type OpenCommand } from "./state.ts";
import { held, StoredValue, setVariables } from "./variables.ts";
import { answerCame, callParked, closeWait } from "./wait-fold.ts";

/**
 * Folds one event into the state, which it changes.
 * @param bytes length of the event's encoded text, by which the state's memory is bounded.
 * @throws ReplayError for an event that can't stand here; the state is then worthless.
 */
export function evolve(state: ExecutionState, event: Event, bytes: number): void {
  if (event.seq !== state.seq + 1) {
    throw new ReplayError(
      `event ${event.event_id} has seq ${event.seq}, expected ${state.seq + 1}`,
    );
  }
  if (isTerminal(state)) {
    throw new ReplayError(`event ${event.event_id} (${event.type}) follows a terminal event`);
  }
  apply(state, event, bytes);
  state.seq = event.seq;
  state.eventId = event.event_id;
  state.timeMs = event.time;
}

function apply(state: ExecutionState, event: Event, bytes: number): void {
  switch (event.type) {
    case "playbook.started":
      return started(state, event, event.time);
    case "step.enter":
      return entered(state, event);
    case "command.issued":
      return issued(state, event, event);
    case "command.reissued":
      return reissued(state, event);
    case "call.done":
    case "call.error":
      return settled(state, event, { seq: event.seq, bytes });
    case "command.yielded":
      openCommand(state, event.command_id, event.attempt).waiting = true;
      return;
    case "step.exit":
      return exited(state, event);
    case "step.skipped":
      return skipped(state, event);
    case "loop.done":
      return loopDone(state, event);
    case "child.started":
      return childStarted(state, event, event.time);
    case "vars.set":
      return variablesSet(state, event);
    case "wait.parked":
      return callParked(state, event, event.time);
    case "wait.done":
      return answerCame(state, event, { seq: event.seq, bytes });
    case "event.emitted":
      return emitted(state, event);
    case "playbook.completed":
    case "playbook.failed":
    case "playbook.cancelled":
      return ended(state, event);
    case "cursor.claimed":
      return frameClaimed(state, openCommand(state, event.command_id, event.attempt), event);
    case "cursor.drained":
      return saidDrained(activeStep(state, event.step).loop);
    case "request.enqueued":
      return jobAsked(state, event);
    case "child.done":
      return;
    default:
      unreachable(event);
  }
}

function started(state: ExecutionState, event: PlaybookStarted, timeMs: number): void {
  if (state.status !== "created") throw new ReplayError("the execution has started already");
  state.status = "running";
  state.startedAtMs = timeMs;
  state.started = {
    catalogId: event.catalog_id,
    path: event.path,
    version: event.version,
    planDigest: event.plan_digest,
    ...(event.origin === undefined ? {} : { origin: event.origin }),
    ...(event.parent === undefined ? {} : { parent: event.parent }),
    ...(event.trace === undefined ? {} : { trace: event.trace }),
    ...(event.priority === undefined ? {} : { priority: event.priority }),
    ...(event.tenant === undefined ? {} : { tenant: event.tenant }),
    ...(event.resumed === undefined ? {} : { entry: event.resumed.step }),
  };
  state.workload = held(event.workload ?? {}, event.workload_ref);
  if (event.resumed !== undefined) resume(state, event.resumed);
}

function entered(state: ExecutionState, event: StepEnter): void {
  if (state.active.has(event.step)) {
    throw new ReplayError(`step ${event.step} is entered while it runs`);
  }
  const known = state.steps.get(event.step);
  if (known === undefined)
    state.steps.set(event.step, { visits: 1, status: "entered", inlineBytes: 0 });
  else {
    known.visits = event.visit;
    known.status = "entered";
  }
  state.arrivals.delete(event.step);
  state.guarded = 0;
  if (event.loop === undefined) {
    state.active.set(event.step, { visit: event.visit, inlineBytes: 0 });
    state.unissued.add(event.step);
  } else {
    const loop = loopState(event.loop);
    state.active.set(event.step, { visit: event.visit, loop, inlineBytes: 0 });
    state.loops.add(event.step);
  }
}

function loopState(entry: NonNullable<StepEnter["loop"]>): NonNullable<ActiveStep["loop"]> {
  const { items, items_ref: itemsRef, ...rest } = entry;
  const cursor = cursorState(entry);
  return {
    entry: rest,
    items: itemsRef === undefined ? (items ?? []) : new StoredValue(itemsRef),
    next: 0,
    open: 0,
    done: 0,
    failed: 0,
    results: [],
    inlineBytes: 0,
    ...(cursor === undefined ? {} : { cursor }),
  };
}

function issued(
  state: ExecutionState,
  event: CommandIssued,
  { seq, event_id: eventId }: Pick<Event, "seq" | "event_id">,
): void {
  // A job is of no step.
  const active = event.job === undefined ? activeStep(state, event.step) : undefined;
  const command: OpenCommand = {
    commandId: event.command_id,
    step: event.step,
    visit: event.visit,
    kind: event.kind,
    pool: event.pool,
    issuedSeq: seq,
    eventId,
    attempt: 1,
    unclean: 0,
    ...(event.iteration === undefined ? {} : { iteration: event.iteration }),
    ...(event.job === undefined ? {} : { job: event.job }),
    ...(event.frame === undefined || active?.loop === undefined
      ? {}
      : { frame: frameIssued(active.loop, event.frame) }),
  };
  state.commands.set(event.command_id, command);
  if (event.job !== undefined) state.awaitedJobs.delete(event.job);
  if (active === undefined) return;
  state.unissued.delete(event.step);
  if (active.loop !== undefined) {
    active.loop.next++;
    active.loop.open++;
  }
}

function reissued(state: ExecutionState, event: CommandReissued): void {
  const command = state.commands.get(event.command_id);
  if (command === undefined) throw new ReplayError(`command ${event.command_id} is not open`);
  if (event.attempt !== command.attempt + 1) {
    throw new ReplayError(
      `command ${event.command_id} goes from attempt ${command.attempt} to ${event.attempt}`,
    );
  }
  command.attempt = event.attempt;
  command.waiting = false;
  command.suspect = event.reason === "lease_expired" || event.reason === "worker_died";
  if (event.reason === "worker_died") command.unclean++;
}

/** E2: the open command at this attempt, and no other. */
function openCommand(state: ExecutionState, id: CommandId, attempt: number): OpenCommand {
  const command = state.commands.get(id);
  if (command === undefined) throw new ReplayError(`command ${id} is not open`);
  if (command.waiting === true) throw new ReplayError(`command ${id} waits for a time`);
  if (command.attempt !== attempt) {
    throw new ReplayError(`command ${id} is at attempt ${command.attempt}, not ${attempt}`);
  }
  return command;
}

function settled(state: ExecutionState, event: CallSettled, place: Place): void {
  const command = openCommand(state, event.command_id, event.attempt);
  closeWait(state, command);
  state.commands.delete(event.command_id);
  setVariables(state.variables, event);
  if (command.job !== undefined) return;
  const active = activeStep(state, command.step);
  const { loop } = active;
  if (loop?.cursor !== undefined) return frameSettled(loop, command, event);
  const { output, inlineBytes } = withinBudget(state, event.output, place);
  state.inlineBytes += inlineBytes;
  if (loop === undefined) {
    active.output = output;
    active.failed = event.type === "call.error";
    active.inlineBytes = inlineBytes;
    state.settled.add(command.step);
    return;
  }
  loop.open--;
  loop.done++;
  loop.inlineBytes += inlineBytes;
  if (event.type === "call.error") {
    loop.failed++;
    loop.firstError ??= event.output.error ?? unknownFailure;
  } else if (command.iteration !== undefined) {
    loop.results[command.iteration] = held(output.data ?? null, output.ref);
  }
}

function loopDone(state: ExecutionState, event: LoopDone): void {
  const active = activeStep(state, event.step);
  const step = state.steps.get(event.step);
  const { loop } = active;
  active.output =
    loop?.cursor === undefined ? loopOutput(event, loop?.firstError) : cursorOutput(event, loop);
  active.failed = active.output.status === "error";
  state.inlineBytes -= active.loop?.inlineBytes ?? 0;
  if (step !== undefined) {
    step.stats = event.stats;
    step.results = held(event.results ?? [], event.results_ref);
  }
  state.loops.delete(event.step);
  state.settled.add(event.step);
}

/** The envelope of a loop: `results` stands apart in the state, since it may be a reference. */
function loopOutput(event: LoopDone, cause: Failure | undefined): Output {
  const { stats } = event;
  const data = { stats: { ...stats } };
  if (stats.failed === 0) return { status: "ok", data };
  const error: Failure = {
    kind: "loop",
    message: `${stats.failed} of ${stats.total} iterations failed${because(cause)}`,
    retryable: false,
  };
  return { status: "error", data, error };
}

function because(cause: Failure | undefined): string {
  return cause === undefined ? "" : `, first: ${cause.message}`;
}

function exited(state: ExecutionState, event: StepExit): void {
  const active = activeStep(state, event.step);
  const step = state.steps.get(event.step);
  state.active.delete(event.step);
  state.unissued.delete(event.step);
  state.loops.delete(event.step);
  state.settled.delete(event.step);
  const output: Output =
    event.error === undefined
      ? (active.output ?? { status: "ok" })
      : { ...active.output, status: "error", error: event.error };
  if (step !== undefined) {
    step.status = event.status;
    step.output = output;
    state.inlineBytes -= step.inlineBytes;
    step.inlineBytes = active.inlineBytes;
  }
  if (event.status === "failed" && event.recovered !== true) {
    state.failed.set(event.step, output.error ?? unknownFailure);
  }
  setVariables(state.variables, event);
  for (const arc of event.taken) {
    setVariables(state.variables, arc);
    arrive(state, event.step, arc.to);
  }
  state.lastExit = event.step;
}

function variablesSet(state: ExecutionState, event: VarsSet): void {
  setVariables(state.variables, event);
  for (const name of event.removed ?? []) delete state.variables[name];
}

const unknownFailure: Failure = { kind: "unknown", message: "failed", retryable: false };

/** Only what the step itself makes known at this visit; others may tell of anything. */
function emitted(state: ExecutionState, event: EventEmitted): void {
  const active = event.step === undefined ? undefined : state.active.get(event.step);
  if (active !== undefined && active.visit === event.visit) {
    active.emitted = (active.emitted ?? 0) + 1;
  }
}

function childStarted(state: ExecutionState, event: ChildStarted, timeMs: number): void {
  const command = state.commands.get(event.command_id);
  if (command === undefined) throw new ReplayError(`command ${event.command_id} is not open`);
  const { as, result_step: resultStep, due, about } = event;
  command.child = {
    id: event.child_id,
    path: event.path,
    startedMs: timeMs,
    ...(as === undefined ? {} : { as }),
    ...(resultStep === undefined ? {} : { resultStep }),
    ...(due === undefined ? {} : { due }),
    ...(about === undefined ? {} : { about }),
  };
}

function ended(state: ExecutionState, event: Event): void {
  const status = terminalStatus(event);
  if (status === undefined) return;
  state.status = status;
  if (event.type === "playbook.completed" || event.type === "playbook.failed") {
    keepResult(state, event);
  }
  if (event.type === "playbook.cancelled") {
    state.error = {
      kind: "cancelled",
      message: event.reason ?? "cancelled",
      retryable: false,
    };
  }
  state.active.clear();
  state.unissued.clear();
  state.loops.clear();
  state.settled.clear();
  state.arrivals.clear();
  state.commands.clear();
  state.waits.clear();
  state.answers.clear();
  state.answered.clear();
  state.answeredKeys.clear();
  state.awaitedJobs.clear();
  state.guarded = 0;
}

function keepResult(state: ExecutionState, event: PlaybookCompleted | PlaybookFailed): void {
  if (event.type === "playbook.failed") state.error = event.error;
  if (event.result !== undefined || event.result_ref !== undefined) {
    state.result = held(event.result ?? null, event.result_ref);
  }
}

function activeStep(state: ExecutionState, step: string): ActiveStep {
  const active = state.active.get(step);
  if (active === undefined) throw new ReplayError(`step ${step} is not active`);
  return active;
}
