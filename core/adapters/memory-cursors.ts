// Cursors of roles in memory: the reference for the stores that several processes share.

import type { Clock } from "#core/ports/clock";
import type { CursorHold, CursorStore } from "#core/ports/cursor-store";

interface Cursor {
  owner: string | undefined;
  fence: number;
  leaseUntilMs: number;
  position: string | undefined;
}

export function memoryCursors(clock: Pick<Clock, "nowMs">): CursorStore {
  const cursors = new Map<string, Cursor>();
  const heldBy = ({ name, owner, fence }: CursorHold): Cursor | undefined => {
    const cursor = cursors.get(name);
    return cursor?.owner === owner && cursor.fence === fence ? cursor : undefined;
  };
  return {
    take: async (name, owner, leaseMs) => {
      const known = cursors.get(name);
      const isHeld = known?.owner !== undefined && known.leaseUntilMs >= clock.nowMs();
      if (isHeld && known.owner !== owner) return undefined;
      const cursor: Cursor = {
        owner,
        fence: (known?.fence ?? 0) + 1,
        leaseUntilMs: clock.nowMs() + leaseMs,
        position: known?.position,
      };
      cursors.set(name, cursor);
      const { fence, position } = cursor;
      return { name, owner, fence, ...(position === undefined ? {} : { position }) };
    },
    renew: async (hold, leaseMs) => {
      const cursor = heldBy(hold);
      if (cursor !== undefined) cursor.leaseUntilMs = clock.nowMs() + leaseMs;
      return cursor !== undefined;
    },
    advance: async (hold, position) => {
      const cursor = heldBy(hold);
      if (cursor !== undefined) cursor.position = position;
      return cursor !== undefined;
    },
    release: async (hold) => {
      const cursor = heldBy(hold);
      if (cursor !== undefined) cursor.owner = undefined;
    },
    list: async () =>
      [...cursors]
        .map(([name, { owner, position, leaseUntilMs }]) => ({
          name,
          ...(owner === undefined ? {} : { owner }),
          ...(position === undefined ? {} : { position }),
          held: owner !== undefined && leaseUntilMs >= clock.nowMs(),
        }))
        .sort((a, b) => (a.name < b.name ? -1 : 1)),
  };
}
