// The catalog on a database. A version is chosen and stored in one statement; two that choose the
// same one race on the unique key, and the loser chooses again.

import { Fault } from "#core/model/fault";
import { catalogId, isSnowflake } from "#core/model/ids";
import type { JsonObject } from "#core/model/json";
import { registerTriesMax } from "#core/model/limits";
import type { CatalogEntry, CatalogStore } from "#core/ports/catalog-store";
import type { Sql } from "./sql.ts";

const columns = `catalog_id::text as catalog_id, tenant, path, version, kind, content,
  encode(digest, 'hex') as digest, meta::text as meta,
  (extract(epoch from created_at) * 1000)::float8 as created_ms`;

/** No row at all is the answer when another register took the version meanwhile. */
const registerSql = `
with newest as materialized (
  select * from noetl.catalog where tenant = $8::text and path = $2::text
  order by version desc limit 1),
added as (
  insert into noetl.catalog
    (catalog_id, tenant, path, version, kind, content, digest, meta, created_at)
  select $1::text::bigint, $8::text, $2::text, coalesce((select version from newest), 0) + 1,
    $3::text, $4::text, decode($5::text, 'hex'), $6::text::json, to_timestamp($7::float8 / 1000)
  where not exists (select from newest where digest = decode($5::text, 'hex'))
  on conflict (tenant, path, version) do nothing
  returning *)
select ${columns}, true as created from added
union all
select ${columns}, false as created from newest where digest = decode($5::text, 'hex')`;

const byIdSql = `select ${columns} from noetl.catalog where catalog_id = $1::text::bigint`;
const byVersionSql = `select ${columns} from noetl.catalog
where tenant = $1::text and path = $2::text and version = $3::bigint`;
const newestSql = `select ${columns} from noetl.catalog
where tenant = $1::text and path = $2::text order by version desc limit 1`;

const listSql = `select ${columns} from (
  select distinct on (c.path, c.tenant) c.* from noetl.catalog c
  where ($2::text is null or c.path = $2::text) and ($4::text is null or c.tenant = $4::text)
  order by c.path, c.tenant, c.version desc) newest
where $1::text is null or kind = $1::text
order by path, tenant limit $3::integer`;

interface CatalogRecord {
  readonly catalog_id: string;
  readonly tenant: string;
  readonly path: string;
  readonly version: number;
  readonly kind: string;
  readonly content: string;
  readonly digest: string;
  readonly meta: string;
  readonly created_ms: number;
}

const entryOf = (record: CatalogRecord): CatalogEntry => ({
  catalogId: catalogId(record.catalog_id),
  tenant: record.tenant,
  path: record.path,
  version: record.version,
  kind: record.kind,
  content: record.content,
  digest: record.digest,
  // Stored from a value of this type, by `register` alone.
  meta: JSON.parse(record.meta) as JsonObject,
  createdAtMs: record.created_ms,
});

/** The catalog on a migrated database. */
export function sqlCatalog(sql: Sql): CatalogStore {
  const one = async (text: string, values: readonly (string | number)[]) => {
    const [record] = await sql.query<CatalogRecord>(text, values);
    return record === undefined ? undefined : entryOf(record);
  };

  return {
    register: async (entry) => {
      const { tenant, path, kind, content, digest, meta, createdAtMs } = entry;
      const values = [
        ...[entry.catalogId, path, kind, content, digest, JSON.stringify(meta)],
        ...[createdAtMs, tenant],
      ];
      for (let tries = 0; tries < registerTriesMax; tries++) {
        const [record] = await sql.query<CatalogRecord & { created: boolean }>(registerSql, values);
        if (record !== undefined) return { entry: entryOf(record), created: record.created };
      }
      throw new Fault("unavailable", `${path} is being registered by too many at once`);
    },

    byId: async (id) => (isSnowflake(id) ? one(byIdSql, [id]) : undefined),
    byPath: (tenant, path, version) =>
      version === undefined
        ? one(newestSql, [tenant, path])
        : one(byVersionSql, [tenant, path, version]),

    list: async ({ tenant, kind, path, limit }) => {
      const values = [kind ?? null, path ?? null, limit, tenant ?? null];
      const records = await sql.query<CatalogRecord>(listSql, values);
      return records.map(entryOf);
    },
  };
}
