// When a schedule has its ticks: cron expressions in a time zone, and intervals that are counted from
// a fixed moment. Nothing here runs a timer or reads a clock.
//
// T1  A tick of given hours and minutes that the clocks jump over comes at the first moment after the
//     gap, and once in an hour that there is twice: the first time.
// T2  Of `*` and steps each moment counts that there is: none in a gap, both in an hour twice.

import { Cron } from "croner";
import { Fault } from "#core/model/fault";
import {
  scheduleAheadMsMax,
  scheduleCronCharsMax,
  scheduleIntervalSecondsMax,
  scheduleIntervalSecondsMin,
  scheduleZoneCharsMax,
} from "#core/model/schedule-limits";
import type { NewSchedule } from "#core/ports/schedule-store";

export type Timing = Pick<
  NewSchedule,
  "when" | "timezone" | "startsAtMs" | "endsAtMs" | "createdAtMs"
>;

/** Reading an expression takes longer than finding its next tick: as many are kept. */
const cronsKeptMax = 20_000;
const crons = new Map<string, Cron>();

const nicknames: ReadonlySet<string> = new Set([
  "@yearly",
  "@annually",
  "@monthly",
  "@weekly",
  "@daily",
  "@midnight",
  "@hourly",
]);

/** @throws Fault `invalid` for text that is no expression of five or six fields. */
function cronOf(expression: string, timezone: string): Cron {
  const place = `${timezone} ${expression}`;
  const known = crons.get(place);
  if (known !== undefined) return known;
  const read = readCron(expression, timezone);
  const [oldest] = crons.keys();
  if (crons.size >= cronsKeptMax && oldest !== undefined) crons.delete(oldest);
  crons.set(place, read);
  return read;
}

function readCron(expression: string, timezone: string): Cron {
  const fields = expression.trim().split(/\s+/);
  const isNickname = nicknames.has(expression.trim().toLowerCase());
  if (
    expression.length > scheduleCronCharsMax ||
    (!isNickname && ![5, 6].includes(fields.length))
  ) {
    throw new Fault(
      "invalid",
      "cron: expected five fields, six with seconds in front, or a name such as @hourly",
    );
  }
  try {
    return new Cron(fields.join(" "), {
      ...{ timezone, paused: true, mode: "5-or-6-parts", fixedTimeRule: "no-wildcard" },
    });
  } catch (thrown) {
    throw new Fault("invalid", "cron: expected an expression such as 30 2 * * MON-FRI", {
      cause: thrown,
    });
  }
}

/**
 * Checks what a schedule says of its time.
 * @throws Fault `invalid`, also for an expression without a tick within five years of `fromMs`.
 */
export function checkTiming(timing: Timing, fromMs: number): void {
  const { when, timezone, startsAtMs, endsAtMs } = timing;
  checkZone(timezone);
  if (startsAtMs !== undefined && endsAtMs !== undefined && endsAtMs <= startsAtMs) {
    throw new Fault("invalid", "ends_at: expected a moment after starts_at");
  }
  if (when.kind === "interval") {
    const { intervalSeconds: seconds } = when;
    const bounds = `${scheduleIntervalSecondsMin} to ${scheduleIntervalSecondsMax}`;
    if (
      !Number.isSafeInteger(seconds) ||
      seconds < scheduleIntervalSecondsMin ||
      seconds > scheduleIntervalSecondsMax
    ) {
      throw new Fault("invalid", `interval_seconds: expected a whole number of ${bounds}`);
    }
    return;
  }
  const atMs = Math.max(fromMs, startsAtMs ?? fromMs);
  const next = cronOf(when.cron, timezone).nextRun(new Date(atMs));
  if (next !== null && next.getTime() - atMs <= scheduleAheadMsMax) return;
  throw new Fault("invalid", "cron: expected an expression that has a tick within five years");
}

/** @throws Fault `invalid`, with names that are written alike. */
function checkZone(zone: string): void {
  const isShort = zone.length <= scheduleZoneCharsMax;
  if (isShort && isZone(zone)) return;
  const near = isShort ? nearZones(zone) : [];
  const hint = near.length === 0 ? "" : `, such as ${near.join(", ")}`;
  throw new Fault("invalid", `timezone: expected a name of the time zone database${hint}`);
}

