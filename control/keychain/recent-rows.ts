// Rows of the keychain's store as one process reads them: each is looked up once in a while, and
// that it was read is told together. With every command another read and another write, one entry that
// all commands use would be all that the database does.

import { BoundedCache } from "#control/services/bounded-cache";
import { messageOf } from "#core/model/fault";
import { keychainRowsKeptMax, keychainRowsKeptMs } from "#core/model/keychain-limits";
import type { Clock } from "#core/ports/clock";
import type { KeychainStore, StoredKeychainRow } from "#core/ports/keychain-store";

export interface RecentRows {
  /** The row while it is good; what another process did to it may take a moment to be seen. */
  good(cacheKey: string): Promise<StoredKeychainRow | undefined>;
  /** Notes that it was read. */
  note(cacheKey: string): void;
  /** After whatever this process did to it. */
  forget(cacheKey: string): void;
}

interface Recent {
  readonly row: StoredKeychainRow;
  readonly untilMs: number;
}

interface Reads {
  count: number;
  nextMs: number;
}

export interface RecentRowsParts {
  readonly store: KeychainStore;
  readonly clock: Pick<Clock, "nowMs">;
  readonly report: (message: string) => void;
}

export function recentRows({ store, clock, report }: RecentRowsParts): RecentRows {
  const rows = new BoundedCache<string, Recent>(keychainRowsKeptMax);
  const reads = new BoundedCache<string, Reads>(keychainRowsKeptMax);
  return {
    good: async (cacheKey) => {
      const nowMs = clock.nowMs();
      const recent = rows.get(cacheKey);
      if (recent !== undefined && recent.untilMs > nowMs) return recent.row;
      const row = await store.get(cacheKey);
      if (row === undefined || row.expired) return undefined;
      const { expiresAtMs = Number.POSITIVE_INFINITY } = row;
      rows.set(cacheKey, { row, untilMs: Math.min(nowMs + keychainRowsKeptMs, expiresAtMs) });
      return row;
    },
    note: (cacheKey) => {
      const read = reads.get(cacheKey) ?? { count: 0, nextMs: 0 };
      reads.set(cacheKey, read);
      read.count += 1;
      const nowMs = clock.nowMs();
      if (nowMs < read.nextMs) return;
      const { count } = read;
      read.count = 0;
      read.nextMs = nowMs + keychainRowsKeptMs;
      store.touch(cacheKey, count).catch((thrown: unknown) => {
        report(`the reading of a keychain entry could not be noted: ${messageOf(thrown)}`);
      });
    },
    forget: (cacheKey) => {
      rows.delete(cacheKey);
    },
  };
}
