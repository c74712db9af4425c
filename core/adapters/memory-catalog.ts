// The catalog in memory: the reference implementation of the port, for tests, the simulator and
// runs that keep nothing.

import type { CatalogId } from "#core/model/ids";
import type {
  CatalogEntry,
  CatalogFilter,
  CatalogPlace,
  CatalogStore,
  CatalogSummary,
  CatalogVersion,
  FoundBy,
  NewCatalogEntry,
} from "#core/ports/catalog-store";

interface Kept {
  readonly entry: CatalogEntry;
  readonly found: FoundBy;
}

/** An empty catalog. */
export function memoryCatalog(): CatalogStore {
  /** By place, versions ascending. */
  const paths = new Map<string, readonly Kept[]>();
  const byId = new Map<CatalogId, Kept>();
  const placeOf = (tenant: string, path: string): string => JSON.stringify([tenant, path]);
  const versionsOf = (tenant: string, path: string) => paths.get(placeOf(tenant, path)) ?? [];

  const replace = (kept: Kept): void => {
    const { catalogId, tenant, path } = kept.entry;
    const changed = versionsOf(tenant, path).map((each) =>
      each.entry.catalogId === catalogId ? kept : each,
    );
    paths.set(placeOf(tenant, path), changed);
    byId.set(catalogId, kept);
  };
  const chosen = ({ tenant, path, version }: CatalogPlace): readonly Kept[] =>
    versionsOf(tenant, path).filter(
      ({ entry }) => version === undefined || entry.version === version,
    );

  return {
    register: async (added) => {
      const known = versionsOf(added.tenant, added.path);
      const newest = known.at(-1);
      if (newest?.entry.digest === added.digest) {
        const restored = isArchived(newest);
        const kept = { ...newest, entry: restoredEntry(newest.entry) };
        if (restored) replace(kept);
        return { entry: kept.entry, created: false, restored };
      }
      const kept = keptOf(added, (newest?.entry.version ?? 0) + 1);
      paths.set(placeOf(added.tenant, added.path), [...known, kept]);
      byId.set(added.catalogId, kept);
      return { entry: kept.entry, created: true, restored: false };
    },
    byId: async (id) => byId.get(id)?.entry,
    byPath: async (tenant, path, version) => {
      const known = versionsOf(tenant, path);
      if (version === undefined) return newestOf(known)?.entry;
      return known.find(({ entry }) => entry.version === version)?.entry;
    },
    list: async (filter) =>
      [...paths.values()]
        .flatMap((known) => listed(known, filter) ?? [])
        .map(({ entry }) => entry)
        .sort((a, b) => (a.path === b.path ? order(a.tenant, b.tenant) : order(a.path, b.path)))
        .slice(0, filter.limit)
        .map(summaryOf),
    versions: async ({ tenant, path }, { before = Number.POSITIVE_INFINITY, limit }) =>
      versionsOf(tenant, path)
        .filter(({ entry }) => entry.version < before)
        .reverse()
        .slice(0, limit)
        .map(({ entry }) => summaryOf(entry)),
    contents: async (ids) =>
      new Map(
        ids.flatMap((id) => {
          const content = byId.get(id)?.entry.content;
          return content === undefined ? [] : [[id, content]];
        }),
      ),
    archive: async (place, { who, atMs }) => {
      const archived = chosen(place).filter((kept) => !isArchived(kept));
      for (const kept of archived) {
        replace({ ...kept, entry: { ...kept.entry, archivedAtMs: atMs, archivedBy: who } });
      }
      return archived.map(versionOf);
    },
    restore: async (place) => {
      const archived = chosen(place).filter(isArchived);
      for (const kept of archived) replace({ ...kept, entry: restoredEntry(kept.entry) });
      return archived.map(versionOf);
    },
  };
}

function keptOf({ found, ...added }: NewCatalogEntry, version: number): Kept {
  return {
    entry: { ...added, version, meta: structuredClone(added.meta) },
    found: found ?? {
      words: added.path.toLowerCase(),
      capabilities: [],
      isAgent: false,
      isExposed: false,
    },
  };
}

/** The one of a path that a list shows, if it is one that is asked for. */
function listed(known: readonly Kept[], filter: CatalogFilter): Kept | undefined {
  const { withArchived = false } = filter;
  const newest = newestOf(known);
  if (newest === undefined || (isArchived(newest) && !withArchived)) return undefined;
  return isAsked(newest, filter) ? newest : undefined;
}

function isAsked({ entry, found }: Kept, filter: CatalogFilter): boolean {
  const { tenant, kind, path, prefix = "", terms = [], capabilities = [], after } = filter;
  return (
    (tenant === undefined || entry.tenant === tenant) &&
    (kind === undefined || entry.kind === kind) &&
    (path === undefined || entry.path === path) &&
    entry.path.startsWith(prefix) &&
    (after === undefined || entry.path > after) &&
    terms.every((term) => found.words.includes(term)) &&
    capabilities.every((each) => found.capabilities.includes(each)) &&
    (filter.isAgent !== true || found.isAgent) &&
    (filter.isExposed !== true || found.isExposed)
  );
}

function newestOf(known: readonly Kept[]): Kept | undefined {
  return known.findLast((kept) => !isArchived(kept)) ?? known.at(-1);
}

function isArchived({ entry }: Kept): boolean {
  return entry.archivedAtMs !== undefined;
}

function restoredEntry({ archivedAtMs: _at, archivedBy: _by, ...entry }: CatalogEntry) {
  return entry;
}

function summaryOf({ content: _content, ...summary }: CatalogEntry): CatalogSummary {
  return summary;
}

function versionOf({ entry: { catalogId, version } }: Kept): CatalogVersion {
  return { catalogId, version };
}

function order(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
