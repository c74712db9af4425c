// What is to be done with a schedule that is due: run its tick, or pass over ticks that were missed.

import { scheduleLateMs, skippedTicksCountedMax } from "#core/model/schedule-limits";
import type { Schedule } from "#core/ports/schedule-store";
import { tickAfter, ticksAfter, ticksBefore } from "./next.ts";

export type DueStep =
  | { readonly kind: "run"; readonly tickMs: number }
  | {
      readonly kind: "pass";
      /** The tick that is gone on to; undefined when there is none any more. */
      readonly toMs: number | undefined;
      readonly message: string;
    };

/**
 * From which tick on those of an outage are made up for, by schedule: found when the outage is seen
 * and kept until it has been made up for, however long that takes.
 */
export type Kept = Map<string, number>;

/**
 * @param schedule one that is due, with its next tick.
 * @param nowMs by the clock of the store.
 */
export function dueStep(
  schedule: Schedule & { readonly nextTickMs: number },
  nowMs: number,
  kept: Kept,
): DueStep {
  const { nextTickMs: tickMs, pausedUntilMs, jitterSeconds, queued } = schedule;
  // It has waited for the end of the last one: that is not being late.
  if (queued > 0) return { kind: "run", tickMs };
  if (pausedUntilMs !== undefined && tickMs < pausedUntilMs) {
    const toMs = tickAfter(schedule, pausedUntilMs - 1);
    return { kind: "pass", toMs, message: passedOver(schedule, { tickMs, toMs }, "in a pause") };
  }
  const place = `${schedule.scheduleId} ${schedule.revision}`;
  const lateBeforeMs = nowMs - scheduleLateMs - jitterSeconds * 1_000;
  if (tickMs >= lateBeforeMs) {
    kept.delete(place);
    return { kind: "run", tickMs };
  }
  const known = kept.get(place);
  if (known !== undefined && tickMs >= known) return { kind: "run", tickMs };
  const late = { fromMs: tickMs, beforeMs: lateBeforeMs };
  const [first] = ticksBefore(schedule, late, schedule.catchUp);
  const toMs = first ?? tickAfter(schedule, lateBeforeMs - 1);
  if (toMs !== undefined) kept.set(place, toMs);
  if (toMs === tickMs) return { kind: "run", tickMs };
  return { kind: "pass", toMs, message: passedOver(schedule, { tickMs, toMs }, "missed") };
}

interface Passed {
  readonly tickMs: number;
  readonly toMs: number | undefined;
}

function passedOver(schedule: Schedule, { tickMs, toMs }: Passed, why: string): string {
  const untilMs = toMs ?? Number.POSITIVE_INFINITY;
  const count = countTicks(schedule, tickMs, untilMs);
  return `${count} from ${new Date(tickMs).toISOString()} on ${why}, and not made up for`;
}

/** Finding ticks of an expression takes time: many are not counted. */
function countTicks(schedule: Schedule, fromMs: number, untilMs: number): string {
  const { when } = schedule;
  if (when.kind === "interval" && Number.isFinite(untilMs)) {
    return ticksSaid(Math.round((untilMs - fromMs) / (when.intervalSeconds * 1_000)));
  }
  const counted = ticksAfter(schedule, fromMs - 1, skippedTicksCountedMax + 1);
  const count = counted.filter((tickMs) => tickMs < untilMs).length;
  return count > skippedTicksCountedMax
    ? `more than ${skippedTicksCountedMax} ticks`
    : ticksSaid(count);
}

const ticksSaid = (count: number): string => (count === 1 ? "one tick" : `${count} ticks`);
