// Batches of events on a database; their age is measured by its clock.

import { executionId, isSnowflake } from "#core/model/ids";
import type { EventBatch, EventBatches } from "#core/ports/event-batches";
import type { Sql } from "./sql.ts";

const columns = `b.request_id::text as request_id, b.tenant, b.execution_id::text as execution_id,
  b.key, b.event_ids::text as event_ids`;

/** A key that is there is written over with itself, so that its row is told. */
const beginSql = `insert into noetl.event_batch as b (request_id, tenant, execution_id, key)
values ($1::text::bigint, $2::text, $3::text::bigint, $4::text)
on conflict (execution_id, key) where key is not null do update set key = excluded.key
returning ${columns}`;

const finishSql = `update noetl.event_batch set event_ids = $2::text::json
where request_id = $1::text::bigint`;

const getSql = `select ${columns} from noetl.event_batch b where b.request_id = $1::text::bigint`;

const purgeSql = `
with old as materialized (
  select b.request_id from noetl.event_batch b
  where b.made_at <= now() - $1::float8 * interval '1 millisecond'
  order by b.made_at limit $2::integer for update skip locked)
delete from noetl.event_batch b using old o where b.request_id = o.request_id returning 1 as one`;

interface BatchRecord {
  readonly request_id: string;
  readonly tenant: string;
  readonly execution_id: string;
  readonly key: string | null;
  readonly event_ids: string | null;
}

const batchOf = (record: BatchRecord): EventBatch => ({
  requestId: record.request_id,
  tenant: record.tenant,
  executionId: executionId(record.execution_id),
  ...(record.key === null ? {} : { key: record.key }),
  // Written by `finish` alone, from a list of texts.
  ...(record.event_ids === null ? {} : { eventIds: JSON.parse(record.event_ids) as string[] }),
});

/** The batches on a migrated database. */
export function sqlEventBatches(sql: Sql): EventBatches {
  return {
    begin: async ({ requestId, tenant, executionId: id, key }) => {
      const values = [requestId, tenant, id, key ?? null];
      const [record] = await sql.query<BatchRecord>(beginSql, values);
      if (record === undefined) throw new Error("expected the batch's row back, found none");
      return batchOf(record);
    },
    finish: async (requestId, eventIds) => {
      await sql.query(finishSql, [requestId, JSON.stringify(eventIds)]);
    },
    get: async (requestId) => {
      if (!isSnowflake(requestId)) return undefined;
      const [record] = await sql.query<BatchRecord>(getSql, [requestId]);
      return record === undefined ? undefined : batchOf(record);
    },
    purge: async (keptMs, limit) => (await sql.query(purgeSql, [keptMs, limit])).length,
  };
}
