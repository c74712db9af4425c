// Credentials on a database. The sealed text goes in and out as it is: nothing here could open it.

import { Fault } from "#core/model/fault";
import { isSnowflake } from "#core/model/ids";
import type { JsonObject } from "#core/model/json";
import type {
  CredentialAllow,
  CredentialRow,
  CredentialStore,
  NewCredentialRow,
} from "#core/ports/credential-store";
import type { Sql } from "./sql.ts";

const ms = (column: string) => `(extract(epoch from ${column}) * 1000)::float8`;

const columns = `c.credential_id::text as id, c.tenant, c.name, c.type, c.sealed, c.kid,
  c.meta::text as meta, to_json(c.tags)::text as tags, c.description,
  json_build_object('tenants', c.allow_tenants, 'playbooks', c.allow_playbooks,
    'pools', c.allow_pools)::text as allow,
  c.revision, ${ms("c.created_at")} as created_ms, ${ms("c.updated_at")} as updated_ms`;

/** A list of texts out of a JSON list; null stays null. */
const texts = (parameter: string) =>
  `case when ${parameter}::text is null then null
    else array(select json_array_elements_text(${parameter}::text::json)) end`;

const putSql = `
insert into noetl.credential as c (credential_id, tenant, name, type, sealed, kid, meta, tags,
  description, allow_tenants, allow_playbooks, allow_pools)
values ($1::text::bigint, $2::text, $3::text, $4::text, $5::text, $6::text, $7::text::json,
  ${texts("$8")}, $9::text, ${texts("$10")}, ${texts("$11")}, ${texts("$12")})
on conflict (tenant, name) do update set
  type = excluded.type, sealed = excluded.sealed, kid = excluded.kid, meta = excluded.meta,
  tags = excluded.tags, description = excluded.description,
  allow_tenants = excluded.allow_tenants, allow_playbooks = excluded.allow_playbooks,
  allow_pools = excluded.allow_pools, revision = c.revision + 1, updated_at = now()
returning ${columns}`;

/** A name is never a number alone, so that it can't be taken for an id. */
const isWanted =
  "c.tenant = $1::text and (c.name = $2::text or c.credential_id = $3::text::bigint)";

const getSql = `select ${columns} from noetl.credential c where ${isWanted}`;
const removeSql = `delete from noetl.credential c where ${isWanted} returning 1 as one`;

const listSql = `select ${columns} from noetl.credential c
where c.tenant = $1::text and ($2::text is null or c.type = $2::text)
  and ($3::text is null or position(lower($3::text) in lower(c.name)) > 0
    or position(lower($3::text) in lower(coalesce(c.description, ''))) > 0
    or exists (select from unnest(c.tags) tag where position(lower($3::text) in lower(tag)) > 0))
  and ($4::text is null or c.name > $4::text collate "C")
order by c.name limit $5::integer`;

const sharedSql = `select ${columns} from noetl.credential c
where c.name = $2::text and c.allow_tenants is not null and c.tenant <> $1::text
  and c.allow_tenants && array[$1::text, '*']
order by c.tenant`;

const oldKeysSql = `select ${columns} from noetl.credential c where c.kid <> $1::text
  and ($3::text is null or c.credential_id > $3::text::bigint)
order by c.credential_id limit $2::integer`;

const resealSql = `update noetl.credential c set sealed = $3::text, kid = $4::text
where c.credential_id = $1::text::bigint and c.revision = $2::integer returning 1 as one`;

const countsSql = "select kid, count(*)::float8 as count from noetl.credential group by kid";

interface CredentialRecordRow {
  readonly id: string;
  readonly tenant: string;
  readonly name: string;
  readonly type: string;
  readonly sealed: string;
  readonly kid: string;
  readonly meta: string;
  readonly tags: string;
  readonly description: string | null;
  readonly allow: string;
  readonly revision: number;
  readonly created_ms: number;
  readonly updated_ms: number;
}

function rowOf(record: CredentialRecordRow): CredentialRow {
  return {
    credentialId: record.id,
    tenant: record.tenant,
    name: record.name,
    type: record.type,
    sealed: record.sealed,
    kid: record.kid,
    // These were written by `put` alone, from values of these types.
    meta: JSON.parse(record.meta) as JsonObject,
    tags: JSON.parse(record.tags) as string[],
    ...(record.description === null ? {} : { description: record.description }),
    allow: allowOf(record.allow),
    revision: record.revision,
    createdAtMs: record.created_ms,
    updatedAtMs: record.updated_ms,
  };
}

function allowOf(text: string): CredentialAllow {
  const lists = JSON.parse(text) as Readonly<Record<string, readonly string[] | null>>;
  const given = Object.entries(lists).filter(([, list]) => list !== null);
  return Object.fromEntries(given) as CredentialAllow;
}

function valuesOf(row: NewCredentialRow): readonly (string | null)[] {
  const { tenants, playbooks, pools } = row.allow;
  const list = (texts?: readonly string[]) => (texts === undefined ? null : JSON.stringify(texts));
  return [
    ...[row.credentialId, row.tenant, row.name, row.type, row.sealed, row.kid],
    ...[JSON.stringify(row.meta), JSON.stringify(row.tags), row.description ?? null],
    ...[list(tenants), list(playbooks), list(pools)],
  ];
}

/** The credentials on a migrated database. */
export function sqlCredentials(sql: Sql): CredentialStore {
  const wanted = (tenant: string, nameOrId: string): readonly (string | null)[] => [
    tenant,
    nameOrId,
    isSnowflake(nameOrId) ? nameOrId : null,
  ];
  const rows = async (text: string, values: readonly (string | number | null)[]) =>
    (await sql.query<CredentialRecordRow>(text, values)).map(rowOf);
  return {
    put: async (given) => {
      const [row] = await rows(putSql, valuesOf(given));
      if (row === undefined)
        throw new Fault("internal", "a credential was stored, and nothing told of it");
      return { row, created: row.revision === 1 };
    },
    get: async (tenant, nameOrId) => (await rows(getSql, wanted(tenant, nameOrId)))[0],
    list: (tenant, { type, q, after, limit }) =>
      rows(listSql, [tenant, type ?? null, q ?? null, after ?? null, limit]),
    remove: async (tenant, nameOrId) =>
      (await sql.query(removeSql, wanted(tenant, nameOrId))).length > 0,
    shared: (tenant, name) => rows(sharedSql, [tenant, name]),
    oldKeys: (kid, limit, afterId) => rows(oldKeysSql, [kid, limit, afterId ?? null]),
    reseal: async ({ credentialId, revision, sealed, kid }) =>
      (await sql.query(resealSql, [credentialId, revision, sealed, kid])).length > 0,
    countsByKey: async () => {
      const found = await sql.query<{ kid: string; count: number }>(countsSql);
      return Object.fromEntries(found.map(({ kid, count }) => [kid, count]));
    },
  };
}
