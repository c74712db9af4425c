// Hints within one process: each pool has a bounded queue, and its takers are asked in turn. What
// nobody has room for waits until one of them says that there may be room.

import { hintsWaitingMax } from "#core/model/bus-limits";
import type { CommandPointer, HintSubscription, HintTaker } from "#core/ports/bus";

export interface MemoryHints {
  hint(pool: string, pointer: CommandPointer): void;
  hints(pool: string, taker: HintTaker): HintSubscription;
  /** Hints that made room for newer ones. */
  lost(): number;
  close(): void;
}

interface Pool {
  readonly takers: Set<HintTaker>;
  queue: CommandPointer[];
}

/** @param onError told of a taker that threw; its hint is gone. */
export function memoryHints(onError?: (thrown: unknown, pool: string) => void): MemoryHints {
  const pools = new Map<string, Pool>();
  const waiting = new Set<string>();
  let scheduled = false;
  let closed = false;
  let lost = 0;

  const poolOf = (name: string): Pool => {
    let pool = pools.get(name);
    if (pool === undefined) {
      pool = { takers: new Set(), queue: [] };
      pools.set(name, pool);
    }
    return pool;
  };

  const offer = (taker: HintTaker, pointer: CommandPointer, name: string): boolean => {
    try {
      return taker.room() > 0 && taker.take(pointer);
    } catch (thrown) {
      onError?.(thrown, name);
      return true;
    }
  };

  /** The first who has room takes it, and goes to the end of the line. */
  const isTaken = (pool: Pool, pointer: CommandPointer, name: string): boolean => {
    for (const taker of [...pool.takers]) {
      if (!offer(taker, pointer, name)) continue;
      if (pool.takers.delete(taker)) pool.takers.add(taker);
      return true;
    }
    return false;
  };

  const handOver = (name: string): void => {
    const pool = poolOf(name);
    const due = pool.queue;
    pool.queue = [];
    const left = due.findIndex((pointer) => !isTaken(pool, pointer, name));
    if (left >= 0) pool.queue = [...due.slice(left), ...pool.queue];
  };

  const turn = (): void => {
    scheduled = false;
    const due = [...waiting];
    waiting.clear();
    for (const name of due) handOver(name);
  };

  const wake = (name: string): void => {
    if (closed || poolOf(name).queue.length === 0) return;
    waiting.add(name);
    if (scheduled) return;
    scheduled = true;
    setImmediate(turn);
  };

  return {
    hint: (name, pointer) => {
      if (closed) return;
      const { queue } = poolOf(name);
      if (queue.length >= hintsWaitingMax) {
        queue.shift();
        lost += 1;
      }
      queue.push(pointer);
      wake(name);
    },
    hints: (name, taker) => {
      const { takers } = poolOf(name);
      // A taker may subscribe twice; each subscription is its own.
      const own: HintTaker = { room: () => taker.room(), take: (pointer) => taker.take(pointer) };
      if (!closed) takers.add(own);
      wake(name);
      return { wake: () => wake(name), close: () => void takers.delete(own) };
    },
    lost: () => lost,
    close: () => {
      closed = true;
      pools.clear();
      waiting.clear();
    },
  };
}
