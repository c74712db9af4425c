// The catalog on a database. A version is chosen and stored in one statement; two that choose the
// same one race on the unique key, and the loser chooses again.

import { Fault } from "#core/model/fault";
import { type CatalogId, catalogId, isSnowflake } from "#core/model/ids";
import type { JsonObject } from "#core/model/json";
import { registerTriesMax } from "#core/model/limits";
import type {
  CatalogEntry,
  CatalogFilter,
  CatalogPlace,
  CatalogStore,
  CatalogSummary,
  NewCatalogEntry,
} from "#core/ports/catalog-store";
import type { Sql } from "./sql.ts";

const summaryColumns = `catalog_id::text as catalog_id, tenant, path, version, kind,
  encode(digest, 'hex') as digest, meta::text as meta,
  (extract(epoch from created_at) * 1000)::float8 as created_ms,
  (extract(epoch from archived_at) * 1000)::float8 as archived_ms, archived_by`;
const columns = `${summaryColumns}, content`;

/** No row at all is the answer when another register took the version meanwhile. */
const registerSql = `
with newest as materialized (
  select * from noetl.catalog where tenant = $8::text and path = $2::text
  order by version desc limit 1),
added as (
  insert into noetl.catalog
    (catalog_id, tenant, path, version, kind, content, digest, meta, created_at,
     words, capabilities, agent, exposed)
  select $1::text::bigint, $8::text, $2::text, coalesce((select version from newest), 0) + 1,
    $3::text, $4::text, decode($5::text, 'hex'), $6::text::json, to_timestamp($7::float8 / 1000),
    $9::text, $10::text::jsonb, $11::text::boolean, $12::text::boolean
  where not exists (select from newest where digest = decode($5::text, 'hex'))
  on conflict (tenant, path, version) do nothing
  returning *),
older as (
  update noetl.catalog set listed = false
  where tenant = $8::text and path = $2::text and listed
    and version < (select version from added)),
restored as (
  update noetl.catalog set archived_at = null, archived_by = null
  where catalog_id = (select catalog_id from newest
    where digest = decode($5::text, 'hex') and archived_at is not null)
  returning *)
select ${columns}, true as created, false as restored from added
union all
select ${columns}, false as created, true as restored from restored
union all
select ${columns}, false as created, false as restored from newest
where digest = decode($5::text, 'hex') and archived_at is null`;

const byIdSql = `select ${columns} from noetl.catalog where catalog_id = $1::text::bigint`;
const byVersionSql = `select ${columns} from noetl.catalog
where tenant = $1::text and path = $2::text and version = $3::bigint`;
/** What is put away is looked at only where nothing else is found. */
const newestSql = `select ${columns} from noetl.catalog
where catalog_id = coalesce(
  (select catalog_id from noetl.catalog
    where tenant = $1::text and path = $2::text and archived_at is null
    order by version desc limit 1),
  (select catalog_id from noetl.catalog
    where tenant = $1::text and path = $2::text order by version desc limit 1))`;

const versionsSql = `select ${summaryColumns} from noetl.catalog
where tenant = $1::text and path = $2::text and ($3::text is null or version < $3::text::bigint)
order by version desc limit $4::integer`;

const contentsSql = `select catalog_id::text as catalog_id, content from noetl.catalog
where catalog_id in (select id::bigint from json_array_elements_text($1::text::json) id)`;

/** Any version of the path may be the one to be listed then: which one is, is seen when listing. */
const changeSql = (change: string, isOpen: string): string => `
with changed as (
  update noetl.catalog set ${change}, listed = true
  where tenant = $1::text and path = $2::text
    and ($3::text is null or version = $3::text::bigint) and ${isOpen}
  returning catalog_id, version),
others as (
  update noetl.catalog set listed = true
  where tenant = $1::text and path = $2::text and not listed and exists (select from changed)
    and catalog_id not in (select catalog_id from changed))
select catalog_id::text as catalog_id, version from changed`;

const archiveSql = changeSql(
  "archived_at = to_timestamp($4::float8 / 1000), archived_by = $5::text",
  "archived_at is null",
);
const restoreSql = changeSql("archived_at = null, archived_by = null", "archived_at is not null");

interface SummaryRecord {
  readonly catalog_id: string;
  readonly tenant: string;
  readonly path: string;
  readonly version: number;
  readonly kind: string;
  readonly digest: string;
  readonly meta: string;
  readonly created_ms: number;
  readonly archived_ms: number | null;
  readonly archived_by: string | null;
}

type EntryRecord = SummaryRecord & { readonly content: string };
type RegisterRecord = EntryRecord & { readonly created: boolean; readonly restored: boolean };
type VersionRecord = Pick<SummaryRecord, "catalog_id" | "version">;

const summaryOf = (record: SummaryRecord): CatalogSummary => ({
  catalogId: catalogId(record.catalog_id),
  tenant: record.tenant,
  path: record.path,
  version: record.version,
  kind: record.kind,
  digest: record.digest,
  // Stored from a value of this type, by `register` alone.
  meta: JSON.parse(record.meta) as JsonObject,
  createdAtMs: record.created_ms,
  ...(record.archived_ms === null ? {} : { archivedAtMs: record.archived_ms }),
  ...(record.archived_by === null ? {} : { archivedBy: record.archived_by }),
});

