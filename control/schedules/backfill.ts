// Starts the ticks of a time that lies back, and single executions beside the ticks.

import type { Executions } from "#control/services/executions";
import { startEachOnce, startOnce } from "#control/services/start-once";
import { Fault } from "#core/model/fault";
import type { ExecutionId } from "#core/model/ids";
import { backfillAtOnceMax, scheduleTickKeyMs } from "#core/model/schedule-limits";
import type { Schedule, ScheduleTick } from "#core/ports/schedule-store";
import { ticksAfter } from "./next.ts";
import { failureMessage, tickRequest } from "./round.ts";

export interface BackfillRequest {
  readonly fromMs: number;
  readonly toMs: number;
  readonly limit: number;
  /** Says what would be started, and starts nothing. */
  readonly isDry: boolean;
}

export interface BackfilledTick {
  readonly tickMs: number;
  readonly status: "due" | "started" | "existed" | "failed";
  readonly executionId?: ExecutionId;
  readonly message?: string;
}

export interface Backfilled {
  readonly ticks: readonly BackfilledTick[];
  /** The first tick beyond the limit. */
  readonly nextFromMs: number | undefined;
}

/**
 * A tick that was started is not started again: its entry says so, and for a week its key.
 * @throws Fault `invalid` for a time that has not passed.
 */
export async function backfill(
  executions: Executions,
  schedule: Schedule,
  { fromMs, toMs, limit, isDry }: BackfillRequest,
): Promise<Backfilled> {
  const { schedules } = executions.context;
  if (toMs > (await schedules.nowMs()))
    throw new Fault("invalid", "to: expected a time in the past");
  if (toMs < fromMs) throw new Fault("invalid", "to: expected a time that is not before from");
  const found = ticksAfter(schedule, fromMs - 1, limit + 1).filter((tickMs) => tickMs <= toMs);
  const wanted = found.slice(0, limit);
  const known = await startedTicks(executions, schedule, wanted);
  const ticks: BackfilledTick[] = [];
  for (let at = 0; at < wanted.length; at += backfillAtOnceMax) {
    const some = wanted.slice(at, at + backfillAtOnceMax);
    const missing = some.filter((tickMs) => !known.has(tickMs));
    const done = isDry ? new Map() : await startTicks(executions, schedule, missing);
    ticks.push(
      ...some.map(
        (tickMs): BackfilledTick =>
          known.get(tickMs) ?? done.get(tickMs) ?? { tickMs, status: "due" },
      ),
    );
  }
  return { ticks, nextFromMs: found[limit] };
}

async function startedTicks(
  { context }: Executions,
  { scheduleId }: Schedule,
  wanted: readonly number[],
): Promise<ReadonlyMap<number, BackfilledTick>> {
  const [first, last] = [wanted[0], wanted.at(-1)];
  if (first === undefined || last === undefined) return new Map();
  const filter = { fromMs: first, beforeMs: last + 1, limit: wanted.length };
  const entries = await context.schedules.ticks(scheduleId, filter);
  return new Map(
    entries.flatMap(({ tickMs, outcome, executionId }) =>
      outcome === "started" && executionId !== undefined
        ? [[tickMs, { tickMs, status: "existed", executionId }]]
        : [],
    ),
  );
}

async function startTicks(
  executions: Executions,
  schedule: Schedule,
  ticks: readonly number[],
): Promise<ReadonlyMap<number, BackfilledTick>> {
  const asked = ticks.map((tickMs) => tickRequest(schedule, tickMs));
  const results = await startEachOnce(executions, asked);
  const done = results.map((result, at): BackfilledTick => {
    const tickMs = ticks[at] ?? 0;
    if (result.status === "rejected") {
      return { tickMs, status: "failed", message: failureMessage(result.reason) };
    }
    const { existed, executionId } = result.value;
    return { tickMs, status: existed ? "existed" : "started", executionId };
  });
  await executions.context.schedules.record(schedule.scheduleId, done.map(entryOf));
  return new Map(done.map((tick) => [tick.tickMs, tick]));
}

function entryOf({ tickMs, executionId, message }: BackfilledTick): ScheduleTick {
  return executionId === undefined
    ? { tickMs, outcome: "failed", ...(message === undefined ? {} : { message }) }
    : { tickMs, outcome: "started", executionId, message: "backfilled" };
}

export interface Triggered {
  readonly executionId: ExecutionId;
  readonly existed: boolean;
}

/** Starts the playbook beside the ticks: the same key starts it once. */
export async function trigger(
  executions: Executions,
  schedule: Schedule,
  { key, subject }: { readonly key: string; readonly subject: string },
): Promise<Triggered> {
  const { request } = tickRequest(schedule, 0);
  const scope = `schedule/${schedule.scheduleId}/trigger`;
  const origin = { client_id: `schedule/${schedule.scheduleId}`, request_id: key, subject };
  const dedup = { scope, key, windowMs: scheduleTickKeyMs };
  const [started] = await startOnce(executions, [{ request: { ...request, origin }, dedup }]);
  if (started === undefined) throw new Fault("internal", "internal error");
  return { executionId: started.executionId, existed: started.existed };
}
