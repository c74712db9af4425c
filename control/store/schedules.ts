// Schedules on a database. Whether one is due is said by its clock, in the very statement that looks.

import type { ExecutionStatus } from "#core/model/event";
import { Fault } from "#core/model/fault";
import { type ExecutionId, executionId } from "#core/model/ids";
import type { ScheduleAdvance, ScheduleStore, ScheduleTick } from "#core/ports/schedule-store";
import {
  type ScheduleRecord,
  scheduleColumns,
  scheduleDocument,
  scheduleOf,
} from "./schedule-rows.ts";
import type { Sql, SqlValue } from "./sql.ts";

const written = `tenant text, name text, playbook_path text, playbook_version integer, kind text,
  cron text, interval_seconds integer, timezone text, starts_at float8, ends_at float8,
  jitter_seconds integer, overlap text, catch_up integer, priority integer,
  enabled boolean, paused_until float8, next_at float8, next_tick float8`;

/** Exact to the millisecond, however far ahead. */
const time = (column: string): string =>
  `(timestamptz 'epoch' + ${column} * interval '1 millisecond')`;

/**
 * Nothing comes back where the name is another's. The workload goes by itself: a document that has
 * `\\u0000` somewhere is refused whole where fields are taken out of it.
 */
const addSql = `
insert into noetl.schedule as s (schedule_id, tenant, name, playbook_path, playbook_version, kind,
  cron, interval_seconds, timezone, starts_at, ends_at, jitter_seconds, overlap, catch_up, workload,
  priority, enabled, paused_until, next_at, next_tick, created_by, created_at)
select $1::text::bigint, d.tenant, d.name, d.playbook_path, d.playbook_version, d.kind,
  d.cron, d.interval_seconds, d.timezone, ${time("d.starts_at")}, ${time("d.ends_at")},
  d.jitter_seconds, d.overlap, d.catch_up, $3::text::json, d.priority, d.enabled,
  ${time("d.paused_until")}, ${time("d.next_at")}, ${time("d.next_tick")},
  $4::text, ${time("$5::float8")}
from json_to_record($2::text::json) as d(${written})
on conflict do nothing
returning ${scheduleColumns}`;

/**
 * Nothing comes back where it was changed meanwhile, or the name is another's. A name that is taken in
 * the same moment is refused by the database itself.
 */
const changeSql = `
update noetl.schedule s set name = d.name, playbook_path = d.playbook_path,
  playbook_version = d.playbook_version, kind = d.kind, cron = d.cron,
  interval_seconds = d.interval_seconds, timezone = d.timezone,
  starts_at = ${time("d.starts_at")}, ends_at = ${time("d.ends_at")},
  jitter_seconds = d.jitter_seconds, overlap = d.overlap, catch_up = d.catch_up,
  workload = $3::text::json, priority = d.priority, enabled = d.enabled,
  paused_until = ${time("d.paused_until")},
  next_at = case when $5::boolean then s.next_at else ${time("d.next_at")} end,
  next_tick = case when $5::boolean then s.next_tick else ${time("d.next_tick")} end,
  queued = case when $5::boolean then s.queued else 0 end,
  failures = 0, revision = s.revision + 1,
  updated_at = now()
from json_to_record($2::text::json) as d(${written})
where s.schedule_id = $1::text::bigint and s.tenant = d.tenant and s.revision = $4::integer
  and not exists (select from noetl.schedule o where o.tenant = d.tenant and o.name = d.name
    and o.schedule_id <> s.schedule_id)
returning ${scheduleColumns}`;

const getSql = `select ${scheduleColumns} from noetl.schedule s
where s.tenant = $1::text and s.schedule_id = $2::text::bigint`;

const listSql = `select ${scheduleColumns} from noetl.schedule s
where s.tenant = $1::text and s.name > $2::text
  and ($3::text is null or s.playbook_path = $3::text)
  and ($4::boolean is null or s.enabled = $4::boolean)
  and ($5::text is null or position(lower($5::text) in lower(s.name)) > 0
    or position(lower($5::text) in lower(s.playbook_path)) > 0)
order by s.name limit $6::integer`;

const removeSql = `delete from noetl.schedule
where tenant = $1::text and schedule_id = $2::text::bigint returning 1 as one`;

const nowMs = "(extract(epoch from now()) * 1000)::float8";