const entryOf = (record: EntryRecord): CatalogEntry => ({
  ...summaryOf(record),
  content: record.content,
});

/** The catalog on a migrated database. */
export function sqlCatalog(sql: Sql): CatalogStore {
  const one = async (text: string, values: readonly (string | number)[]) => {
    const [record] = await sql.query<EntryRecord>(text, values);
    return record === undefined ? undefined : entryOf(record);
  };
  const versionsOf = async (text: string, values: readonly (string | number | null)[]) => {
    const records = await sql.query<VersionRecord>(text, values);
    return records
      .map(({ catalog_id: id, version }) => ({ catalogId: catalogId(id), version }))
      .sort((a, b) => a.version - b.version);
  };

  return {
    register: async (entry) => {
      const values = registerValues(entry);
      for (let tries = 0; tries < registerTriesMax; tries++) {
        const [record] = await sql.query<RegisterRecord>(registerSql, values);
        if (record === undefined) continue;
        const { created, restored } = record;
        return { entry: entryOf(record), created, restored };
      }
      throw new Fault("unavailable", `${entry.path} is being registered by too many at once`);
    },

    byId: async (id) => (isSnowflake(id) ? one(byIdSql, [id]) : undefined),
    byPath: (tenant, path, version) =>
      version === undefined
        ? one(newestSql, [tenant, path])
        : one(byVersionSql, [tenant, path, version]),

    list: async (filter) => {
      const { text, values } = listStatement(filter);
      return (await sql.query<SummaryRecord>(text, values)).map(summaryOf);
    },
    versions: async ({ tenant, path }, { before, limit }) => {
      const values = [tenant, path, before === undefined ? null : String(before), limit];
      return (await sql.query<SummaryRecord>(versionsSql, values)).map(summaryOf);
    },
    contents: async (ids) => {
      const known = JSON.stringify(ids.filter(isSnowflake));
      const records = await sql.query<{ catalog_id: string; content: string }>(contentsSql, [
        known,
      ]);
      return new Map<CatalogId, string>(
        records.map(({ catalog_id: id, content }) => [catalogId(id), content]),
      );
    },

    archive: (place, { who, atMs }) => versionsOf(archiveSql, [...placeValues(place), atMs, who]),
    restore: (place) => versionsOf(restoreSql, placeValues(place)),
  };
}

function registerValues(entry: NewCatalogEntry): readonly (string | number)[] {
  const { tenant, path, kind, content, digest, meta, createdAtMs, found } = entry;
  return [
    ...[entry.catalogId, path, kind, content, digest, JSON.stringify(meta)],
    ...[createdAtMs, tenant, found?.words ?? path.toLowerCase()],
    JSON.stringify(found?.capabilities ?? []),
    ...[String(found?.isAgent === true), String(found?.isExposed === true)],
  ];
}

/**
 * The version of its path that lists show: the newest that isn't put away, or else the newest. A
 * subquery of its own for each row that is left: a join would look at all versions of all paths.
 */
const isShown = `catalog_id = coalesce(
  (select n.catalog_id from noetl.catalog n
    where n.tenant = c.tenant and n.path = c.path and n.archived_at is null
    order by n.version desc limit 1),
  (select n.catalog_id from noetl.catalog n
    where n.tenant = c.tenant and n.path = c.path order by n.version desc limit 1))`;

/** Only what is asked for stands in it, so that each question finds its index. */
function listStatement(filter: CatalogFilter) {
  const values: string[] = [];
  const bound = (value: string): string => `$${values.push(value)}::text`;
  const where: string[] = [];
  const { tenant, kind, path, prefix, after, capabilities = [], terms = [] } = filter;
  if (tenant !== undefined) where.push(`tenant = ${bound(tenant)}`);
  if (path !== undefined) where.push(`path = ${bound(path)}`);
  if (prefix !== undefined) where.push(`starts_with(path, ${bound(prefix)})`);
  if (after !== undefined) where.push(`path > ${bound(after)}`);
  if (kind !== undefined) where.push(`kind = ${bound(kind)}`);
  if (filter.isAgent === true) where.push("agent");
  if (filter.isExposed === true) where.push("exposed");
  if (capabilities.length > 0) {
    where.push(`capabilities @> ${bound(JSON.stringify(capabilities))}::jsonb`);
  }
  for (const term of terms) where.push(`position(${bound(term)} in words) > 0`);
  if (filter.withArchived !== true) where.push("archived_at is null");
  const limit = `${bound(String(filter.limit))}::integer`;
  const text = `select ${summaryColumns} from noetl.catalog c
where listed and ${[...where, isShown].join("\n  and ")}
order by path, tenant limit ${limit}`;
  return { text, values };
}

function placeValues({ tenant, path, version }: CatalogPlace): readonly (string | null)[] {
  return [tenant, path, version === undefined ? null : String(version)];
}
