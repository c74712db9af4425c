// The catalog in memory: the reference implementation of the port, for tests, the simulator and
// runs that keep nothing.

import type { CatalogId } from "#core/model/ids";
import type { CatalogEntry, CatalogStore } from "#core/ports/catalog-store";

/** An empty catalog. */
export function memoryCatalog(): CatalogStore {
  const versions = new Map<string, CatalogEntry[]>();
  const place = (tenant: string, path: string): string => JSON.stringify([tenant, path]);
  const byId = new Map<CatalogId, CatalogEntry>();

  return {
    register: async (entry) => {
      const known = versions.get(place(entry.tenant, entry.path)) ?? [];
      const newest = known.at(-1);
      if (newest?.digest === entry.digest) return { entry: newest, created: false };
      const stored: CatalogEntry = {
        ...entry,
        version: (newest?.version ?? 0) + 1,
        meta: structuredClone(entry.meta),
      };
      versions.set(place(entry.tenant, entry.path), [...known, stored]);
      byId.set(stored.catalogId, stored);
      return { entry: stored, created: true };
    },
    byId: async (id) => byId.get(id),
    byPath: async (tenant, path, version) => {
      const known = versions.get(place(tenant, path)) ?? [];
      return version === undefined
        ? known.at(-1)
        : known.find((entry) => entry.version === version);
    },
    list: async ({ tenant, kind, path, limit }) =>
      [...versions.values()]
        .flatMap((known) => known.at(-1) ?? [])
        .filter((entry) => tenant === undefined || entry.tenant === tenant)
        .filter((entry) => kind === undefined || entry.kind === kind)
        .filter((entry) => path === undefined || entry.path === path)
        .sort((a, b) => {
          if (a.path !== b.path) return a.path < b.path ? -1 : 1;
          return a.tenant < b.tenant ? -1 : 1;
        })
        .slice(0, limit),
  };
}
