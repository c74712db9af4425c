// What is shown of executions beside their state, made from the log alone: a stage for each visit
// of a step, with times, progress and delays, and the frames of cursor loops. A projection can be
// dropped and made again at any time; it decides nothing.

import type { CallSettled, Event, LoopMode, StepEnter } from "#core/model/event";
import { terminalStatus } from "#core/model/event";
import type { CommandId, ExecutionId } from "#core/model/ids";

/** Upper bounds of the duration buckets; a last bucket takes what is longer. */
export const durationBucketsMs: readonly number[] = [
  5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000, 300_000,
];

export type StageStatus = "running" | "completed" | "failed" | "cancelled";

/** One visit of a step. */
export interface Stage {
  readonly step: string;
  readonly visit: number;
  readonly enteredSeq: number;
  readonly enteredMs: number;
  /** Of a loop. */
  readonly mode?: LoopMode;
  status: StageStatus;
  exitedSeq?: number;
  exitedMs?: number;
  /** Calls that the visit makes: the items of a loop, else one. */
  readonly total: number;
  /** Calls that have an outcome, and how many of those count as errors. */
  done: number;
  failed: number;
  /** Attempts after the first, for whatever reason. */
  reissued: number;
  /** Over calls with an outcome, as workers measured them. */
  durationMs: number;
  durationMsMin?: number;
  durationMsMax?: number;
  /** From being ready to being run, as far as times of two machines can be compared. */
  queueMs: number;
  queueMsMax: number;
  /** Calls by duration, see `durationBucketsMs`. */
  readonly buckets: number[];
}

/** A slice of a cursor loop. */
export interface CursorFrame {
  readonly step: string;
  readonly visit: number;
  readonly frame: number;
  readonly claimedSeq: number;
  readonly claimedMs: number;
  readonly status: "claimed" | "drained";
  /** Of a claim. */
  readonly rowCount?: number;
}

interface OpenCall {
  readonly step: string;
  /** Since when a worker could have taken it. */
  readyMs: number;
}

export interface Projection {
  readonly executionId: ExecutionId;
  path: string;
  version: number;
  /** The last event that is folded. */
  seq: number;
  /** Stages that have not ended, by step. */
  readonly open: Map<string, Stage>;
  readonly calls: Map<CommandId, OpenCall>;
  /** What the events folded since `takeChanges` made of stages and frames. */
  readonly changed: Set<Stage>;
  readonly frames: CursorFrame[];
}

export function initialProjection(executionId: ExecutionId): Projection {
  return {
    executionId,
    path: "",
    version: 0,
    seq: 0,
    open: new Map(),
    calls: new Map(),
    changed: new Set(),
    frames: [],
  };
}

/** Folds one event, which must be the next. @throws Error for any other. */
export function project(projection: Projection, event: Event): void {
  if (event.seq !== projection.seq + 1) {
    throw new Error(`expected event ${projection.seq + 1} to project, found ${event.seq}`);
  }
  fold(projection, event);
  projection.seq = event.seq;
}

function fold(projection: Projection, event: Event): void {
  switch (event.type) {
    case "playbook.started":
      projection.path = event.path;
      projection.version = event.version;
      return;
    case "step.enter":
      return enter(projection, event, event.seq, event.time);
    case "command.issued":
      // A job is of no visit of a step.
      if (event.job !== undefined) return;
      projection.calls.set(event.command_id, { step: event.step, readyMs: event.time });
      return;
    case "command.reissued":
      return reissue(projection, event.command_id, event.time);
    case "call.done":
    case "call.error":
      return settle(projection, event, event.time);
    case "step.exit":
      return close(projection, projection.open.get(event.step), event.status, event);
    case "cursor.claimed":
    case "cursor.drained":
      projection.frames.push({
        step: event.step,
        visit: event.visit,
        frame: event.frame,
        claimedSeq: event.seq,
        claimedMs: event.time,
        status: event.type === "cursor.claimed" ? "claimed" : "drained",
        ...("row_count" in event ? { rowCount: event.row_count } : {}),
      });
      return;
    default:
      if (terminalStatus(event) === undefined) return;
      for (const stage of [...projection.open.values()]) {
        close(projection, stage, "cancelled", event);
      }
      projection.calls.clear();
  }
}

