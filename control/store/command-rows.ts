// The command rows on a database: who may work on what, and until when. Rows that another
// statement holds are skipped where any row will do, and waited for where it must be this one.
// Rows just picked and locked are changed by their place in the table (ctid), which no planner
// can mistake for a reason to read the whole table.

import { issuedBy } from "#core/adapters/issued-by";
import { plainTerms } from "#core/model/dispatch";
import { type CommandId, executionId, isSnowflake } from "#core/model/ids";
import type { Json } from "#core/model/json";
import { aheadRowsMax, claimCommandsMax, claimTenantsMax } from "#core/model/limits";
import type {
  CommandRow,
  CommandRowKind,
  CommandRows,
  LeaseRef,
  OpenRow,
  PoolQueue,
} from "#core/ports/command-rows";
import { holdsSql, releaseSql, renewSql } from "./lease-statements.ts";
import { span } from "./spans.ts";
import type { Sql, SqlValue } from "./sql.ts";

const columns = `c.command_id, c.execution_id::text as execution_id, c.kind, c.pool, c.attempt,
  c.worker, c.payload::text as payload, c.priority, c.tenant, c.playbook, c.tool,
  array_to_json(c.labels)::text as labels, c.suspect_at is not null as suspect`;
const places = "c.ready_at as ready_at, c.position as position";
const texts = (parameter: string) =>
  `array(select json_array_elements_text(${parameter}::text::json))`;

const claimSql = `select ${columns} from noetl.claim($1::text, ${texts("$2")}, ${texts("$3")},
  $4::integer, ${span("$5")}, $6::boolean, $7::text, $8::integer) c`;

/**
 * One row by its id: locked, and leased where nothing speaks against it. The first column says
 * whether it is open at all.
 */
const claimOneSql = `
with found as materialized (
  select c.* from noetl.command c
  where c.command_id = $1::text and c.kind = 'tool' for update of c),
taken as (
  update noetl.command c set status = 'leased', worker = $2::text, handed = false,
    leased_at = case when f.status = 'leased' then f.leased_at else clock_timestamp() end,
    lease_until = greatest(f.lease_until, clock_timestamp() + ${span("$3")})
  from found f where c.command_id = f.command_id and (
    (f.status = 'leased' and f.worker = $2::text) or
    (f.status = 'ready' and f.suspect_at is null and f.ready_at <= now() and not exists (
      select from noetl.rule r
      where r.key = any(noetl.rule_keys(f.pool, f.playbook, f.tenant, f.tool)))))
  returning ${columns})
select (select count(*) from found)::integer as open, t.*
from (select 1) one left join taken t on true`;

const byIdSql = `select ${columns} from noetl.command c
where c.command_id = $1::text and c.kind = 'tool'`;

/** The event's id stands somewhere in what the row keeps; where, is for the caller to see. */
const byEventSql = (of: string): string => `select ${columns} from noetl.command c
where c.kind = 'tool' ${of} and position('"' || $1::text || '"' in c.payload::text) > 0`;

/** The rows of an execution by their ids, which begin with its own. */
const rowsOf = (id: string) => `c.command_id >= ${id} || ':' and c.command_id < ${id} || ';'`;

const handedSql = `
with found as materialized (
  select f.place from json_array_elements_text($2::text::json) as e(id)
  cross join lateral (
    select c.ctid as place from noetl.command c
    where ${rowsOf("e.id")} and c.status = 'leased' and c.handed and c.worker = $1::text
    for update skip locked) f
  limit ${claimCommandsMax})
update noetl.command c set lease_until = clock_timestamp() + ${span("$3")}
where c.ctid = any(array(select place from found)) returning ${columns}`;

