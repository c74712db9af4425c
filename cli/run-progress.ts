// Owns what a run looks like from outside: the events of an execution and of its sub-playbooks
// folded into steps that were entered, are under way and have ended. It prints nothing.

import type { CallSettled, Event, ExecutionStatus, LoopEntry } from "#core/model/event";
import { terminalStatus } from "#core/model/event";
import type { CommandId, ExecutionId } from "#core/model/ids";
import type { Json } from "#core/model/json";
import type { ResultRef } from "#core/model/outcome";

export interface LoopProgress {
  /** Items; of a cursor, the rows that have been claimed so far. */
  total: number;
  done: number;
  failed: number;
  /** Its calls are frames of rows, which nobody has counted before. */
  readonly isCursor?: true;
}

export interface StepProgress {
  readonly execution: ExecutionProgress;
  readonly step: string;
  readonly visit: number;
  status: "running" | "completed" | "failed" | "recovered";
  readonly startedAtMs: number;
  durationMs?: number;
  /** The most attempts that one call of the step took. */
  attempts: number;
  loop?: LoopProgress;
  error?: string;
}

export interface ExecutionProgress {
  readonly id: ExecutionId;
  /** How many sub-playbooks deep; 0 is the one that was asked for. */
  readonly depth: number;
  /** The step that started it, for a sub-playbook. */
  readonly parent?: StepProgress;
  path: string;
  version: number;
  status: ExecutionStatus;
  startedAtMs: number;
  durationMs?: number;
  result?: Json;
  resultRef?: ResultRef;
  error?: string;
  readonly steps: StepProgress[];
}

/** What an event changed, for those who show it. */
export type Change =
  | { readonly type: "started" | "ended"; readonly execution: ExecutionProgress }
  | { readonly type: "entered" | "advanced" | "exited"; readonly step: StepProgress }
  | {
      readonly type: "call failed";
      readonly step: StepProgress;
      readonly iteration: number | undefined;
      readonly message: string;
    }
  | { readonly type: "reissued"; readonly step: StepProgress; readonly reason: string }
  | {
      readonly type: "skipped";
      readonly execution: ExecutionProgress;
      readonly step: string;
      readonly reason: string;
    };

interface OpenCommand {
  readonly step: StepProgress;
  readonly iteration: number | undefined;
}

interface Folding {
  readonly execution: ExecutionProgress;
  readonly running: Map<string, StepProgress>;
  readonly commands: Map<CommandId, OpenCommand>;
}

export interface RunProgress {
  readonly root: ExecutionProgress;
  /** Steps under way in the order in which they were entered, each with those of its sub-playbooks. */
  running(): readonly StepProgress[];
  /** Those that have not ended, and the one that was asked for. */
  executions(): Iterable<ExecutionProgress>;
  /** Takes the next event of one of the executions, each in the order of its log. */
  fold(event: Event): Change | undefined;
}

export function runProgress(rootId: ExecutionId): RunProgress {
  const foldings = new Map<ExecutionId, Folding>();
  const children = new Map<StepProgress, Set<Folding>>();
  const open = (id: ExecutionId, parent?: StepProgress): Folding => {
    const folding = newFolding(id, parent);
    foldings.set(id, folding);
    if (parent === undefined) return folding;
    const siblings = children.get(parent);
    if (siblings === undefined) children.set(parent, new Set([folding]));
    else siblings.add(folding);
    return folding;
  };
  const runningIn = ({ running }: Folding): readonly StepProgress[] =>
    [...running.values()].flatMap((step) => [
      step,
      ...[...(children.get(step) ?? [])].flatMap(runningIn),
    ]);
  /** What has ended is forgotten: a loop may start thousands of sub-playbooks. */
  const forget = (folding: Folding): void => {
    const { id, parent } = folding.execution;
    foldings.delete(id);
    if (parent !== undefined) children.get(parent)?.delete(folding);
  };
  const root = open(rootId);
  return {
    root: root.execution,
    running: () => runningIn(root),
    executions: () => [...foldings.values()].map(({ execution }) => execution),
    fold: (event) => {
      // Clocks of two machines may show a sub-playbook's first event before its parent's.
      const folding = foldings.get(event.execution_id) ?? open(event.execution_id);
      if (event.type === "child.started") {
        const step = folding.commands.get(event.command_id)?.step;
        if (!foldings.has(event.child_id)) open(event.child_id, step);
        return undefined;
      }
      const change = foldEvent(folding, event);
      if (change?.type === "ended" && folding !== root) forget(folding);
      return change;
    },
  };
}

