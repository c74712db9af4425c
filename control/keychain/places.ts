// Where resolved entries are kept: under the tenant, the entry's name, the version of the playbook,
// and what the scope says besides.

import { BoundedCache } from "#control/services/bounded-cache";
import type { ControlContext } from "#control/services/context";
import { Fault } from "#core/model/fault";
import type { CommandId, ExecutionId } from "#core/model/ids";
import { keychainNameCharsMax } from "#core/model/keychain-limits";
import { childDepthMax, planCacheEntriesMax } from "#core/model/limits";
import { storableText } from "#core/model/storable-text";
import type { KeychainScope } from "#core/ports/keychain-store";

export interface EntryPlace {
  readonly tenant: string;
  readonly name: string;
  readonly catalogId: string;
  readonly scope: KeychainScope;
  /** The execution or a command of it (local), or the root of its tree (shared). */
  readonly boundTo?: ExecutionId | CommandId | undefined;
}

/** The key of the older stores (language reference §6), with the tenant before it. */
export function cacheKeyOf({
  tenant,
  name,
  catalogId,
  scope,
  boundTo = "" as ExecutionId,
}: EntryPlace) {
  const last = { local: boundTo, shared: `shared:${boundTo}`, global: "global" }[scope];
  return `${tenant}/${name}:${catalogId}:${last}`;
}

/** @throws Fault `invalid` for what no store takes as a name. */
export function checkName(name: string): void {
  if (name !== "" && name.length <= keychainNameCharsMax && name === storableText(name)) return;
  throw new Fault("invalid", `expected a name of 1 to ${keychainNameCharsMax} plain characters`);
}

const roots = new WeakMap<ControlContext, BoundedCache<ExecutionId, ExecutionId>>();

/** The execution that an execution's tree began with; that never changes. */
export async function rootOf(context: ControlContext, id: ExecutionId): Promise<ExecutionId> {
  const known = roots.get(context) ?? new BoundedCache(planCacheEntriesMax);
  roots.set(context, known);
  const found = known.get(id);
  if (found !== undefined) return found;
  let root = id;
  for (let depth = 0; depth <= childDepthMax; depth++) {
    const parent = (await context.log.head(root))?.row.parentId;
    if (parent === undefined) break;
    root = parent;
  }
  known.set(id, root);
  return root;
}
