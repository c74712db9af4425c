// Waiting for something to become so: whoever changes anything says so, and every condition that
// then holds lets its waiters go on. Changes of one turn are looked at together.

import type { Clock } from "#core/ports/clock";

export interface Conditions {
  /** Something may have changed: `onTurn` and the waiting conditions get their look, once, soon. */
  changed(): void;
  /** Resolves when it holds. */
  met(isMet: () => boolean): Promise<void>;
  /** Resolves when it holds, or when the time is over. */
  metWithin(isMet: () => boolean, waitMs: number): Promise<void>;
}

export interface ConditionsOptions {
  readonly clock: Clock;
  readonly defer: (run: () => void) => void;
  readonly onTurn: () => void;
}

interface Waiter {
  readonly isMet: () => boolean;
  readonly resolve: () => void;
}

export function conditions({ clock, defer, onTurn }: ConditionsOptions): Conditions {
  const waiters = new Set<Waiter>();
  let scheduled = false;

  const look = (): void => {
    scheduled = false;
    onTurn();
    for (const waiter of waiters) {
      if (!waiter.isMet()) continue;
      waiters.delete(waiter);
      waiter.resolve();
    }
  };

  const changed = (): void => {
    if (scheduled) return;
    scheduled = true;
    defer(look);
  };

  const waiting = (isMet: () => boolean): { readonly met: Promise<void>; forget(): void } => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const waiter = { isMet, resolve };
    waiters.add(waiter);
    changed();
    return { met: promise, forget: () => void waiters.delete(waiter) };
  };

  const metWithin = async (isMet: () => boolean, waitMs: number): Promise<void> => {
    const { met, forget } = waiting(isMet);
    const wake = new AbortController();
    await Promise.race([met, clock.sleep(waitMs, wake.signal)]);
    wake.abort();
    forget();
  };

  return { changed, met: (isMet) => waiting(isMet).met, metWithin };
}
