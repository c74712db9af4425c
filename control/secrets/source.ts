// Where the credentials of commands come from: the tenant's own sealed ones, then those that other
// tenants share with it, then what an operator has put into a file. Opened for this one use.

import type { CredentialAsk, CredentialSource } from "#control/services/context";
import { Fault } from "#core/model/fault";
import { isJsonObject, type JsonObject } from "#core/model/json";
import type { CredentialRecord } from "#core/ports/control-plane";
import type { CredentialRow, CredentialStore } from "#core/ports/credential-store";
import type { Seals } from "#core/ports/seals";
import { mayUse } from "./allowed.ts";
import { rowCacheOf } from "./row-cache.ts";

export interface VaultOptions {
  readonly vault: CredentialStore;
  /** Without them what is sealed can't be opened. */
  readonly seals: Seals | undefined;
  readonly nowMs: () => number;
  /** For aliases that nobody has stored. */
  readonly next: CredentialSource;
}

/**
 * A source over the store and the one behind it.
 * @throws (from its calls) Fault `forbidden` for what the playbook or the pool may not use,
 * `unavailable` when the key is not at hand.
 */
export function vaultCredentials({ vault, seals, nowMs, next }: VaultOptions): CredentialSource {
  const cache = rowCacheOf(vault, nowMs);
  return async (alias, ask) => {
    // Who doesn't say for what it is gets nothing that is somebody's.
    if (ask === undefined) return next(alias);
    const own = await cache.own(ask.tenant, alias);
    if (own !== undefined) {
      if (!mayUse(own.allow, ask)) throw notFor(alias, ask);
      return recordOf(own, seals);
    }
    const shared = await cache.shared(ask.tenant, alias);
    const usable = shared.find(({ allow }) => mayUse(allow, ask));
    if (usable !== undefined) return recordOf(usable, seals);
    if (shared.length > 0) throw notFor(alias, ask);
    return next(alias, ask);
  };
}

function notFor(alias: string, { path }: CredentialAsk): Fault {
  return new Fault("forbidden", `credential ${alias} is not for playbook ${path}`);
}

async function recordOf(row: CredentialRow, seals: Seals | undefined): Promise<CredentialRecord> {
  if (seals === undefined) {
    throw new Fault("unavailable", `credential ${row.name} is sealed, and there is no master key`);
  }
  return { name: row.name, type: row.type, data: await openRow(row, seals) };
}

/** @throws Fault `unavailable` or `internal`, as `Seals.open`. */
export async function openRow(row: CredentialRow, seals: Seals): Promise<JsonObject> {
  const { tenant, name, sealed } = row;
  const data: unknown = JSON.parse(await seals.open(sealed, { kind: "credential", tenant, name }));
  if (isJsonObject(data)) return data;
  throw new Fault("internal", `credential ${name}: expected a map to be sealed`);
}
