// Entries of the catalog as answers show them.

import type { CatalogEntry, CatalogSummary, CatalogVersion } from "#core/ports/catalog-store";

/** One version without its text. */
export function summaryView(entry: CatalogSummary) {
  return { ...versionView(entry), path: entry.path, meta: { ...entry.meta } };
}

export function entryView(entry: CatalogEntry) {
  return { ...summaryView(entry), content: entry.content };
}

/** One version among others of its path. */
export function versionView(entry: CatalogSummary) {
  const { archivedAtMs, archivedBy } = entry;
  return {
    catalog_id: entry.catalogId,
    version: entry.version,
    kind: entry.kind,
    digest: entry.digest,
    created_at: new Date(entry.createdAtMs).toISOString(),
    ...(archivedAtMs === undefined ? {} : { archived_at: new Date(archivedAtMs).toISOString() }),
    ...(archivedBy === undefined ? {} : { archived_by: archivedBy }),
  };
}

/** A page of a list, and where the next one begins. */
export function listView(entries: readonly CatalogSummary[], limit: number) {
  const last = entries.length < limit ? undefined : entries.at(-1);
  return { entries: entries.map(summaryView), next_after: last?.path ?? null };
}

export function shortVersions(versions: readonly CatalogVersion[]) {
  return versions.map(({ catalogId, version }) => ({ catalog_id: catalogId, version }));
}