/** The clock comes in a row of its own, also where nothing is due. */
const dueSql = `
select ${nowMs} as now_ms, d.* from (select 1) one left join (
  select ${scheduleColumns} from noetl.schedule s
  where s.enabled and s.next_at is not null and s.next_at <= now()
    and (s.paused_until is null or s.paused_until <= now())
    and not (s.queued > 0 and exists (select from noetl.execution x
      where x.execution_id = s.last_execution and x.status = 'running'))
  order by s.next_at limit $1::integer) d on true
order by d.next_at_ms`;

/**
 * Rows are locked in the order of their ids, so that two tickers can't wait for each other. An entry
 * of a tick that was started says so for ever; all others are written over.
 */
const advanceSql = `
with asked as materialized (
  select * from json_to_recordset($1::text::json) as a(n integer, schedule_id bigint,
    revision integer, from_tick float8, next_at float8, next_tick float8, queued integer,
    failures integer, standing text, tick float8, outcome text, execution_id bigint, message text)),
held as materialized (
  select s.schedule_id, s.revision = a.revision and s.next_tick = ${time("a.from_tick")} as is_there
  from noetl.schedule s join asked a using (schedule_id)
  order by s.schedule_id for update of s),
moved as (
  update noetl.schedule s set
    next_at = case when h.is_there then ${time("a.next_at")} else s.next_at end,
    next_tick = case when h.is_there then ${time("a.next_tick")} else s.next_tick end,
    queued = case when h.is_there then a.queued else s.queued end,
    failures = case when h.is_there then a.failures else s.failures end,
    last_status = case when h.is_there then a.standing else s.last_status end,
    last_execution = case when a.execution_id is not null
        and coalesce(s.last_tick <= ${time("a.tick")}, true)
      then a.execution_id else s.last_execution end,
    last_tick = greatest(s.last_tick, ${time("a.tick")})
  from asked a join held h using (schedule_id)
  where s.schedule_id = a.schedule_id
  returning a.n, h.is_there),
entered as (
  insert into noetl.schedule_tick as t (schedule_id, tick, execution_id, outcome, message)
  select a.schedule_id, ${time("a.tick")}, a.execution_id, a.outcome, a.message
  from asked a join held h using (schedule_id) order by a.schedule_id
  on conflict (schedule_id, tick) do update set execution_id = excluded.execution_id,
    outcome = excluded.outcome, message = excluded.message, at = now()
  where t.outcome <> 'started')
select a.n, coalesce(m.is_there, false) as is_there
from asked a left join moved m using (n) order by a.n`;

const recordSql = `
insert into noetl.schedule_tick as t (schedule_id, tick, execution_id, outcome, message)
select s.schedule_id, ${time("a.tick")}, a.execution_id, a.outcome, a.message
from json_to_recordset($2::text::json) as a(tick float8, execution_id bigint, outcome text,
  message text)
join noetl.schedule s on s.schedule_id = $1::text::bigint order by a.tick
on conflict (schedule_id, tick) do update set execution_id = excluded.execution_id,
  outcome = excluded.outcome, message = excluded.message, at = now()
where t.outcome <> 'started'`;

const standingsSql = `select x.execution_id::text as id, x.status from noetl.execution x
where x.execution_id = any(array(select json_array_elements_text($1::text::json)::bigint))`;

const ticksSql = `select (extract(epoch from tick) * 1000)::float8 as tick_ms, outcome,
  execution_id::text as execution_id, message
from noetl.schedule_tick where schedule_id = $1::text::bigint
  and ($2::float8 is null or tick >= ${time("$2::float8")})
  and ($3::float8 is null or tick < ${time("$3::float8")})
order by tick desc limit $4::integer`;

const purgeSql = `
with gone as materialized (
  select schedule_id, tick from noetl.schedule_tick
  where at < now() - $1::float8 * interval '1 millisecond'
  order by at limit $2::integer for update skip locked)
delete from noetl.schedule_tick t using gone g
where t.schedule_id = g.schedule_id and t.tick = g.tick returning 1 as one`;

interface TickRecord {
  readonly tick_ms: number;
  readonly outcome: ScheduleTick["outcome"];
  readonly execution_id: string | null;
  readonly message: string | null;
}

