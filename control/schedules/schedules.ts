// Making schedules and changing them: what they say is checked whole, and their next tick found by the
// clock of the store.

import type { ControlContext } from "#control/services/context";
import { Fault } from "#core/model/fault";
import { isSnowflake } from "#core/model/ids";
import type { JsonObject } from "#core/model/json";
import { scheduleCatchUpDefault } from "#core/model/schedule-limits";
import type { NewSchedule, Schedule, ScheduleOverlap } from "#core/ports/schedule-store";
import { checkTiming, placeAfter, type Timing } from "./next.ts";

export interface TimingText {
  readonly cron?: string;
  readonly interval_seconds?: number;
  readonly timezone?: string;
  readonly starts_at?: number;
  readonly ends_at?: number;
}

/** A schedule as it is asked for; what is left out gets its default. */
export interface ScheduleText extends TimingText {
  readonly name?: string;
  readonly path: string;
  readonly version?: number | null;
  readonly jitter_seconds?: number;
  readonly overlap?: ScheduleOverlap;
  readonly catch_up?: number;
  readonly workload?: JsonObject;
  readonly priority?: number;
  readonly enabled?: boolean;
}

/**
 * What a request says of a schedule's time, checked.
 * @param createdAtMs what an interval without a start is counted from.
 * @param nowMs by the clock of the store.
 * @throws Fault `invalid`.
 */
export function timingOf(asked: TimingText, createdAtMs: number, nowMs: number): Timing {
  const { timezone = "UTC", starts_at: startsAtMs, ends_at: endsAtMs } = asked;
  const timing: Timing = {
    when: whenOf(asked),
    timezone,
    ...(startsAtMs === undefined ? {} : { startsAtMs }),
    ...(endsAtMs === undefined ? {} : { endsAtMs }),
    createdAtMs,
  };
  checkTiming(timing, nowMs);
  return timing;
}

function whenOf({ cron, interval_seconds: seconds }: TimingText): NewSchedule["when"] {
  if (cron !== undefined && seconds !== undefined) {
    throw new Fault("invalid", "expected one of cron and interval_seconds, found both");
  }
  if (cron !== undefined) return { kind: "cron", cron };
  if (seconds !== undefined) return { kind: "interval", intervalSeconds: seconds };
  throw new Fault("invalid", "expected cron or interval_seconds, found neither");
}

export interface Asker {
  readonly tenant: string;
  readonly subject: string;
}

/** @throws Fault `invalid`, `not_found` for a playbook that is none, `conflict` for a name twice. */
export async function createSchedule(
  context: ControlContext,
  { tenant, subject }: Asker,
  asked: ScheduleText,
): Promise<Schedule> {
  const nowMs = await context.schedules.nowMs();
  const scheduleId = context.ids.catalogId();
  const timing = timingOf(asked, nowMs, nowMs);
  await checkPlaybook(context, tenant, asked);
  const schedule = { scheduleId, tenant, createdBy: subject, ...timing, ...settled(asked) };
  const place = placeAfter(schedule, nowMs, context.sha256);
  if (place.nextTickMs === undefined) throw noTick();
  return context.schedules.put({ ...schedule, ...place });
}

/** @throws Fault as making one does, and `conflict` where it was changed meanwhile. */
export async function changeSchedule(
  context: ControlContext,
  known: Schedule,
  { revision = known.revision, ...asked }: ScheduleText & { readonly revision?: number },
): Promise<Schedule> {
  const nowMs = await context.schedules.nowMs();
  const { scheduleId, tenant, createdAtMs, pausedUntilMs } = known;
  const timing = timingOf(asked, createdAtMs, nowMs);
  await checkPlaybook(context, tenant, asked);
  const paused = pausedUntilMs === undefined ? {} : { pausedUntilMs };
  const schedule = { scheduleId, tenant, ...timing, ...settled(asked), ...paused };
  // A tick that is due at this moment is not lost by a change of something else.
  if (isSameTime(known, schedule)) {
    return context.schedules.put(schedule, { revision, keepsPlace: true });
  }
  const place = placeAfter(schedule, nowMs, context.sha256);
  if (place.nextTickMs === undefined) throw noTick();
  return context.schedules.put({ ...schedule, ...place }, { revision });
}

function settled(asked: ScheduleText) {
  const { path, name = path, version, priority } = asked;
  return {
    path,
    name,
    ...(version === undefined || version === null ? {} : { version }),
    jitterSeconds: asked.jitter_seconds ?? 0,
    overlap: asked.overlap ?? ("allow" as const),
    catchUp: asked.catch_up ?? scheduleCatchUpDefault,
    workload: asked.workload ?? {},
    ...(priority === undefined ? {} : { priority }),
    enabled: asked.enabled ?? true,
  };
}

function isSameTime(known: Schedule, next: Timing & Pick<Schedule, "enabled" | "jitterSeconds">) {
  const said = ({ when, timezone, startsAtMs, endsAtMs }: Timing): string =>
    JSON.stringify([when, timezone, startsAtMs, endsAtMs]);
  const isBack = next.enabled && !known.enabled;
  return said(known) === said(next) && known.jitterSeconds === next.jitterSeconds && !isBack;
}

const noTick = (): Fault => new Fault("invalid", "expected a schedule with a tick to come");

async function checkPlaybook(
  { plans }: ControlContext,
  tenant: string,
  { path, version }: ScheduleText,
): Promise<void> {
  const asked = version === undefined || version === null ? {} : { version };
  const found = await plans.version({ tenant, path, ...asked });
  if (found !== undefined && found.isArchived !== true) return;
  const which = "version" in asked ? ` version ${asked.version}` : "";
  throw new Fault("not_found", `playbook ${path}${which} is not in the catalog`);
}

/** @throws Fault `invalid` for text that is no id, `not_found`. */
export async function scheduleBy(
  { schedules }: ControlContext,
  tenant: string,
  scheduleId: string,
): Promise<Schedule> {
  if (!isSnowflake(scheduleId)) throw new Fault("invalid", "expected the id of a schedule");
  const schedule = await schedules.get(tenant, scheduleId);
  if (schedule !== undefined) return schedule;
  throw new Fault("not_found", `schedule ${scheduleId} does not exist`);
}

/** Until a moment, or until it is resumed. */
export function pauseSchedule(
  { schedules }: ControlContext,
  known: Schedule,
  untilMs: number | undefined,
): Promise<Schedule> {
  const { pausedUntilMs: _, revision, ...same } = known;
  const paused =
    untilMs === undefined ? { ...same, enabled: false } : { ...same, pausedUntilMs: untilMs };
  return schedules.put(paused, { revision, keepsPlace: true });
}

/** With `catchUp` from where it was paused, as after an outage; else from now on. */
export async function resumeSchedule(
  { schedules, sha256 }: ControlContext,
  known: Schedule,
  catchUp: boolean,
): Promise<Schedule> {
  const { pausedUntilMs: _, nextTickMs: _tick, nextAtMs: _at, revision, ...same } = known;
  const resumed = { ...same, enabled: true };
  const nowMs = await schedules.nowMs();
  const isPaused = !known.enabled || (known.pausedUntilMs ?? 0) > nowMs;
  if (catchUp || !isPaused) return schedules.put(resumed, { revision, keepsPlace: true });
  return schedules.put({ ...resumed, ...placeAfter(resumed, nowMs, sha256) }, { revision });
}