function newFolding(id: ExecutionId, parent: StepProgress | undefined): Folding {
  const execution: ExecutionProgress = {
    id,
    depth: parent === undefined ? 0 : parent.execution.depth + 1,
    ...(parent === undefined ? {} : { parent }),
    path: "",
    version: 0,
    status: "running",
    startedAtMs: 0,
    steps: [],
  };
  return { execution, running: new Map(), commands: new Map() };
}

function foldEvent(folding: Folding, event: Event): Change | undefined {
  const { execution, running, commands } = folding;
  const ended = terminalStatus(event);
  if (ended !== undefined) return foldEnd(folding, event, ended);
  switch (event.type) {
    case "playbook.started":
      execution.path = event.path;
      execution.version = event.version;
      execution.startedAtMs = event.time;
      return { type: "started", execution };
    case "step.enter": {
      const step = enteredStep(execution, event);
      running.set(event.step, step);
      return { type: "entered", step };
    }
    case "command.issued": {
      const step = running.get(event.step);
      if (step !== undefined) {
        commands.set(event.command_id, { step, iteration: event.iteration });
      }
      return undefined;
    }
    case "command.reissued": {
      const step = commands.get(event.command_id)?.step;
      if (step === undefined) return undefined;
      return { type: "reissued", step, reason: event.reason };
    }
    case "cursor.claimed": {
      const step = running.get(event.step);
      if (step?.loop === undefined) return undefined;
      step.loop.total += event.row_count;
      return { type: "advanced", step };
    }
    case "call.done":
    case "call.error":
      return foldCall(folding, event);
    case "step.exit":
      return foldExit(folding, event);
    case "step.skipped":
      return { type: "skipped", execution, step: event.step, reason: event.reason };
    default:
      return undefined;
  }
}

function enteredStep(
  execution: ExecutionProgress,
  event: Extract<Event, { type: "step.enter" }>,
): StepProgress {
  const step: StepProgress = {
    execution,
    step: event.step,
    visit: event.visit,
    status: "running",
    startedAtMs: event.time,
    attempts: 0,
    ...(event.loop === undefined ? {} : { loop: enteredLoop(event.loop) }),
  };
  execution.steps.push(step);
  return step;
}

function enteredLoop({ total, mode }: LoopEntry): LoopProgress {
  return { total, done: 0, failed: 0, ...(mode === "cursor" ? { isCursor: true } : {}) };
}

function countCall(loop: LoopProgress, event: CallSettled): void {
  const isFailed = event.type === "call.error";
  const { rows = 0, failed = isFailed ? rows : 0 } = (event.output.data ?? {}) as FrameCounts;
  loop.done += loop.isCursor === true ? rows : 1;
  if (isFailed) loop.failed += loop.isCursor === true ? failed : 1;
}

/** What the call of a frame comes to. */
interface FrameCounts {
  readonly rows?: number;
  readonly failed?: number;
}

function foldCall({ commands }: Folding, event: CallSettled): Change | undefined {
  const command = commands.get(event.command_id);
  if (command === undefined) return undefined;
  commands.delete(event.command_id);
  const { step, iteration } = command;
  const { output } = event;
  const tries = output.meta?.["attempt"];
  const retries = typeof tries === "number" ? tries - 1 : 0;
  step.attempts = Math.max(step.attempts, event.attempt + retries);
  const isFailed = event.type === "call.error";
  if (step.loop !== undefined) countCall(step.loop, event);
  if (!isFailed) return { type: "advanced", step };
  const message = output.error?.message ?? "failed without a message";
  step.error = message;
  return { type: "call failed", step, iteration, message };
}

function foldExit(
  { running }: Folding,
  event: Extract<Event, { type: "step.exit" }>,
): Change | undefined {
  const step = running.get(event.step);
  if (step === undefined) return undefined;
  running.delete(event.step);
  const isRecovered = event.recovered === true;
  step.status = isRecovered ? "recovered" : event.status;
  step.durationMs = event.time - step.startedAtMs;
  if (event.error !== undefined) step.error = event.error.message;
  return { type: "exited", step };
}

function foldEnd(
  { execution, running, commands }: Folding,
  event: Event,
  status: ExecutionStatus,
): Change {
  execution.status = status;
  execution.durationMs = event.time - execution.startedAtMs;
  if ("result" in event && event.result !== undefined) execution.result = event.result as Json;
  if ("result_ref" in event && event.result_ref !== undefined) {
    execution.resultRef = event.result_ref;
  }
  if (event.type === "playbook.failed") execution.error = event.error.message;
  if (event.type === "playbook.cancelled" && event.reason !== undefined) {
    execution.error = event.reason;
  }
  running.clear();
  commands.clear();
  return { type: "ended", execution };
}
