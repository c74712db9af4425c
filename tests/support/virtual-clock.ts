// The product's virtual clock, with a way to move it in which everything that follows from one
// sleeper's waking, in the same instant, is let run before time goes on.

import {
  type VirtualClock as PlainClock,
  virtualClock as plainClock,
  virtualStartMs,
} from "#core/adapters/virtual-clock";

export { virtualStartMs };

export interface VirtualClock extends PlainClock {
  /** Moves the time forward, waking sleepers when their time comes. */
  advance(byMs: number): Promise<void>;
}

export function virtualClock(startMs: number = virtualStartMs): VirtualClock {
  const clock = plainClock(startMs);
  const advance = async (byMs: number): Promise<void> => {
    const untilMs = clock.nowMs() + byMs;
    await settled();
    while (clock.wakeNext(untilMs)) await settled();
    clock.jumpTo(untilMs);
  };
  return { ...clock, advance };
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
