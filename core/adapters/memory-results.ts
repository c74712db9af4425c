// Results in memory: the reference implementation of the port, for tests, the simulator and runs
// that keep nothing.

import type { ResultStore, StoredResult } from "#core/ports/result-store";

/** An empty result store. */
export function memoryResults(): ResultStore {
  const byRef = new Map<string, StoredResult>();
  const copyOf = (result: StoredResult): StoredResult => ({
    ...result,
    bytes: result.bytes.slice(),
  });

  return {
    put: async (result) => {
      if (!byRef.has(result.ref)) byRef.set(result.ref, copyOf(result));
    },
    get: async (ref) => {
      const found = byRef.get(ref);
      return found === undefined ? undefined : copyOf(found);
    },
    list: async (prefix, limit) =>
      [...byRef.values()]
        .filter(({ ref }) => ref.startsWith(prefix))
        .sort((a, b) => (a.ref < b.ref ? -1 : 1))
        .slice(0, limit)
        .map(({ ref, bytes }) => ({ ref, bytes: bytes.byteLength })),
    remove: async (refs) => {
      for (const ref of refs) byRef.delete(ref);
    },
  };
}
