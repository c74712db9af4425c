// The write side put right against the log: the execution's row and the rows of its commands are
// replaced under the head that they were compared at, in one statement. Ids of command rows begin
// with their execution, so that its rows are a range of the key.

import { storableRow } from "#core/adapters/transition-check";
import { plainTerms } from "#core/model/dispatch";
import { type CommandId, type ExecutionId, executionId, isSnowflake } from "#core/model/ids";
import type { Json } from "#core/model/json";
import type { CommandRowKind, NewCommandRow } from "#core/ports/event-log";
import type { HeldRow, LogRepair, Repair } from "#core/ports/log-repair";
import { acceptedHeads } from "./accepted-heads.ts";
import type { Sql } from "./sql.ts";

/** One look into each index for every id: neither table is read through. */
const next = (after: string) => `least(
  (select x.execution_id from noetl.execution x where x.execution_id > ${after}
    order by x.execution_id limit 1),
  (select e.execution_id from noetl.event e where e.execution_id > ${after}
    order by e.execution_id limit 1))`;

const idsSql = `
with recursive known(id, n) as (
  select ${next("$1::text::bigint")}, 1
  union all
  select ${next("k.id")}, k.n + 1 from known k where k.id is not null and k.n < $2::integer)
select id::text as id from known where id is not null order by known.id`;

const rowsSql = `select c.command_id, c.execution_id::text as execution_id, c.kind, c.pool, c.attempt,
  c.payload::text as payload
from noetl.command c
where c.command_id >= $1::text || ':' and c.command_id < $1::text || ';'
order by c.command_id`;

/** Whoever works on the command at this very attempt goes on with it. */
const isHeld = `(c.status in ('leased', 'expired') and c.kind = excluded.kind
  and c.attempt = excluded.attempt)`;

/** Rows that are there are locked first, in the order in which renewals lock them. */
const repairSql = `
with wanted as materialized (
  select * from json_to_record($1::text::json) as w(
    execution_id bigint, head integer, digest text, tenant text, catalog_id bigint, path text,
    version integer, parent_id bigint, status text, started_ms float8, ended_ms float8, current_step text,
    error text, found_head integer, found_digest text, lease_ms float8)),
locked as materialized (
  select x.execution_id from noetl.execution x join wanted w on w.execution_id = x.execution_id
  where x.head = w.found_head and x.digest = decode(w.found_digest, 'hex') for update of x),
${acceptedHeads({
  isLocked: true,
  isNew: "w.found_head is null",
  moves: true,
})},
asked as materialized (
  select i.* from json_to_recordset($2::text::json) as i(n integer, command_id text, kind text,
    pool text, attempt integer, due_in_ms float8, payload text, priority integer, tenant text,
    playbook text, tool text, labels text, suspect boolean)),
there as materialized (
  select c.command_id, c.kind from noetl.command c join accepted a
    on c.command_id >= a.execution_id::text || ':' and c.command_id < a.execution_id::text || ';'
  order by c.command_id for update of c),
gone as (
  delete from noetl.command c where c.command_id = any(array(
    select t.command_id from there t where t.kind in ('tool', 'timer')
      and not exists (select from asked i where i.command_id = t.command_id)))),
put as (
  insert into noetl.command as c (command_id, execution_id, kind, pool, attempt, status, due_at,
    ready_at, held_until, payload, priority, tenant, playbook, tool, labels, suspect_at)
  select i.command_id, a.execution_id, i.kind, i.pool, i.attempt, 'ready',
    d.due_at, coalesce(d.due_at, now()), coalesce(d.due_at, now()), i.payload::json, i.priority, i.tenant,
    i.playbook, i.tool, i.labels::text[], case when i.suspect then now() end
  from asked i cross join accepted a
  cross join lateral (select now() + i.due_in_ms * interval '1 millisecond' as due_at) d
  where (select count(*) from there) >= 0 order by i.n
  on conflict (command_id) do update set
    execution_id = excluded.execution_id, kind = excluded.kind, pool = excluded.pool,
    attempt = excluded.attempt, due_at = excluded.due_at, payload = excluded.payload,
    priority = excluded.priority, tenant = excluded.tenant, playbook = excluded.playbook,
    tool = excluded.tool, labels = excluded.labels,
    status = case when ${isHeld} then c.status else 'ready' end,
    worker = case when ${isHeld} then c.worker end,
    handed = c.handed and ${isHeld},
    leased_at = case when ${isHeld} then c.leased_at end,
    expired_at = case when ${isHeld} then c.expired_at end,
    lease_until = case when ${isHeld} then greatest(c.lease_until,
      clock_timestamp() + (select w.lease_ms from wanted w) * interval '1 millisecond') end,
    ready_at = coalesce(excluded.due_at, least(c.ready_at, now())),
    held_until = coalesce(excluded.due_at, least(c.ready_at, now())),
    suspect_at = case when excluded.suspect_at is not null
      then coalesce(c.suspect_at, excluded.suspect_at) end)
select execution_id::text as id from accepted`;

interface HeldRecord {
  readonly command_id: string;
  readonly execution_id: string;
  readonly kind: string;
  readonly pool: string;
  readonly attempt: number;
  readonly payload: string;
}

const heldRow = (record: HeldRecord): HeldRow => ({
  // Whatever stands there is what is to be compared.
  commandId: record.command_id as CommandId,
  executionId: executionId(record.execution_id),
  kind: record.kind as CommandRowKind,
  pool: record.pool,
  attempt: record.attempt,
  payload: JSON.parse(record.payload) as Json,
});

function wantedRecord({ row, head, digest, found, leaseMs }: Repair): object {
  const { currentStep, error } = storableRow(row);
  return {
    execution_id: row.executionId,
    head,
    digest,
    tenant: row.tenant,
    catalog_id: row.catalogId,
    path: row.path,
    version: row.version,
    parent_id: row.parentId,
    status: row.status,
    started_ms: row.startedAtMs,
    ended_ms: row.endedAtMs,
    current_step: currentStep,
    error,
    found_head: found?.seq,
    found_digest: found?.digest,
    lease_ms: leaseMs,
  };
}

const askedRecord = (row: NewCommandRow, n: number): object => {
  const { priority, tenant, playbook, tool, labels } = row.terms ?? plainTerms;
  return {
    n,
    command_id: row.commandId,
    kind: row.kind,
    pool: row.pool,
    attempt: row.attempt,
    due_in_ms: row.dueInMs,
    payload: JSON.stringify(row.payload),
    priority,
    tenant,
    playbook,
    tool,
    labels: `{${labels.map((label) => JSON.stringify(label)).join(",")}}`,
    suspect: row.suspect === true,
  };
};

/** The repair of the event log on a migrated database. */
export function sqlRepair(sql: Sql): LogRepair {
  return {
    executionIds: async (after, limit) => {
      const from: ExecutionId | "0" = after ?? "0";
      const found = await sql.query<{ id: string }>(idsSql, [from, limit]);
      return found.map(({ id }) => executionId(id));
    },
    rowsOf: async (id) =>
      isSnowflake(id) ? (await sql.query<HeldRecord>(rowsSql, [id])).map(heldRow) : [],
    repair: async (repair) => {
      const values = [
        JSON.stringify(wantedRecord(repair)),
        JSON.stringify(repair.rows.map(askedRecord)),
      ];
      const accepted = await sql.query<{ id: string }>(repairSql, values);
      return accepted.length > 0 ? "repaired" : "moved";
    },
  };
}
