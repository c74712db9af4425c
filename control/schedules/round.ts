// One look at what is due: each schedule goes one tick on. Any number of processes may look at the
// same time, and any of them may die at any place.
//
// K1  A tick's key stands for one execution: whoever starts it again finds it started.
// K2  A schedule is moved on only from the tick that was looked at, after that was dealt with.
// K3  What the last execution is doing is asked of the one that the schedule named when it was read:
//     another process may have started the tick meanwhile.

import type { Executions } from "#control/services/executions";
import { endExecution, type Started } from "#control/services/lifecycle";
import { type OnceRequest, startEachOnce } from "#control/services/start-once";
import { Fault, messageOf, unreachable } from "#core/model/fault";
import type { ExecutionId } from "#core/model/ids";
import { errorMessageCharsMax } from "#core/model/limits";
import {
  scheduleDueMax,
  scheduleFailuresMax,
  scheduleTickKeyMs,
} from "#core/model/schedule-limits";
import { storableText } from "#core/model/storable-text";
import type { Schedule, ScheduleAdvance, ScheduleTick } from "#core/ports/schedule-store";
import { dueStep, type Kept } from "./due.ts";
import { placeAfter, placeAt, tickAfter } from "./next.ts";

export interface RoundOptions {
  readonly kept: Kept;
  /** Told of what went wrong and will be tried again. */
  readonly report: (message: string) => void;
}

type DueSchedule = Schedule & { readonly nextTickMs: number };

interface Round extends RoundOptions {
  readonly executions: Executions;
  readonly nowMs: number;
}

/** @returns how many schedules went on. */
export async function tickRound(executions: Executions, options: RoundOptions): Promise<number> {
  const { schedules: store } = executions.context;
  const { nowMs, schedules } = await store.due(scheduleDueMax);
  if (schedules.length === 0) return 0;
  const round: Round = { ...options, executions, nowMs };
  const moves: ScheduleAdvance[] = [];
  const running: DueSchedule[] = [];
  for (const schedule of schedules.filter(hasTick)) {
    const step = dueStep(schedule, nowMs, options.kept);
    if (step.kind === "run") running.push(schedule);
    else moves.push(passed(round, schedule, step));
  }
  moves.push(...(await ran(round, running)));
  await store.advance(moves);
  return moves.length;
}

const hasTick = (schedule: Schedule): schedule is DueSchedule => schedule.nextTickMs !== undefined;

function passed(
  { executions }: Round,
  schedule: DueSchedule,
  { toMs, message }: { readonly toMs: number | undefined; readonly message: string },
): ScheduleAdvance {
  const tick: ScheduleTick = { tickMs: schedule.nextTickMs, outcome: "skipped_late", message };
  const { sha256 } = executions.context;
  const place = toMs === undefined ? {} : placeAt(schedule, toMs, sha256);
  return { ...moveOf(schedule, tick), ...place };
}

/** Of a tick that was dealt with; without a place the schedule is over. */
function moveOf(schedule: DueSchedule, tick: ScheduleTick): ScheduleAdvance {
  const { scheduleId, revision, nextTickMs: fromTickMs, failures } = schedule;
  const common = { scheduleId, revision, fromTickMs, queued: 0, tick };
  if (tick.outcome !== "failed") return { ...common, failures: 0, standing: tick.outcome };
  const failed = failures + 1;
  const standing = failed >= scheduleFailuresMax ? "failing" : "failed";
  return { ...common, failures: failed, standing };
}

/** Goes by the policy of each for when its last execution is still running. */
async function ran(
  round: Round,
  schedules: readonly DueSchedule[],
): Promise<readonly ScheduleAdvance[]> {
  const { executions } = round;
  const asked = schedules.flatMap(({ overlap, lastExecution }) =>
    overlap === "allow" || lastExecution === undefined ? [] : [lastExecution],
  );
  const standings =
    asked.length === 0 ? new Map() : await executions.context.schedules.standings(asked);
  const moves: ScheduleAdvance[] = [];
  const starting: DueSchedule[] = [];
  for (const schedule of schedules) {
    const { lastExecution: last } = schedule;
    const isRunning = last !== undefined && standings.get(last) === "running";
    const move = isRunning ? await overlapped(round, schedule, last) : undefined;
    if (move === undefined) starting.push(schedule);
    else moves.push(move);
  }
  return [...moves, ...(await started(round, starting))];
}

