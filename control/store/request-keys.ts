// Request keys on a database; their time is measured by its clock.

import { executionId } from "#core/model/ids";
import type { KeyRequest, RequestKeys } from "#core/ports/request-keys";
import type { Sql } from "./sql.ts";

/**
 * A key that stands for something is written over with itself: so the statement waits for whoever
 * takes it at the same time, and is told what that one took. Rows are written in the order of the
 * key, so that two lists can't wait for each other.
 */
const takeSql = `
with asked as materialized (
  select a.*, row_number() over (partition by tenant, scope, key collate "C" order by n) as turn
  from json_to_recordset($1::text::json) as a(n integer, tenant text, scope text, key text,
    execution_id bigint, window_ms float8)),
taken as (
  insert into noetl.request_key as k (tenant, scope, key, execution_id, expires_at)
  select a.tenant, a.scope, a.key, a.execution_id,
    now() + a.window_ms * interval '1 millisecond'
  from asked a where a.turn = 1
  order by a.tenant collate "C", a.scope collate "C", a.key collate "C"
  on conflict (tenant, scope, key) do update set
    execution_id = case when k.expires_at <= now() then excluded.execution_id
      else k.execution_id end,
    expires_at = case when k.expires_at <= now() then excluded.expires_at else k.expires_at end
  returning k.tenant, k.scope, k.key, k.execution_id)
select t.execution_id::text as id, t.execution_id = a.execution_id and a.turn = 1 as is_new
from asked a join taken t on t.tenant = a.tenant and t.scope = a.scope and t.key = a.key
order by a.n`;

const purgeSql = `
with gone as materialized (
  select k.tenant, k.scope, k.key from noetl.request_key k where k.expires_at <= now()
  order by k.expires_at limit $1::integer for update skip locked)
delete from noetl.request_key k using gone g
where k.tenant = g.tenant and k.scope = g.scope and k.key = g.key and k.expires_at <= now()
returning 1 as one`;

const record = (request: KeyRequest, n: number): object => ({
  n,
  tenant: request.tenant,
  scope: request.scope,
  key: request.key,
  execution_id: request.executionId,
  window_ms: request.windowMs,
});

/** The request keys on a migrated database. */
export function sqlRequestKeys(sql: Sql): RequestKeys {
  return {
    take: async (requests) => {
      if (requests.length === 0) return [];
      const asked = JSON.stringify(requests.map(record));
      const taken = await sql.query<{ id: string; is_new: boolean }>(takeSql, [asked]);
      return taken.map(({ id, is_new }) => ({ executionId: executionId(id), isNew: is_new }));
    },
    purge: async (limit) => (await sql.query(purgeSql, [limit])).length,
  };
}
