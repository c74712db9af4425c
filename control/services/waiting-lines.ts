// What this process knows of the pools' lines: whether anybody waits, how long suspects have, whose
// turn is next. An estimate from claims, appends and sweeps: it may be wrong for a second, and
// nothing but fairness and speed depends on it.

import type { ExecutionId } from "#core/model/ids";
import { stateCacheEntriesMax, stickyCommandsMax, suspectWaitMs } from "#core/model/limits";
import type { PoolQueue } from "#core/ports/command-rows";
import { BoundedCache } from "./bounded-cache.ts";

interface Streak {
  readonly worker: string;
  count: number;
}

export class WaitingLines {
  readonly #waiting = new Set<string>();
  /** Since when the oldest suspect of a pool has waited. */
  readonly #suspectsSinceMs = new Map<string, number>();
  readonly #streaks = new BoundedCache<ExecutionId, Streak>(stateCacheEntriesMax);
  /** The tenant served last: the next claim begins after it. */
  lastTenant = "";

  constructor(readonly nowMs: () => number) {}

  /** A row waits for a claim. */
  note(pool: string, isSuspect: boolean): void {
    if (!isSuspect) this.#waiting.add(pool);
    else if (!this.#suspectsSinceMs.has(pool)) this.#suspectsSinceMs.set(pool, this.nowMs());
  }

  /** A claim was not given all that it wanted: nothing is left for its pools. */
  emptied(pools: readonly string[]): void {
    for (const pool of pools) this.#waiting.delete(pool);
  }

  /** What a sweep found. */
  refresh(queues: readonly PoolQueue[]): void {
    this.#waiting.clear();
    this.#suspectsSinceMs.clear();
    for (const { pool, waits, suspectWaitedMs } of queues) {
      if (waits) this.#waiting.add(pool);
      if (suspectWaitedMs !== undefined) {
        this.#suspectsSinceMs.set(pool, this.nowMs() - suspectWaitedMs);
      }
    }
  }

  /** Somebody waits in line, as far as this process knows. */
  waits(pools: readonly string[]): boolean {
    return pools.some((pool) => this.#waiting.has(pool));
  }

  suspectsWait(pools: readonly string[]): boolean {
    return pools.some((pool) => this.#suspectsSinceMs.has(pool));
  }

  /** Suspects have waited for an idle worker longer than they should. */
  suspectsOverdue(pools: readonly string[]): boolean {
    const latestMs = this.nowMs() - suspectWaitMs;
    return pools.some((pool) => (this.#suspectsSinceMs.get(pool) ?? latestMs + 1) <= latestMs);
  }

  /**
   * Whether an execution's next command may go straight to this worker: not beyond
   * `stickyCommandsMax` in a row while others wait in the pool.
   */
  mayStay(worker: string, id: ExecutionId, pool: string): boolean {
    const known = this.#streaks.get(id);
    const streak = known?.worker === worker ? known : { worker, count: 0 };
    if (streak.count >= stickyCommandsMax && this.#waiting.has(pool)) {
      this.#streaks.delete(id);
      return false;
    }
    streak.count += 1;
    this.#streaks.set(id, streak);
    return true;
  }
}
