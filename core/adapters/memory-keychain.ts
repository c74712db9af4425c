// Keychain entries in memory: the reference implementation of the port, for tests and for runs that
// keep nothing. A single process: whoever fetches is another caller of it.

import type { ExecutionId } from "#core/model/ids";
import type { Clock } from "#core/ports/clock";
import type { KeychainRow, KeychainStore, StoredKeychainRow } from "#core/ports/keychain-store";

interface Kept {
  row?: KeychainRow;
  createdAtMs: number;
  accessedAtMs?: number;
  accessCount: number;
  fetching?: { readonly by: string; readonly untilMs: number };
}

/** No entries yet; their time is measured by the given clock. */
export function memoryKeychain(clock: Pick<Clock, "nowMs">): KeychainStore {
  const entries = new Map<string, Kept>();
  const isExpired = (row: KeychainRow): boolean =>
    row.expiresAtMs !== undefined && row.expiresAtMs <= clock.nowMs();
  const isDue = (row: KeychainRow): boolean =>
    row.renewAtMs !== undefined && row.renewAtMs <= clock.nowMs();
  const told = (kept: Kept | undefined): StoredKeychainRow | undefined => {
    if (kept?.row === undefined) return undefined;
    const { row, createdAtMs, accessedAtMs, accessCount } = kept;
    const accessed = accessedAtMs === undefined ? {} : { accessedAtMs };
    return { ...row, expired: isExpired(row), createdAtMs, accessCount, ...accessed };
  };
  const put = (row: KeychainRow): void => {
    entries.set(row.cacheKey, { row, createdAtMs: clock.nowMs(), accessCount: 0 });
  };
  return {
    get: async (cacheKey) => told(entries.get(cacheKey)),
    begin: async (cacheKey, owner, holdMs) => {
      const kept = entries.get(cacheKey) ?? { createdAtMs: clock.nowMs(), accessCount: 0 };
      const { row, fetching } = kept;
      const isGood = row !== undefined && !isExpired(row);
      const isFree =
        fetching === undefined || fetching.by === owner || fetching.untilMs <= clock.nowMs();
      const stored = told(kept);
      if (isGood && stored !== undefined && !(isDue(row) && isFree)) return { row: stored };
      if (!isFree) return "wait";
      entries.set(cacheKey, {
        ...kept,
        fetching: { by: owner, untilMs: clock.nowMs() + holdMs },
      });
      return "yours";
    },
    finish: async (owner, row) => {
      if (entries.get(row.cacheKey)?.fetching?.by !== owner) return false;
      put(row);
      return true;
    },
    fail: async (cacheKey, owner) => {
      const kept = entries.get(cacheKey);
      if (kept?.fetching?.by !== owner) return;
      const { fetching: _, ...rest } = kept;
      if (rest.row === undefined) entries.delete(cacheKey);
      else entries.set(cacheKey, rest);
    },
    put: async (row) => put(row),
    remove: async (cacheKey) => {
      const was = entries.get(cacheKey)?.row !== undefined;
      entries.delete(cacheKey);
      return was;
    },
    touch: async (cacheKey, times) => {
      const kept = entries.get(cacheKey);
      if (kept?.row === undefined) return;
      kept.accessCount += times;
      kept.accessedAtMs = clock.nowMs();
    },
    purge: async (limit) => {
      const gone = [...entries].filter(([, kept]) => isGone(kept)).slice(0, limit);
      for (const [cacheKey] of gone) entries.delete(cacheKey);
      return gone.length;
    },
    ...ofOthers(entries, told),
  };

  function isGone({ row, fetching }: Kept): boolean {
    if (fetching !== undefined && fetching.untilMs > clock.nowMs()) return false;
    return row === undefined || isExpired(row);
  }
}

function ofOthers(
  entries: Map<string, Kept>,
  told: (kept: Kept) => StoredKeychainRow | undefined,
): Pick<KeychainStore, "ofCatalog" | "executions" | "removeOf"> {
  const boundTo = ({ row }: Kept): ExecutionId | undefined =>
    row?.executionId ?? row?.rootExecutionId;
  return {
    ofCatalog: async (catalogId) =>
      [...entries.values()]
        .flatMap((kept) => told(kept) ?? [])
        .filter((row) => row.catalogId === catalogId)
        .sort((a, b) => compared(a.name, b.name) || compared(a.cacheKey, b.cacheKey)),
    executions: async (after, limit) => {
      const ids = new Set([...entries.values()].flatMap((kept) => boundTo(kept) ?? []));
      const from = BigInt(after === "" ? "0" : after);
      return [...ids]
        .filter((id) => BigInt(id) > from)
        .sort((a, b) => (BigInt(a) < BigInt(b) ? -1 : 1))
        .slice(0, limit);
    },
    removeOf: async (executionId) => {
      const gone = [...entries].filter(([, kept]) => boundTo(kept) === executionId);
      for (const [cacheKey] of gone) entries.delete(cacheKey);
      return gone.length;
    },
  };
}

function compared(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