/** Undefined where the tick is to be started all the same. */
async function overlapped(
  round: Round,
  schedule: DueSchedule,
  last: ExecutionId,
): Promise<ScheduleAdvance | undefined> {
  const { executions } = round;
  const { overlap, scheduleId, nextTickMs: tickMs, nextAtMs } = schedule;
  const message = `execution ${last} was running`;
  switch (overlap) {
    case "allow":
      return undefined;
    case "skip":
      return {
        ...moveOf(schedule, { tickMs, outcome: "skipped_overlap", message }),
        ...placeAfter(schedule, tickMs, executions.context.sha256),
      };
    case "queue":
      return {
        ...moveOf(schedule, { tickMs, outcome: "queued", message }),
        ...(nextAtMs === undefined ? {} : { nextAtMs }),
        nextTickMs: tickMs,
        queued: 1,
      };
    case "cancel_previous":
      await endExecution(executions, last, {
        by: `schedule/${scheduleId}`,
        reason: "the next tick of its schedule has come",
      });
      return undefined;
    default:
      return unreachable(overlap);
  }
}

async function started(
  round: Round,
  schedules: readonly DueSchedule[],
): Promise<readonly ScheduleAdvance[]> {
  if (schedules.length === 0) return [];
  const asked = schedules.map((schedule) => tickRequest(schedule, schedule.nextTickMs));
  const results = await startEachOnce(round.executions, asked);
  const away = new Set<string>();
  const moves = schedules.flatMap((schedule, at) => {
    const result = results[at];
    const tick = result === undefined ? undefined : tickOf(round, schedule, result);
    if (tick !== undefined) return [startedMove(round, schedule, tick)];
    if (result?.status === "rejected") away.add(messageOf(result.reason));
    return [];
  });
  for (const message of away) round.report(`schedules: ${message}`);
  return moves;
}

/** Starts the tick's execution, or finds it started: at the tick, made up for, or backfilled. */
export function tickRequest(schedule: Schedule, tickMs: number): OnceRequest {
  const { scheduleId, tenant, path, version, workload, priority, createdBy } = schedule;
  const scope = `schedule/${scheduleId}`;
  const key = new Date(tickMs).toISOString();
  return {
    request: {
      path,
      tenant,
      workload,
      ...(version === undefined ? {} : { version }),
      ...(priority === undefined ? {} : { priority }),
      origin: {
        client_id: scope,
        request_id: key,
        ...(createdBy === undefined ? {} : { subject: createdBy }),
      },
    },
    dedup: { scope, key, windowMs: scheduleTickKeyMs },
  };
}

/** Undefined for what may go well at the next look. */
function tickOf(
  { report }: Round,
  { scheduleId, failures, nextTickMs: tickMs }: DueSchedule,
  result: PromiseSettledResult<Started>,
): ScheduleTick | undefined {
  if (result.status === "fulfilled") {
    return { tickMs, outcome: "started", executionId: result.value.executionId };
  }
  const { reason } = result;
  if (reason instanceof Fault && reason.retryable) return undefined;
  if (!(reason instanceof Fault)) report(`schedule ${scheduleId}: ${messageOf(reason)}`);
  if (failures + 1 === scheduleFailuresMax) {
    report(`schedule ${scheduleId}: the last ${scheduleFailuresMax} ticks could not be started`);
  }
  return { tickMs, outcome: "failed", message: failureMessage(reason) };
}

/** What is no fault is a bug of ours, and its text is for our own report. */
export function failureMessage(reason: unknown): string {
  const text = reason instanceof Fault ? reason.message : "internal error";
  return storableText(text).slice(0, errorMessageCharsMax);
}

/** Ticks that passed while one waited are gone: at most one waits. */
function startedMove(round: Round, schedule: DueSchedule, tick: ScheduleTick): ScheduleAdvance {
  const { sha256 } = round.executions.context;
  const { nextTickMs: tickMs } = schedule;
  if (schedule.queued === 0) {
    return { ...moveOf(schedule, tick), ...placeAfter(schedule, tickMs, sha256) };
  }
  const next = tickAfter(schedule, tickMs);
  const dropped = next !== undefined && next <= round.nowMs;
  const message = dropped ? { message: "others passed while it waited" } : {};
  const place = placeAfter(schedule, Math.max(tickMs, round.nowMs), sha256);
  return { ...moveOf(schedule, { ...message, ...tick }), ...place };
}
