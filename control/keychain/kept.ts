// Resolved entries as they are kept: sealed in the store, or, where there is no master key, in the
// memory of this process if at all. Of any number that want one which isn't there, one fetches it.

import type { ControlContext } from "#control/services/context";
import { Fault, messageOf } from "#core/model/fault";
import type { JsonObject } from "#core/model/json";
import {
  keychainHoldMs,
  keychainLocalSeconds,
  keychainPollMs,
  keychainSecondsMax,
  keychainSharedSeconds,
  renewFraction,
  tokenMarginSeconds,
} from "#core/model/keychain-limits";
import type { KeychainRow, KeychainStore, StoredKeychainRow } from "#core/ports/keychain-store";
import type { SealedFor } from "#core/ports/seals";
import type { EntryValues } from "./entry-values.ts";
import { type RecentRows, recentRows } from "./recent-rows.ts";

/** Where an entry is kept, and what it is. */
export type KeptPlace = Pick<
  KeychainRow,
  "cacheKey" | "tenant" | "name" | "catalogId" | "scope" | "executionId" | "rootExecutionId"
> & {
  readonly kind: string;
  readonly autoRenew: boolean;
  readonly ttlSeconds?: number | undefined;
  readonly renew?: JsonObject;
};

export interface Kept {
  /** The values, fetched if they aren't there or have run out. */
  read(place: KeptPlace, fetch: () => Promise<EntryValues>): Promise<JsonObject>;
  /** The row and its values while it is good. */
  find(place: Pick<KeptPlace, "cacheKey" | "tenant">): Promise<FoundEntry | undefined>;
  put(place: KeptPlace, found: EntryValues): Promise<void>;
  remove(cacheKey: string): Promise<boolean>;
  /** Undefined where nothing is kept. */
  readonly store: KeychainStore | undefined;
}

export interface FoundEntry {
  readonly row: StoredKeychainRow;
  readonly values: JsonObject;
}

/** What is said to whoever wants something kept that can't be sealed. */
export const noMasterKey =
  "nothing secret is kept without a master key: set NOETL_MASTER_KEY or NOETL_MASTER_KEY_FILE";

const keptOf = new WeakMap<ControlContext, Kept>();

/** The same for all who ask in one process: they share what is under way. */
export function keptEntries(context: ControlContext): Kept {
  const known = keptOf.get(context) ?? openKept(context);
  keptOf.set(context, known);
  return known;
}

function openKept(context: ControlContext): Kept {
  const { seals, keychainOptions } = context;
  const store = seals === undefined ? keychainOptions?.unsealed : context.keychain;
  const sealing = store === undefined ? undefined : sealingOn(context, store);
  const flights = new Map<string, Promise<JsonObject>>();
  return {
    store,
    read: (place, fetch) => {
      const { cacheKey } = place;
      const start = async (): Promise<JsonObject> =>
        sealing === undefined ? (await fetch()).values : readOrFetch(sealing, place, fetch);
      const flight = flights.get(cacheKey) ?? start().finally(() => flights.delete(cacheKey));
      flights.set(cacheKey, flight);
      return flight;
    },
    find: async ({ cacheKey, tenant }) => {
      // What a step has put there a moment ago is what the next one reads, on any control plane.
      const row = await store?.get(cacheKey);
      if (sealing === undefined || row === undefined || row.expired) return undefined;
      // The key says whose it is; a row that says otherwise is nobody's.
      if (row.tenant !== tenant) return undefined;
      sealing.rows.note(cacheKey);
      return { row, values: await opened(sealing, row) };
    },
    put: async (place, found) => {
      if (sealing === undefined) throw new Fault("unavailable", noMasterKey);
      await sealing.store.put(await rowOf(sealing, place, found));
      sealing.rows.forget(place.cacheKey);
    },
    remove: async (cacheKey) => {
      const removed = (await store?.remove(cacheKey)) ?? false;
      sealing?.rows.forget(cacheKey);
      return removed;
    },
  };
}

interface Sealing {
  readonly context: ControlContext;
  readonly store: KeychainStore;
  readonly rows: RecentRows;
  /** Entries that are being fetched anew here, beside those who read them. */
  readonly renewing: Set<string>;
}

function sealingOn(context: ControlContext, store: KeychainStore): Sealing {
  const { clock, report } = context;
  const rows = recentRows({ store, clock, report });
  return { context, store, rows, renewing: new Set() };
}

