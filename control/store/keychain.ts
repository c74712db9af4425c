// Keychain entries on a database; their time is measured by its clock. What is kept is sealed: the
// table takes nothing else.

import { type ExecutionId, executionId } from "#core/model/ids";
import type { JsonObject } from "#core/model/json";
import type { KeychainRow, KeychainStore, StoredKeychainRow } from "#core/ports/keychain-store";
import type { Sql, SqlValue } from "./sql.ts";

const columns = `k.cache_key, k.tenant, k.name, k.catalog_id::text as catalog_id, k.scope,
  k.execution_id::text as execution_id, k.root_execution_id::text as root_execution_id, k.kind,
  k.cache_type, k.sealed, k.kid, (extract(epoch from k.expires_at) * 1000)::float8 as expires_ms,
  (extract(epoch from k.renew_at) * 1000)::float8 as renew_ms, k.auto_renew,
  k.renew::text as renew, coalesce(k.expires_at <= now(), false) as expired,
  (extract(epoch from k.created_at) * 1000)::float8 as created_ms,
  (extract(epoch from k.accessed_at) * 1000)::float8 as accessed_ms,
  k.access_count::float8 as access_count`;

/** The values of `rowOf`, from the parameters from `$2` on. */
const given = `$2::text, $3::text, $4::bigint, $5::text, $6::bigint, $7::bigint, $8::text, $9::text,
  $10::text, $11::text, to_timestamp($12::float8 / 1000), to_timestamp($13::float8 / 1000),
  $14::boolean, $15::text::json`;
const written = `tenant, name, catalog_id, scope, execution_id, root_execution_id, kind, cache_type,
  sealed, kid, expires_at, renew_at, auto_renew, renew`;

/** Whoever takes the right to fetch writes the row; the rest of the statement sees it as it was. */
const beginSql = `
with took as (
  insert into noetl.keychain as k (cache_key, fetching_by, fetching_until)
  values ($1::text, $2::text, now() + $3::float8 * interval '1 millisecond')
  on conflict (cache_key) do update set
    fetching_by = excluded.fetching_by, fetching_until = excluded.fetching_until
  where (k.sealed is null or k.expires_at <= now() or k.renew_at <= now())
    and (k.fetching_until is null or k.fetching_until <= now() or k.fetching_by = $2::text)
  returning 1)
select exists (select from took) as yours, ${columns}
from (select 1) one
left join noetl.keychain k on k.cache_key = $1::text and k.sealed is not null
  and coalesce(k.expires_at > now(), true)`;

const finishSql = `
update noetl.keychain k set (${written}) = (select ${given}), fetching_by = null,
  fetching_until = null, revision = k.revision + 1, created_at = now(), accessed_at = null,
  access_count = 0
where k.cache_key = $1::text and k.fetching_by = $16::text
returning 1`;

const failSql = `
with free as (
  update noetl.keychain set fetching_by = null, fetching_until = null
  where cache_key = $1::text and fetching_by = $2::text and sealed is not null)
delete from noetl.keychain
where cache_key = $1::text and fetching_by = $2::text and sealed is null`;

const putSql = `
insert into noetl.keychain as k (cache_key, ${written}) values ($1::text, ${given})
on conflict (cache_key) do update set (${written}) = (select ${given}), fetching_by = null,
  fetching_until = null, revision = k.revision + 1, created_at = now(), accessed_at = null,
  access_count = 0`;

const purgeSql = `
with gone as materialized (
  select k.cache_key from noetl.keychain k
  where (k.sealed is null or k.expires_at <= now())
    and (k.fetching_until is null or k.fetching_until <= now())
  limit $1::integer for update skip locked)
delete from noetl.keychain k using gone g where k.cache_key = g.cache_key returning 1`;

const executionsSql = `
select id::text as id from (
  select execution_id as id from noetl.keychain where execution_id > $1::bigint
  union
  select root_execution_id from noetl.keychain where root_execution_id > $1::bigint) bound
order by bound.id limit $2::integer`;

interface KeychainRecord {
  readonly cache_key: string;
  readonly tenant: string;
  readonly name: string;
  readonly catalog_id: string | null;
  readonly scope: KeychainRow["scope"];
  readonly execution_id: string | null;
  readonly root_execution_id: string | null;
  readonly kind: string;
  readonly cache_type: KeychainRow["cacheType"];
  readonly sealed: string;
  readonly kid: string;
  readonly expires_ms: number | null;
  readonly renew_ms: number | null;
  readonly auto_renew: boolean;
  readonly renew: string | null;
  readonly expired: boolean;
  readonly created_ms: number;
  readonly accessed_ms: number | null;
  readonly access_count: number;
}

