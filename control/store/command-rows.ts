// The command rows on a database: who may work on what, and until when. Rows that another
// statement holds are skipped where any row will do, and waited for where it must be this one.
// Rows just picked and locked are changed by their place in the table (ctid), which no planner
// can mistake for a reason to read the whole table.

import type { CommandId } from "#core/model/ids";
import { executionId } from "#core/model/ids";
import type { Json } from "#core/model/json";
import type { CommandRow, CommandRowKind, EventLog, LeaseRef } from "#core/ports/event-log";
import type { Sql } from "./sql.ts";

type CommandRows = Pick<
  EventLog,
  "claim" | "renew" | "release" | "expire" | "due" | "done" | "nextDueMs" | "backlog"
>;

const columns = `c.command_id, c.execution_id::text as execution_id, c.kind, c.pool, c.attempt,
  c.worker, c.payload::text as payload`;
const places = "c.ready_at as ready_at, c.position as position";

/** Each pool gives its oldest; of those the oldest are taken. */
const claimSql = `
with picked as materialized (
  select r.place from json_array_elements_text($2::text::json) as p(pool)
  cross join lateral (
    select c.ctid as place, c.ready_at, c.position from noetl.command c
    where c.kind = 'tool' and c.status = 'ready' and c.pool = p.pool and c.ready_at <= now()
    order by c.ready_at, c.position limit $3::integer for update skip locked) r
  order by r.ready_at, r.position limit $3::integer),
taken as (
  update noetl.command c set status = 'leased', worker = $1::text,
    lease_until = clock_timestamp() + $4::float8 * interval '1 millisecond'
  where c.ctid = any(array(select place from picked))
  returning ${columns}, ${places})
select * from taken order by ready_at, position`;

/** Leases named by id and attempt, locked in the order in which appends lock them. */
const namedLeases = `
asked as materialized (
  select * from json_to_recordset($2::text::json) as a(command_id text, attempt integer)),
held as materialized (
  select c.command_id from noetl.command c join asked a on a.command_id = c.command_id
  where c.status = 'leased' and c.worker = $1::text and c.attempt = a.attempt
  order by c.command_id for update of c)`;

const renewSql = `
with ${namedLeases},
renewed as (
  update noetl.command c
  set lease_until = greatest(c.lease_until,
    clock_timestamp() + $3::float8 * interval '1 millisecond')
  where c.command_id = any(array(select command_id from held))
  returning c.command_id, c.attempt)
select c.command_id, r.attempt from noetl.command c join asked a on a.command_id = c.command_id
left join renewed r on r.command_id = c.command_id`;

const releaseSql = `
with ${namedLeases}
update noetl.command c set status = 'ready', worker = null, lease_until = null
where c.command_id = any(array(select command_id from held))`;

const expireSql = `
with fresh as materialized (
  select c.ctid as place from noetl.command c
  where c.status = 'leased' and c.lease_until <= now()
  order by c.lease_until, c.position limit $1::integer for update skip locked),
again as materialized (
  select c.ctid as place from noetl.command c
  where c.status = 'expired' and c.expired_at <= now() - $2::float8 * interval '1 millisecond'
  order by c.expired_at, c.position
  limit greatest(0, $1::integer - (select count(*) from fresh)) for update skip locked),
marked as (
  update noetl.command c set status = 'expired', expired_at = now()
  where c.ctid = any(array(select place from fresh union all select place from again))
  returning ${columns}, ${places})
select * from marked order by ready_at, position`;

const dueSql = `
with picked as materialized (
  select c.ctid as place from noetl.command c
  where c.kind <> 'tool' and c.held_until <= now()
  order by c.held_until, c.position limit $1::integer for update skip locked),
held as (
  update noetl.command c
  set held_until = clock_timestamp() + $2::float8 * interval '1 millisecond'
  where c.ctid = any(array(select place from picked))
  returning ${columns}, ${places})
select * from held order by ready_at, position`;

const doneSql = `
with acted as materialized (
  select c.command_id from noetl.command c
  join json_array_elements_text($1::text::json) as d(id) on d.id = c.command_id
  where c.kind like 'child.%'
  order by c.command_id for update of c)
delete from noetl.command c using acted a where c.command_id = a.command_id`;

const nextDueSql = `select (extract(epoch from min(due_at)) * 1000)::float8 as due_ms
from noetl.command where status = 'ready' and due_at is not null and due_at > now()`;

const backlogSql = `select pool,
  (count(*) filter (where status = 'ready' and ready_at <= now()))::integer as ready,
  (count(*) filter (where status = 'leased'))::integer as leased
from noetl.command where kind = 'tool' group by pool order by pool collate "C"`;

interface CommandRecord {
  readonly command_id: string;
  readonly execution_id: string;
  readonly kind: string;
  readonly pool: string;
  readonly attempt: number;
  readonly worker: string | null;
  readonly payload: string;
}

const commandRow = (record: CommandRecord): CommandRow => ({
  // Stored from values of these types, and by `append` alone.
  commandId: record.command_id as CommandId,
  executionId: executionId(record.execution_id),
  kind: record.kind as CommandRowKind,
  pool: record.pool,
  attempt: record.attempt,
  payload: JSON.parse(record.payload) as Json,
  ...(record.worker === null ? {} : { worker: record.worker }),
});

const namesOf = (leases: readonly LeaseRef[]): string =>
  JSON.stringify(leases.map((lease) => ({ command_id: lease.commandId, attempt: lease.attempt })));

/** The part of the event log that is about command rows. */
export function commandRows(sql: Sql): CommandRows {
  const rows = async (text: string, values: readonly (string | number)[]) =>
    (await sql.query<CommandRecord>(text, values)).map(commandRow);

  return {
    claim: async ({ worker, pools, want, leaseMs }) => {
      if (want <= 0 || pools.length === 0) return [];
      return rows(claimSql, [worker, JSON.stringify([...new Set(pools)]), want, leaseMs]);
    },

    renew: async (worker, leases, leaseMs) => {
      if (leases.length === 0) return [];
      const found = await sql.query<{ command_id: string; attempt: number | null }>(renewSql, [
        worker,
        namesOf(leases),
        leaseMs,
      ]);
      const attempts = new Map(found.map((record) => [record.command_id, record.attempt]));
      return leases.map((lease) => {
        const attempt = attempts.get(lease.commandId);
        if (attempt === undefined) return "gone";
        return attempt === lease.attempt ? "renewed" : "lost";
      });
    },

    release: async (worker, leases) => {
      if (leases.length > 0) await sql.query(releaseSql, [worker, namesOf(leases)]);
    },

    expire: (limit, againMs) => rows(expireSql, [limit, againMs]),
    due: (limit, holdMs) => rows(dueSql, [limit, holdMs]),

    done: async (commandIds) => {
      if (commandIds.length > 0) await sql.query(doneSql, [JSON.stringify(commandIds)]);
    },

    nextDueMs: async () => {
      const [record] = await sql.query<{ due_ms: number | null }>(nextDueSql);
      return record?.due_ms ?? undefined;
    },

    backlog: () => sql.query<{ pool: string; ready: number; leased: number }>(backlogSql),
  };
}