const expireSql = `
with beat as (
  insert into noetl.liveness as l (live_since, swept_at)
  values (case when $4::boolean then '-infinity'::timestamptz else clock_timestamp() end,
    clock_timestamp())
  on conflict (only_row) do update set
    live_since = case when $4::boolean then '-infinity'
      when l.swept_at < clock_timestamp() - ${span("$5")} then clock_timestamp()
      else l.live_since end,
    swept_at = greatest(l.swept_at, clock_timestamp())
  returning live_since < clock_timestamp() - ${span("$3")} as may_expire),
late as materialized (
  select c.ctid as place from noetl.command c
  where c.status = 'leased' and c.handed and c.lease_until <= now()
    and (select may_expire from beat)
  order by c.lease_until limit ${claimCommandsMax} for update skip locked),
taken_back as (
  update noetl.command c set status = 'ready', worker = null, lease_until = null, handed = false
  where c.ctid = any(array(select place from late))),
fresh as materialized (
  select c.ctid as place from noetl.command c
  where c.status = 'leased' and not c.handed and c.lease_until <= now()
    and (select may_expire from beat)
  order by c.lease_until, c.position limit $1::integer for update skip locked),
again as materialized (
  select c.ctid as place from noetl.command c
  where c.status = 'expired' and c.expired_at <= now() - ${span("$2")}
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
  update noetl.command c set held_until = clock_timestamp() + ${span("$2")}
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

const waiting = "c.kind = 'tool' and c.status = 'ready' and c.suspect_at";
const nextPool = (after: string) => `
  select c.pool from noetl.command c where ${waiting} is null${after} order by c.pool limit 1`;

/** Steps from pool to pool over the index, and counts nothing. */
const queuesSql = `
with recursive pools as (
  (${nextPool("")})
  union all
  select (${nextPool(" and c.pool > p.pool")}) from pools p where p.pool is not null),
suspects as (
  select c.pool, extract(epoch from now() - min(c.suspect_at)) * 1000 as waited
  from noetl.command c where ${waiting} is not null group by c.pool)
select coalesce(p.pool, s.pool) as pool, p.pool is not null as waits,
  s.waited::float8 as waited_ms
from (select pool from pools where pool is not null) p
full join suspects s on s.pool = p.pool order by 1`;

const courtSql = `
with asked as materialized (
  select c.ctid as place from noetl.command c
  where ${waiting} <= now() - ${span("$3")} and ${waiting} is not null
    and c.pool = any(${texts("$1")}) and c.labels <@ ${texts("$2")} and c.ready_at <= now()
    and not exists (
      select from noetl.command o where o.kind = 'tool' and o.status = 'ready'
        and o.suspect_at is not null and o.pool = c.pool and o.courted_until > now())
  order by c.suspect_at limit 1 for update skip locked)
update noetl.command c set courted_until = now() + ${span("$4")}
where c.ctid = any(array(select place from asked)) returning 1 as courted`;

const openSql = `
select ${columns}, c.status, c.handed,
  (extract(epoch from now() - greatest(c.ready_at, c.created_at)) * 1000)::float8 as waited_ms,
  (extract(epoch from c.lease_until - now()) * 1000)::float8 as lease_left_ms,
  (extract(epoch from c.due_at - now()) * 1000)::float8 as due_in_ms,
  case when c.status = 'ready' and c.kind = 'tool' then (
    select count(*)::integer from (
      select from noetl.command o
      where o.kind = 'tool' and o.status = 'ready' and o.suspect_at is null and o.pool = c.pool
        and o.ready_at <= now() and (o.priority > c.priority
          or (o.priority = c.priority and (o.ready_at, o.position) < (c.ready_at, c.position)))
      limit ${aheadRowsMax}) before) else 0 end as ahead
