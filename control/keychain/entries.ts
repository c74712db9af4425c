// Keychain entries as people and machines deal with them: looked at, put and forgotten by hand.

import { audited } from "#control/access/audit";
import type { ControlContext } from "#control/services/context";
import type { Principal } from "#core/model/access";
import { Fault } from "#core/model/fault";
import { type CatalogId, type ExecutionId, isSnowflake } from "#core/model/ids";
import type { JsonObject } from "#core/model/json";
import { keychainBytesMax } from "#core/model/keychain-limits";
import type { KeychainRow, KeychainScope, StoredKeychainRow } from "#core/ports/keychain-store";
import { keptEntries, noMasterKey } from "./kept.ts";
import { cacheKeyOf, checkName, rootOf } from "./places.ts";

export interface EntryAddress {
  readonly catalogId: string;
  readonly name: string;
  readonly scope: KeychainScope;
  readonly executionId?: ExecutionId | undefined;
}

/** Where an entry is kept, of which tenant that may be. */
export type EntryKey = Pick<
  KeychainRow,
  "cacheKey" | "tenant" | "name" | "scope" | "executionId" | "rootExecutionId"
> & { readonly catalogId: string };

/**
 * @throws Fault `not_found` for an entry of the catalog that isn't there, `invalid` for a scope
 * without its execution.
 */
export async function entryKey(
  context: ControlContext,
  { catalogId, name, scope, executionId }: EntryAddress,
): Promise<EntryKey> {
  checkName(name);
  const owner = isSnowflake(catalogId)
    ? await context.catalog.byId(catalogId as CatalogId)
    : undefined;
  if (owner === undefined) {
    throw new Fault("not_found", `catalog entry ${catalogId.slice(0, 80)} does not exist`);
  }
  if (scope !== "global" && executionId === undefined) {
    throw new Fault("invalid", `expected execution_id for scope ${scope}, found none`);
  }
  const root =
    scope === "shared" && executionId !== undefined
      ? await rootOf(context, executionId)
      : undefined;
  const { tenant } = owner;
  const boundTo = scope === "local" ? executionId : root;
  return {
    ...{ tenant, name, catalogId, scope },
    cacheKey: cacheKeyOf({ tenant, name, catalogId, scope, boundTo }),
    ...(scope === "local" && executionId !== undefined ? { executionId } : {}),
    ...(root === undefined ? {} : { rootExecutionId: root }),
  };
}

export interface NewEntry {
  readonly data: JsonObject;
  readonly kind: string;
  readonly cacheType: "token" | "secret";
  readonly ttlSeconds?: number | undefined;
  readonly autoRenew: boolean;
  readonly renew?: JsonObject | undefined;
}

/** @throws Fault `unavailable` without a master key, `too_large`. */
export async function putEntry(
  context: ControlContext,
  who: Principal,
  { key, entry }: { readonly key: EntryKey; readonly entry: NewEntry },
): Promise<StoredKeychainRow> {
  if (context.seals === undefined) {
    throw new Fault("unavailable", noMasterKey);
  }
  if (new TextEncoder().encode(JSON.stringify(entry.data)).length > keychainBytesMax) {
    throw new Fault("too_large", `expected an entry of at most ${keychainBytesMax} bytes`);
  }
  const { data, cacheType, renew, ...rest } = entry;
  const kept = keptEntries(context);
  const place = { ...key, ...rest, ...(renew === undefined ? {} : { renew }) };
  await kept.put(place, { values: data, cacheType });
  await note(context, who, { key, action: "keychain.put" });
  const row = await kept.store?.get(key.cacheKey);
  if (row === undefined) throw new Fault("conflict", `keychain entry ${key.name} is gone already`);
  return row;
}

/** The row, good or not; with its fields where they are asked for, which is noted first. */
export async function lookAt(
  context: ControlContext,
  who: Principal,
  { key, withData }: { readonly key: EntryKey; readonly withData: boolean },
): Promise<{ readonly row?: StoredKeychainRow; readonly data?: JsonObject }> {
  const kept = keptEntries(context);
  const row = await kept.store?.get(key.cacheKey);
  if (row === undefined || row.tenant !== key.tenant) return {};
  if (!withData || row.expired) return { row };
  await note(context, who, { key, action: "keychain.reveal" });
  const found = await kept.find(key);
  return found === undefined ? { row } : { row, data: found.values };
}

export async function forget(
  context: ControlContext,
  who: Principal,
  key: EntryKey,
): Promise<boolean> {
  const removed = await keptEntries(context).remove(key.cacheKey);
  if (removed) await note(context, who, { key, action: "keychain.delete" });
  return removed;
}

/** Whoever asks for fields and may not have them. */
export function refuseLook(context: ControlContext, who: Principal, key: EntryKey): Promise<void> {
  return note(context, who, { key, action: "keychain.reveal", outcome: "refused" });
}

interface Noted {
  readonly key: EntryKey;
  readonly action: string;
  readonly outcome?: "refused";
}

function note(context: ControlContext, who: Principal, { key, ...rest }: Noted): Promise<void> {
  const { catalogId, name, scope, tenant } = key;
  const object = `keychain/${catalogId}/${name}`;
  return audited(context, who, { ...rest, object, tenant, about: { scope } });
}