function rowOf(record: KeychainRecord): StoredKeychainRow {
  const { catalog_id, execution_id, root_execution_id, expires_ms, renew_ms, renew } = record;
  return {
    cacheKey: record.cache_key,
    tenant: record.tenant,
    name: record.name,
    ...(catalog_id === null ? {} : { catalogId: catalog_id }),
    scope: record.scope,
    ...(execution_id === null ? {} : { executionId: executionId(execution_id) }),
    ...(root_execution_id === null ? {} : { rootExecutionId: executionId(root_execution_id) }),
    kind: record.kind,
    cacheType: record.cache_type,
    sealed: record.sealed,
    kid: record.kid,
    ...(expires_ms === null ? {} : { expiresAtMs: expires_ms }),
    ...(renew_ms === null ? {} : { renewAtMs: renew_ms }),
    autoRenew: record.auto_renew,
    // Only `valuesOf` writes it, from a map.
    ...(renew === null ? {} : { renew: JSON.parse(renew) as JsonObject }),
    expired: record.expired,
    createdAtMs: record.created_ms,
    ...(record.accessed_ms === null ? {} : { accessedAtMs: record.accessed_ms }),
    accessCount: record.access_count,
  };
}

function valuesOf(row: KeychainRow): readonly SqlValue[] {
  return [
    row.cacheKey,
    ...[row.tenant, row.name, row.catalogId ?? null, row.scope, row.executionId ?? null],
    ...[row.rootExecutionId ?? null, row.kind, row.cacheType, row.sealed, row.kid],
    ...[row.expiresAtMs ?? null, row.renewAtMs ?? null, row.autoRenew],
    row.renew === undefined ? null : JSON.stringify(row.renew),
  ];
}

/** Keychain entries on a migrated database. */
export function sqlKeychain(sql: Sql): KeychainStore {
  const one = async (text: string, values: readonly SqlValue[]): Promise<boolean> =>
    (await sql.query(text, values)).length > 0;
  return {
    get: async (cacheKey) => {
      const text = `select ${columns} from noetl.keychain k
        where k.cache_key = $1::text and k.sealed is not null`;
      const [record] = await sql.query<KeychainRecord>(text, [cacheKey]);
      return record === undefined ? undefined : rowOf(record);
    },
    begin: async (cacheKey, owner, holdMs) => {
      type Begun = { readonly yours: boolean } & (KeychainRecord | { readonly cache_key: null });
      const [begun] = await sql.query<Begun>(beginSql, [cacheKey, owner, holdMs]);
      if (begun?.yours === true) return "yours";
      return begun === undefined || begun.cache_key === null ? "wait" : { row: rowOf(begun) };
    },
    finish: (owner, row) => one(finishSql, [...valuesOf(row), owner]),
    fail: async (cacheKey, owner) => {
      await sql.query(failSql, [cacheKey, owner]);
    },
    put: async (row) => {
      await sql.query(putSql, valuesOf(row));
    },
    remove: (cacheKey) =>
      one(
        "with gone as (delete from noetl.keychain where cache_key = $1::text returning sealed)" +
          " select 1 from gone where sealed is not null",
        [cacheKey],
      ),
    ofCatalog: async (catalogId) => {
      const text = `select ${columns} from noetl.keychain k
        where k.catalog_id = $1::bigint and k.sealed is not null order by k.name, k.cache_key`;
      return (await sql.query<KeychainRecord>(text, [catalogId])).map(rowOf);
    },
    touch: async (cacheKey, times) => {
      await sql.query(
        `update noetl.keychain set accessed_at = now(), access_count = access_count + $2::integer
        where cache_key = $1::text and sealed is not null`,
        [cacheKey, times],
      );
    },
    purge: async (limit) => (await sql.query(purgeSql, [limit])).length,
    executions: async (after, limit): Promise<readonly ExecutionId[]> => {
      const from = after === "" ? "0" : after;
      const rows = await sql.query<{ id: string }>(executionsSql, [from, limit]);
      return rows.map(({ id }) => executionId(id));
    },
    removeOf: async (id) =>
      (
        await sql.query(
          `delete from noetl.keychain where execution_id = $1::bigint or root_execution_id = $1::bigint
          returning 1`,
          [id],
        )
      ).length,
  };
}
