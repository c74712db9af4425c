// The real clock and the real mint of identities. Nothing else in the house reads the time or
// counts ids; ids keep growing when the machine's clock is set back.

import { invariant } from "#core/model/fault";
import {
  catalogId,
  eventId,
  executionId,
  snowflake,
  snowflakeEpochMs,
  snowflakeMachineMax,
  snowflakeSequenceMax,
  snowflakeTimeMs,
} from "#core/model/ids";
import type { Clock, IdMint } from "#core/ports/clock";

/** The longest delay one runtime timer can hold, in milliseconds; a longer sleep takes several. */
const timerMsMax = 2_147_483_647;

/** The clock of this machine. */
export function systemClock(): Clock {
  return { nowMs: () => Date.now(), sleep };
}

/**
 * A clock that never jumps: this machine's time at the start, and what has passed since. For
 * processes that measure durations by it and tell nobody the time.
 */
export function steadyClock(): Clock {
  const startMs = Date.now() - performance.now();
  return { nowMs: () => Math.floor(startMs + performance.now()), sleep };
}

async function sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
  let leftMs = delayMs;
  while (leftMs > 0 && signal?.aborted !== true) {
    const partMs = Math.min(leftMs, timerMsMax);
    await timer(partMs, signal);
    leftMs -= partMs;
  }
}

function timer(delayMs: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(running);
      signal?.removeEventListener("abort", end);
      resolve();
    };
    const running = setTimeout(end, delayMs);
    signal?.addEventListener("abort", end, { once: true });
  });
}

/**
 * A mint of snowflakes for one machine id (0 to 1023), which no other live mint may use. Ids only
 * grow: when the clock steps back, or more ids are wanted in a millisecond than one can number,
 * the mint goes on from the last id and runs ahead of the clock until the clock has caught up.
 */
export function snowflakeMint(clock: Pick<Clock, "nowMs">, machine: number): IdMint {
  invariant(
    Number.isInteger(machine) && machine >= 0 && machine <= snowflakeMachineMax,
    `machine id is ${machine}, expected an integer from 0 to ${snowflakeMachineMax}`,
  );
  // The first millisecond of the epoch is left out, so that no id is zero.
  let timeMs = snowflakeEpochMs;
  let sequence = snowflakeSequenceMax;
  let last = "";
  /** An id that is no later than our last one asks for nothing: the usual case, and a cheap one. */
  const isPassed = (id: string): boolean => id.length === last.length && id <= last;
  const next = (asked?: string): string => {
    const after = asked !== undefined && isPassed(asked) ? undefined : asked;
    const floorMs = after === undefined ? 0 : snowflakeTimeMs(after);
    const startMs = Math.max(Math.floor(clock.nowMs()), floorMs);
    if (startMs > timeMs) {
      timeMs = startMs;
      sequence = 0;
    } else if (sequence < snowflakeSequenceMax) {
      sequence += 1;
    } else {
      timeMs += 1;
      sequence = 0;
    }
    const id = snowflake({ timeMs, machine, sequence });
    last = id;
    if (after === undefined || BigInt(id) > BigInt(after)) return id;
    // Another machine minted `after` in this same millisecond: the next one is later than both.
    timeMs += 1;
    sequence = 0;
    last = snowflake({ timeMs, machine, sequence });
    return last;
  };
  return {
    executionId: () => executionId(next()),
    eventId: (after) => eventId(next(after)),
    catalogId: () => catalogId(next()),
  };
}
