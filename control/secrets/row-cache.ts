// Rows of credentials that were read a moment ago, sealed as they lie in the store: what is opened
// is never kept. What this process writes counts at once, what another one writes within seconds.

import { BoundedCache } from "#control/services/bounded-cache";
import { credentialsKeptMax, credentialsKeptMs } from "#core/model/secret-limits";
import type { CredentialRow, CredentialStore } from "#core/ports/credential-store";

interface Kept {
  readonly rows: readonly CredentialRow[];
  readonly untilMs: number;
}

export interface RowCache {
  /** One of the tenant's own, by name. */
  own(tenant: string, name: string): Promise<CredentialRow | undefined>;
  /** Those of others that allow the tenant. */
  shared(tenant: string, name: string): Promise<readonly CredentialRow[]>;
  /** To be called after every write. */
  forget(): void;
}

const caches = new WeakMap<CredentialStore, RowCache>();

/** The one cache over a store, for all that read and write it in this process. */
export function rowCacheOf(store: CredentialStore, nowMs: () => number): RowCache {
  const known = caches.get(store);
  if (known !== undefined) return known;
  const made = newCache(store, nowMs);
  caches.set(store, made);
  return made;
}

function newCache(store: CredentialStore, nowMs: () => number): RowCache {
  let kept = new BoundedCache<string, Kept>(credentialsKeptMax);
  // Rows are kept and not promises of them: where requests may not wait for each other they read twice.
  const read = async (
    key: string,
    ask: () => Promise<readonly CredentialRow[]>,
  ): Promise<readonly CredentialRow[]> => {
    const found = kept.get(key);
    if (found !== undefined && found.untilMs > nowMs()) return found.rows;
    const place = kept;
    const readAtMs = nowMs();
    const rows = await ask();
    // What isn't there is asked for again each time. What was read before a write is not kept.
    if (rows.length > 0) place.set(key, { rows, untilMs: readAtMs + credentialsKeptMs });
    return rows;
  };
  return {
    own: async (tenant, name) => {
      const key = JSON.stringify(["own", tenant, name]);
      const [row] = await read(key, async () => {
        const found = await store.get(tenant, name);
        return found === undefined ? [] : [found];
      });
      return row;
    },
    shared: (tenant, name) =>
      read(JSON.stringify(["shared", tenant, name]), () => store.shared(tenant, name)),
    forget: () => {
      kept = new BoundedCache<string, Kept>(credentialsKeptMax);
    },
  };
}
