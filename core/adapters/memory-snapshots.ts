// Snapshots in memory: the reference implementation of the port.

import type { ExecutionId } from "#core/model/ids";
import type { Snapshot, SnapshotStore } from "#core/ports/snapshot-store";

/** An empty store of snapshots. */
export function memorySnapshots(): SnapshotStore {
  const byId = new Map<ExecutionId, Snapshot>();
  const isOlder = (known: Snapshot, next: Snapshot): boolean =>
    known.seq < next.seq || known.engine !== next.engine || known.schema !== next.schema;

  return {
    put: async (snapshot) => {
      const known = byId.get(snapshot.executionId);
      if (known === undefined || isOlder(known, snapshot)) {
        byId.set(snapshot.executionId, { ...snapshot });
      }
    },
    latest: async (id) => byId.get(id),
    remove: async (ids) => {
      for (const id of ids) byId.delete(id);
    },
  };
}