from noetl.command c where ${rowsOf("$1::text")} order by c.command_id limit $2::integer`;

interface CommandRecord {
  readonly command_id: string;
  readonly execution_id: string;
  readonly kind: string;
  readonly pool: string;
  readonly attempt: number;
  readonly worker: string | null;
  readonly payload: string;
  readonly priority: number;
  readonly tenant: string;
  readonly playbook: string;
  readonly tool: string;
  readonly labels: string;
  readonly suspect: boolean;
}

const commandRow = (record: CommandRecord): CommandRow => ({
  // Stored from values of these types, and by `append` alone.
  commandId: record.command_id as CommandId,
  executionId: executionId(record.execution_id),
  kind: record.kind as CommandRowKind,
  pool: record.pool,
  attempt: record.attempt,
  terms: {
    priority: record.priority,
    tenant: record.tenant,
    playbook: record.playbook,
    tool: record.tool,
    labels: record.labels === "[]" ? plainTerms.labels : (JSON.parse(record.labels) as string[]),
  },
  suspect: record.suspect,
  payload: JSON.parse(record.payload) as Json,
  ...(record.worker === null ? {} : { worker: record.worker }),
});

interface ClaimedRecord extends Omit<CommandRecord, "command_id"> {
  readonly open: number;
  /** Null where the row was not leased. */
  readonly command_id: string | null;
}

interface OpenRecord extends CommandRecord {
  readonly status: string;
  readonly handed: boolean;
  readonly waited_ms: number;
  readonly lease_left_ms: number | null;
  readonly due_in_ms: number | null;
  readonly ahead: number;
}

function openRow(record: OpenRecord): OpenRow {
  const { status, handed, ahead, lease_left_ms: leaseLeftMs, due_in_ms: dueInMs } = record;
  return {
    row: commandRow(record),
    status: status as OpenRow["status"],
    handed,
    ahead,
    waitedMs: Math.max(0, record.waited_ms),
    ...(status !== "leased" || leaseLeftMs === null ? {} : { leaseLeftMs }),
    ...(dueInMs === null || dueInMs <= 0 ? {} : { dueInMs }),
  };
}

const namesOf = (leases: readonly LeaseRef[]): string =>
  JSON.stringify(leases.map((lease) => ({ command_id: lease.commandId, attempt: lease.attempt })));

const listOf = (values: readonly string[] = []): string => JSON.stringify([...new Set(values)]);

/** The part of the event log that is about command rows. */
export function commandRows(sql: Sql): CommandRows {
  const rows = async (text: string, values: readonly SqlValue[]) =>
    (await sql.query<CommandRecord>(text, values)).map(commandRow);
  return {
    ...leasing(sql, rows),
    ...watching(sql),

    expire: ({ limit, againMs, leaseMs, gapMs, workersAreNew = false }) =>
      rows(expireSql, [limit, againMs, leaseMs, workersAreNew, gapMs]),
    due: (limit, holdMs) => rows(dueSql, [limit, holdMs]),

    done: async (commandIds) => {
      if (commandIds.length > 0) await sql.query(doneSql, [JSON.stringify(commandIds)]);
    },
  };
}

type Rows = (text: string, values: readonly SqlValue[]) => Promise<CommandRow[]>;

function leasing(
  sql: Sql,
  rows: Rows,
): Pick<CommandRows, "claim" | "claimOne" | "openRow" | "holds" | "renew" | "release" | "handed"> {
  return {
    claimOne: async ({ commandId, worker, leaseMs }) => {
      const values = [commandId, worker, leaseMs];
      const [record] = await sql.query<ClaimedRecord>(claimOneSql, values);
      if (record === undefined || record.open === 0) return { verdict: "gone" };
      const { open: _, ...row } = record;
      if (row.command_id === null) return { verdict: "taken" };
      return { verdict: "claimed", row: commandRow({ ...row, command_id: row.command_id }) };
    },

    openRow: async (query) => {
      if ("commandId" in query) return (await rows(byIdSql, [query.commandId]))[0];
      const { eventId, executionId: of } = query;
      const found =
        of === undefined
          ? await rows(byEventSql(""), [eventId])
          : await rows(byEventSql(`and ${rowsOf("$2::text")}`), [eventId, of]);
      return found.find(({ payload }) => issuedBy(payload) === eventId);
    },

    claim: async ({ worker, pools, labels, want, leaseMs, idle = false, afterTenant = "" }) => {
      if (want <= 0 || pools.length === 0) return [];
      const who = [worker, listOf(pools), listOf(labels)];
      return rows(claimSql, [...who, want, leaseMs, idle, afterTenant, claimTenantsMax]);
    },

    holds: async (worker, { commandId, attempt }, leaseMs) =>
      (await sql.query(holdsSql, [worker, commandId, attempt, leaseMs])).length > 0,

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

    handed: async (worker, executionIds, leaseMs) =>
      executionIds.length === 0 ? [] : rows(handedSql, [worker, listOf(executionIds), leaseMs]),
  };
}

function watching(
  sql: Sql,
): Pick<CommandRows, "nextDueMs" | "backlog" | "queues" | "court" | "openRows"> {
  return {
    nextDueMs: async () => {
      const [record] = await sql.query<{ due_ms: number | null }>(nextDueSql);
      return record?.due_ms ?? undefined;
    },

    backlog: () => sql.query<{ pool: string; ready: number; leased: number }>(backlogSql),

    queues: async () => {
      interface Queue {
        readonly pool: string;
        readonly waits: boolean;
        readonly waited_ms: number | null;
      }
      const found = await sql.query<Queue>(queuesSql);
      return found.map(
        ({ pool, waits, waited_ms: waitedMs }): PoolQueue => ({
          pool,
          waits,
          ...(waitedMs === null ? {} : { suspectWaitedMs: waitedMs }),
        }),
      );
    },

    court: async ({ pools, labels, waitedMs, holdMs }) => {
      const asked = [listOf(pools), listOf(labels), waitedMs, holdMs];
      return (await sql.query(courtSql, asked)).length > 0;
    },

    openRows: async (id, limit) =>
      isSnowflake(id) ? (await sql.query<OpenRecord>(openSql, [id, limit])).map(openRow) : [],
  };
}
