// Whose an execution or an entry of the catalog is. Neither ever changes hands, so what was found
// once is known for good.

import { BoundedCache } from "#control/services/bounded-cache";
import { ownersKeptMax } from "#core/model/access-limits";
import { catalogId, executionId } from "#core/model/ids";
import type { CatalogStore } from "#core/ports/catalog-store";
import type { EventLog } from "#core/ports/event-log";

export type Owned = "execution" | "catalog";

/** Whether a thing is of a tenant; what doesn't exist is of none. */
export type Ownership = (kind: Owned, id: string, tenant: string) => Promise<boolean>;

export interface OwnershipStores {
  readonly log: Pick<EventLog, "head">;
  readonly catalog: Pick<CatalogStore, "byId">;
}

/** @param id a snowflake, as text. */
export function ownership({ log, catalog }: OwnershipStores): Ownership {
  const known = new BoundedCache<string, string>(ownersKeptMax);
  const find = async (kind: Owned, id: string): Promise<string | undefined> =>
    kind === "execution"
      ? (await log.head(executionId(id)))?.row.tenant
      : (await catalog.byId(catalogId(id)))?.tenant;
  return async (kind, id, tenant) => {
    const key = `${kind} ${id}`;
    const owner = known.get(key) ?? (await find(kind, id));
    if (owner === undefined) return false;
    known.set(key, owner);
    return owner === tenant;
  };
}
