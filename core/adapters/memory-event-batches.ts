// Batches of events in memory: the reference implementation of the port.

import type { Clock } from "#core/ports/clock";
import type { EventBatch, EventBatches } from "#core/ports/event-batches";

interface Kept {
  readonly batch: EventBatch;
  readonly madeAtMs: number;
}

/** No batches yet; their age is measured by the given clock. */
export function memoryEventBatches(clock: Pick<Clock, "nowMs">): EventBatches {
  const kept = new Map<string, Kept>();
  const withKey = (executionId: string, key: string): EventBatch | undefined => {
    for (const { batch } of kept.values()) {
      if (batch.executionId === executionId && batch.key === key) return batch;
    }
    return undefined;
  };
  return {
    begin: async (batch) => {
      const { executionId, key } = batch;
      const known = key === undefined ? undefined : withKey(executionId, key);
      if (known !== undefined) return known;
      kept.set(batch.requestId, { batch: { ...batch }, madeAtMs: clock.nowMs() });
      return { ...batch };
    },
    finish: async (requestId, eventIds) => {
      const known = kept.get(requestId);
      if (known === undefined) return;
      kept.set(requestId, { ...known, batch: { ...known.batch, eventIds: [...eventIds] } });
    },
    get: async (requestId) => kept.get(requestId)?.batch,
    purge: async (keptMs, limit) => {
      const old = [...kept.values()]
        .filter(({ madeAtMs }) => madeAtMs <= clock.nowMs() - keptMs)
        .slice(0, limit);
      for (const { batch } of old) kept.delete(batch.requestId);
      return old.length;
    },
  };
}
