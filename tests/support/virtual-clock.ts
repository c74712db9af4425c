// A clock that stands still until a test moves it. What falls due on the way happens in order of
// time, and everything that follows from it in the same instant is let run before time goes on.

import type { Clock } from "#core/ports/clock";

interface Sleeper {
  readonly atMs: number;
  readonly order: number;
  readonly wake: () => void;
}

export interface VirtualClock extends Clock {
  /** Moves the time forward, waking sleepers when their time comes. */
  advance(byMs: number): Promise<void>;
  /** Those who sleep now. */
  sleeping(): number;
}

/** 2025-06-15T15:06:40Z, so that no test depends on the day it runs. */
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

  const nextBy = (untilMs: number): Sleeper | undefined => {
    let next: Sleeper | undefined;
    for (const sleeper of sleepers) {
      if (sleeper.atMs > untilMs) continue;
      const isSooner =
        next === undefined ||
        sleeper.atMs < next.atMs ||
        (sleeper.atMs === next.atMs && sleeper.order < next.order);
      if (isSooner) next = sleeper;
    }
    return next;
  };

  const advance = async (byMs: number): Promise<void> => {
    const untilMs = nowMs + byMs;
    await settled();
    for (let next = nextBy(untilMs); next !== undefined; next = nextBy(untilMs)) {
      nowMs = next.atMs;
      next.wake();
      await settled();
    }
    nowMs = untilMs;
  };

  return { nowMs: () => nowMs, sleep, advance, sleeping: () => sleepers.size };
}

const turnsToSettle = 8;

/** Lets promises and deferred turns run that are due now; real I/O is awaited by its condition. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < turnsToSettle; turn++) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Resolves when the condition holds; for what real I/O brings about. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}