function enter(projection: Projection, event: StepEnter, seq: number, timeMs: number): void {
  const stage: Stage = {
    step: event.step,
    visit: event.visit,
    enteredSeq: seq,
    enteredMs: timeMs,
    ...(event.loop === undefined ? {} : { mode: event.loop.mode }),
    status: "running",
    total: event.loop?.total ?? 1,
    done: 0,
    failed: 0,
    reissued: 0,
    durationMs: 0,
    queueMs: 0,
    queueMsMax: 0,
    buckets: Array.from({ length: durationBucketsMs.length + 1 }, () => 0),
  };
  projection.open.set(event.step, stage);
  projection.changed.add(stage);
}

function reissue(projection: Projection, id: CommandId, timeMs: number): void {
  const call = projection.calls.get(id);
  if (call === undefined) return;
  call.readyMs = timeMs;
  const stage = projection.open.get(call.step);
  if (stage === undefined) return;
  stage.reissued++;
  projection.changed.add(stage);
}

function settle(projection: Projection, event: CallSettled, timeMs: number): void {
  const call = projection.calls.get(event.command_id);
  projection.calls.delete(event.command_id);
  const stage = call === undefined ? undefined : projection.open.get(call.step);
  if (call === undefined || stage === undefined) return;
  const { duration_ms: durationMs } = event;
  const queueMs = Math.max(0, timeMs - durationMs - call.readyMs);
  stage.done++;
  if (event.type === "call.error") stage.failed++;
  stage.durationMs += durationMs;
  stage.durationMsMin = Math.min(stage.durationMsMin ?? durationMs, durationMs);
  stage.durationMsMax = Math.max(stage.durationMsMax ?? durationMs, durationMs);
  stage.queueMs += queueMs;
  stage.queueMsMax = Math.max(stage.queueMsMax, queueMs);
  const bucket = durationBucketsMs.findIndex((boundMs) => durationMs <= boundMs);
  const at = bucket === -1 ? durationBucketsMs.length : bucket;
  stage.buckets[at] = (stage.buckets[at] ?? 0) + 1;
  projection.changed.add(stage);
}

function close(
  projection: Projection,
  stage: Stage | undefined,
  status: StageStatus,
  { seq, time }: { readonly seq: number; readonly time: number },
): void {
  if (stage === undefined) return;
  stage.status = status;
  stage.exitedSeq = seq;
  stage.exitedMs = time;
  projection.open.delete(stage.step);
  projection.changed.add(stage);
}

/** The stages and frames that have changed since the last call. */
export function takeChanges(projection: Projection): {
  readonly stages: readonly Stage[];
  readonly frames: readonly CursorFrame[];
} {
  const stages = [...projection.changed].map((stage) => ({
    ...stage,
    buckets: [...stage.buckets],
  }));
  projection.changed.clear();
  return { stages, frames: projection.frames.splice(0) };
}

/** What a projection must remember to go on, beside what is shown of it. */
export function projectionMemory({ open, calls }: Projection): string {
  return JSON.stringify({ open: [...open.values()], calls: [...calls] });
}

/** The projection that goes on from a memory; what has changed since is nothing. */
export function resumedProjection(
  at: Pick<Projection, "executionId" | "path" | "version" | "seq">,
  memory: string,
): Projection {
  // Written by `projectionMemory`.
  const { open, calls } = JSON.parse(memory) as {
    readonly open: readonly Stage[];
    readonly calls: readonly [CommandId, OpenCall][];
  };
  return {
    ...initialProjection(at.executionId),
    path: at.path,
    version: at.version,
    seq: at.seq,
    open: new Map(open.map((stage) => [stage.step, stage])),
    calls: new Map(calls),
  };
}