function isZone(zone: string): boolean {
  // Offsets such as +01:00 are no zones: they know of no summer.
  if (!/^[A-Za-z]/.test(zone)) return false;
  try {
    new Intl.DateTimeFormat("en", { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}

const nearShownMax = 3;

function nearZones(zone: string): readonly string[] {
  const wanted = zone.toLowerCase();
  const known = ["UTC", ...Intl.supportedValuesOf("timeZone")];
  return known
    .map((name) => ({ name, far: distance(wanted, name.toLowerCase()) }))
    .sort((left, right) => left.far - right.far)
    .slice(0, nearShownMax)
    .map(({ name }) => name);
}

/** Letters that are to be changed, put in or taken out to make one text of the other. */
function distance(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_, at) => at);
  for (let n = 1; n <= left.length; n++) {
    const next = [n];
    for (let at = 1; at <= right.length; at++) {
      const swapped = (row[at - 1] ?? 0) + (left[n - 1] === right[at - 1] ? 0 : 1);
      next.push(Math.min(swapped, (row[at] ?? 0) + 1, (next[at - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[right.length] ?? 0;
}

/** The first `n` ticks after the moment, as many as there are; rising. */
export function ticksAfter(timing: Timing, fromMs: number, n: number): readonly number[] {
  const { when, timezone, startsAtMs, endsAtMs = Number.POSITIVE_INFINITY } = timing;
  // A tick at the start itself counts.
  const afterMs = startsAtMs === undefined ? fromMs : Math.max(fromMs, startsAtMs - 1);
  const ticks =
    when.kind === "cron"
      ? cronTicks(cronOf(when.cron, timezone), afterMs, n)
      : intervalTicks(timing, when.intervalSeconds * 1_000, { afterMs, n });
  return ticks.filter((tickMs) => tickMs < endsAtMs);
}

export function tickAfter(timing: Timing, fromMs: number): number | undefined {
  return ticksAfter(timing, fromMs, 1)[0];
}

function cronTicks(cron: Cron, afterMs: number, n: number): readonly number[] {
  const ticks: number[] = [];
  // An expression reads whole seconds: the one that a moment lies in has begun.
  let fromMs = Math.floor(afterMs / 1_000) * 1_000;
  while (ticks.length < n) {
    const tick = cron.nextRun(new Date(fromMs))?.getTime();
    if (tick === undefined) break;
    fromMs = tick;
    ticks.push(tick);
  }
  return ticks;
}

interface Stretch {
  readonly afterMs: number;
  readonly n: number;
}

function intervalTicks(
  { startsAtMs, createdAtMs }: Timing,
  periodMs: number,
  { afterMs, n }: Stretch,
): readonly number[] {
  const anchorMs = startsAtMs ?? createdAtMs;
  const first = Math.floor((afterMs - anchorMs) / periodMs) + 1;
  // Without a start the first tick is an interval after the schedule was made.
  const from = Math.max(first, startsAtMs === undefined ? 1 : 0);
  return Array.from({ length: n }, (_, index) => anchorMs + (from + index) * periodMs);
}

/** The newest `n` ticks from the one moment on, before the other; rising. */
export function ticksBefore(
  timing: Timing,
  { fromMs, beforeMs }: { readonly fromMs: number; readonly beforeMs: number },
  n: number,
): readonly number[] {
  const { when, timezone } = timing;
  if (n === 0 || beforeMs <= fromMs) return [];
  if (when.kind === "interval") {
    const periodMs = when.intervalSeconds * 1_000;
    const beginMs = Math.max(fromMs, beforeMs - (n + 1) * periodMs);
    return ticksAfter(timing, beginMs - 1, n + 1)
      .filter((tickMs) => tickMs < beforeMs)
      .slice(-n);
  }
  const runs = cronOf(when.cron, timezone).previousRuns(n, new Date(beforeMs));
  return runs
    .map((run) => run.getTime())
    .filter((tickMs) => tickMs >= fromMs && tickMs < beforeMs)
    .sort((left, right) => left - right);
}

/** How long after its tick a schedule is due: the same for a tick whoever asks. */
export function jitterOf(
  { scheduleId, jitterSeconds }: Pick<NewSchedule, "scheduleId" | "jitterSeconds">,
  tickMs: number,
  sha256: (text: string) => string,
): number {
  if (jitterSeconds === 0) return 0;
  const digest = sha256(`${scheduleId} ${tickMs}`);
  return Number.parseInt(digest.slice(0, 12), 16) % (jitterSeconds * 1_000 + 1);
}

/** Where a schedule goes on after a moment. */
export function placeAfter(
  schedule: Timing & Pick<NewSchedule, "scheduleId" | "jitterSeconds">,
  fromMs: number,
  sha256: (text: string) => string,
): { readonly nextTickMs?: number; readonly nextAtMs?: number } {
  const nextTickMs = tickAfter(schedule, fromMs);
  return nextTickMs === undefined ? {} : placeAt(schedule, nextTickMs, sha256);
}

export function placeAt(
  schedule: Pick<NewSchedule, "scheduleId" | "jitterSeconds">,
  nextTickMs: number,
  sha256: (text: string) => string,
): { readonly nextTickMs: number; readonly nextAtMs: number } {
  return { nextTickMs, nextAtMs: nextTickMs + jitterOf(schedule, nextTickMs, sha256) };
}