async function readOrFetch(
  sealing: Sealing,
  place: KeptPlace,
  fetch: () => Promise<EntryValues>,
): Promise<JsonObject> {
  const { store, context, rows } = sealing;
  const { cacheKey } = place;
  const row = await rows.good(cacheKey);
  if (row !== undefined) {
    const { renewAtMs } = row;
    if (renewAtMs !== undefined && renewAtMs <= context.clock.nowMs()) {
      void renewed(sealing, place, fetch);
    }
    rows.note(cacheKey);
    return openedOrFetched(sealing, row, fetch);
  }
  const owner = crypto.randomUUID();
  const givenUpMs = context.clock.nowMs() + 2 * keychainHoldMs;
  for (;;) {
    const begun = await store.begin(cacheKey, owner, keychainHoldMs);
    if (begun === "yours") return fetched(sealing, place, { owner, fetch });
    if (begun !== "wait") return openedOrFetched(sealing, begun.row, fetch);
    if (context.clock.nowMs() >= givenUpMs) {
      throw new Fault(
        "unavailable",
        "another control plane fetches it, and has not come to an end",
      );
    }
    await context.clock.sleep(keychainPollMs);
  }
}

/** Where the key that has sealed it is not at hand, whoever asks has it fetched for themselves. */
async function openedOrFetched(
  sealing: Sealing,
  row: KeychainRow,
  fetch: () => Promise<EntryValues>,
): Promise<JsonObject> {
  try {
    return await opened(sealing, row);
  } catch (thrown) {
    if (!(thrown instanceof Fault && thrown.code === "unavailable")) throw thrown;
    sealing.context.report(`keychain entry ${row.name} can't be opened: ${thrown.message}`);
    return (await fetch()).values;
  }
}

interface Fetching {
  readonly owner: string;
  readonly fetch: () => Promise<EntryValues>;
}

async function fetched(
  sealing: Sealing,
  place: KeptPlace,
  { owner, fetch }: Fetching,
): Promise<JsonObject> {
  try {
    const found = await fetch();
    await sealing.store.finish(owner, await rowOf(sealing, place, found));
    sealing.rows.forget(place.cacheKey);
    return found.values;
  } catch (thrown) {
    await sealing.store.fail(place.cacheKey, owner).catch(() => undefined);
    throw thrown;
  }
}

/** Beside whoever asked, who has the old one. Where it fails the next try comes after the hold. */
async function renewed(
  sealing: Sealing,
  place: KeptPlace,
  fetch: () => Promise<EntryValues>,
): Promise<void> {
  const { store, context, rows, renewing } = sealing;
  const { cacheKey } = place;
  if (renewing.has(cacheKey)) return;
  renewing.add(cacheKey);
  try {
    const owner = crypto.randomUUID();
    if ((await store.begin(cacheKey, owner, keychainHoldMs)) !== "yours") return;
    await store.finish(owner, await rowOf(sealing, place, await fetch()));
  } catch (thrown) {
    context.report(`keychain entry ${place.name} could not be renewed: ${messageOf(thrown)}`);
  } finally {
    renewing.delete(cacheKey);
    rows.forget(cacheKey);
  }
}

function boundTo({ tenant, cacheKey }: Pick<KeychainRow, "tenant" | "cacheKey">): SealedFor {
  return { kind: "keychain", tenant, name: cacheKey };
}

async function opened({ context: { seals } }: Sealing, row: KeychainRow): Promise<JsonObject> {
  const text = seals === undefined ? row.sealed : await seals.open(row.sealed, boundTo(row));
  // Only `rowOf` seals, and only a map.
  return JSON.parse(text) as JsonObject;
}

async function rowOf(
  { context: { seals, clock } }: Sealing,
  { ttlSeconds, ...place }: KeptPlace,
  { values, cacheType, expiresInSeconds }: EntryValues,
): Promise<KeychainRow> {
  const lifeMs = lifeSeconds({ ttlSeconds, expiresInSeconds, scope: place.scope }) * 1_000;
  const expiresAtMs = clock.nowMs() + lifeMs;
  const text = JSON.stringify(values);
  return {
    ...place,
    cacheType,
    sealed: seals === undefined ? text : await seals.seal(text, boundTo(place)),
    kid: seals?.current ?? "process",
    expiresAtMs,
    ...(place.autoRenew ? { renewAtMs: expiresAtMs - Math.floor(lifeMs * renewFraction) } : {}),
  };
}

interface Life {
  readonly ttlSeconds?: number | undefined;
  readonly expiresInSeconds?: number | undefined;
  readonly scope: KeychainRow["scope"];
}

/**
 * What the entry says, else what its provider says, else by scope (language reference §6); never
 * beyond what the provider says: nobody is given a token that has run out.
 */
export function lifeSeconds({ ttlSeconds, expiresInSeconds, scope }: Life): number {
  const byScope = scope === "local" ? keychainLocalSeconds : keychainSharedSeconds;
  const margin = Math.min(tokenMarginSeconds, (expiresInSeconds ?? 0) / 2);
  const told = expiresInSeconds === undefined ? undefined : expiresInSeconds - margin;
  const wanted = ttlSeconds ?? told ?? byScope;
  return Math.max(1, Math.min(wanted, told ?? wanted, keychainSecondsMax));
}
