// Request keys in memory: the reference implementation of the port, for tests, the simulator and
// runs that keep nothing.

import type { ExecutionId } from "#core/model/ids";
import type { Clock } from "#core/ports/clock";
import type { KeyRequest, RequestKeys, TakenKey } from "#core/ports/request-keys";

interface Kept {
  readonly executionId: ExecutionId;
  readonly expiresAtMs: number;
}

/** No keys yet; their time is measured by the given clock. */
export function memoryRequestKeys(clock: Pick<Clock, "nowMs">): RequestKeys {
  const keys = new Map<string, Kept>();

  const take = (place: string, { executionId, windowMs }: KeyRequest): TakenKey => {
    const nowMs = clock.nowMs();
    const known = keys.get(place);
    if (known !== undefined && known.expiresAtMs > nowMs) {
      return { executionId: known.executionId, isNew: known.executionId === executionId };
    }
    keys.set(place, { executionId, expiresAtMs: nowMs + windowMs });
    return { executionId, isNew: true };
  };

  return {
    take: async (requests) => {
      const seen = new Set<string>();
      return requests.map((request) => {
        const place = JSON.stringify([request.tenant, request.scope, request.key]);
        const taken = take(place, request);
        const isFirst = !seen.has(place);
        seen.add(place);
        return { ...taken, isNew: taken.isNew && isFirst };
      });
    },
    purge: async (limit) => {
      const nowMs = clock.nowMs();
      const gone = [...keys]
        .filter(([, { expiresAtMs }]) => expiresAtMs <= nowMs)
        .sort(([, left], [, right]) => left.expiresAtMs - right.expiresAtMs)
        .slice(0, limit);
      for (const [place] of gone) keys.delete(place);
      return gone.length;
    },
  };
}