/** The schedules on a migrated database. */
export function sqlSchedules(sql: Sql): ScheduleStore {
  const one = async (text: string, values: readonly SqlValue[]) => {
    const [record] = await sql.query<ScheduleRecord>(text, values);
    return record === undefined ? undefined : scheduleOf(record);
  };
  return {
    nowMs: async () => {
      const [row] = await sql.query<{ now_ms: number }>(`select ${nowMs} as now_ms`);
      return Math.floor(row?.now_ms ?? 0);
    },
    put: async (schedule, change) => {
      const { scheduleId, createdBy = null, createdAtMs } = schedule;
      const documents = [scheduleDocument(schedule), JSON.stringify(schedule.workload)];
      const row =
        change === undefined
          ? await one(addSql, [scheduleId, ...documents, createdBy, createdAtMs])
          : await one(changeSql, [
              ...[scheduleId, ...documents, change.revision],
              change.keepsPlace === true,
            ]);
      if (row !== undefined) return row;
      const what = change === undefined ? nameTaken : changedMeanwhile(scheduleId);
      throw new Fault("conflict", what);
    },
    get: (tenant, scheduleId) => one(getSql, [tenant, scheduleId]),
    list: async (tenant, { path = null, enabled = null, q, after = "", limit }) => {
      const part = q === undefined || q === "" ? null : q;
      const values = [tenant, after, path, enabled, part, limit];
      return (await sql.query<ScheduleRecord>(listSql, values)).map(scheduleOf);
    },
    remove: async (tenant, scheduleId) =>
      (await sql.query(removeSql, [tenant, scheduleId])).length > 0,
    due: async (limit) => {
      const rows = await sql.query<{ now_ms: number } & Nullable<ScheduleRecord>>(dueSql, [limit]);
      return {
        nowMs: Math.floor(rows[0]?.now_ms ?? 0),
        schedules: rows.filter(isSchedule).map(scheduleOf),
      };
    },
    advance: async (moves) => {
      if (moves.length === 0) return [];
      const asked = JSON.stringify(moves.map(moveRecord));
      const rows = await sql.query<{ is_there: boolean }>(advanceSql, [asked]);
      return rows.map(({ is_there }) => is_there);
    },
    standings: async (ids) => {
      if (ids.length === 0) return new Map();
      const rows = await sql.query<{ id: string; status: string }>(standingsSql, [
        JSON.stringify(ids),
      ]);
      return new Map(rows.map(({ id, status }) => [executionId(id), status as ExecutionStatus]));
    },
    record: async (scheduleId, ticks) => {
      if (ticks.length === 0) return;
      await sql.query(recordSql, [scheduleId, JSON.stringify(ticks.map(tickRecord))]);
    },
    ticks: async (scheduleId, { fromMs = null, beforeMs = null, limit }) => {
      const values = [scheduleId, fromMs, beforeMs, limit];
      return (await sql.query<TickRecord>(ticksSql, values)).map(tickOf);
    },
    purgeTicks: async (olderThanMs, limit) =>
      (await sql.query(purgeSql, [olderThanMs, limit])).length,
  };
}

type Nullable<Record_> = { readonly [Name in keyof Record_]: Record_[Name] | null };

const isSchedule = <Row extends Nullable<ScheduleRecord>>(row: Row): row is Row & ScheduleRecord =>
  row.schedule_id !== null;

const nameTaken = "another schedule has the name";
const changedMeanwhile = (scheduleId: string): string =>
  `schedule ${scheduleId} was changed meanwhile, or another has the name`;

const tickRecord = ({ tickMs, outcome, executionId: id, message }: ScheduleTick): object => ({
  tick: tickMs,
  outcome,
  execution_id: id,
  message,
});

const moveRecord = (move: ScheduleAdvance, n: number): object => ({
  n,
  schedule_id: move.scheduleId,
  revision: move.revision,
  from_tick: move.fromTickMs,
  next_at: move.nextAtMs,
  next_tick: move.nextTickMs,
  queued: move.queued,
  failures: move.failures,
  standing: move.standing,
  ...tickRecord(move.tick),
});

function tickOf({ tick_ms: tickMs, outcome, execution_id: id, message }: TickRecord): ScheduleTick {
  const execution: { executionId?: ExecutionId } =
    id === null ? {} : { executionId: executionId(id) };
  return { tickMs, outcome, ...execution, ...(message === null ? {} : { message }) };
}
