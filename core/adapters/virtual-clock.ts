// A clock that stands still until its owner moves it: for tests, of playbooks and of the product.
// What falls due on the way happens in the order of time; nothing here waits for anything real.

import type { Clock } from "#core/ports/clock";

interface Sleeper {
  readonly atMs: number;
  readonly order: number;
  readonly wake: () => void;
}

export interface VirtualClock extends Clock {
  /** Sets the time, and wakes everybody who is due by then, the earliest first. */
  jumpTo(atMs: number): void;
  /** Sets the time to that of the next one who is due by then, and wakes only that one. */
  wakeNext(untilMs: number): boolean;
  /** When the next sleeper is due; undefined when nobody sleeps. */
  nextWakeMs(): number | undefined;
  /** Those who sleep now. */
  sleeping(): number;
}

/** 2025-06-15T15:06:40Z, so that nothing depends on the day it runs. */
export const virtualStartMs = 1_750_000_000_000;

export function virtualClock(startMs: number = virtualStartMs): VirtualClock {
  const sleepers = new Set<Sleeper>();
  let nowMs = startMs;
  let order = 0;

  const sleep = (delayMs: number, signal?: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      if (delayMs <= 0 || signal?.aborted === true) {
        resolve();
        return;
      }
      const wake = (): void => {
        sleepers.delete(sleeper);
        signal?.removeEventListener("abort", wake);
        resolve();
      };
      const sleeper: Sleeper = { atMs: nowMs + delayMs, order: order++, wake };
      sleepers.add(sleeper);
      signal?.addEventListener("abort", wake, { once: true });
    });

  const next = (): Sleeper | undefined => {
    let first: Sleeper | undefined;
    for (const sleeper of sleepers) {
      if (first === undefined || goesBefore(sleeper, first)) first = sleeper;
    }
    return first;
  };

  return {
    nowMs: () => nowMs,
    sleep,
    jumpTo: (atMs) => {
      nowMs = Math.max(nowMs, atMs);
      const due = [...sleepers].filter((sleeper) => sleeper.atMs <= nowMs);
      due.sort((a, b) => (goesBefore(a, b) ? -1 : 1));
      for (const sleeper of due) sleeper.wake();
    },
    wakeNext: (untilMs) => {
      const sleeper = next();
      if (sleeper === undefined || sleeper.atMs > untilMs) return false;
      nowMs = Math.max(nowMs, sleeper.atMs);
      sleeper.wake();
      return true;
    },
    nextWakeMs: () => next()?.atMs,
    sleeping: () => sleepers.size,
  };
}

function goesBefore(a: Sleeper, b: Sleeper): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
