// The event log on a database that speaks PostgreSQL. Each call is one statement and one commit;
// all times are the database's own. What a statement gets is text, mostly one JSON document per
// kind of row, so that it reads the same through every driver.

import { checkTransitions, storableRow, storableText } from "#core/adapters/transition-check";
import { decodeEvent } from "#core/model/codec";
import type { ExecutionStatus } from "#core/model/event";
import { invariant } from "#core/model/fault";
import { catalogId, executionId, isSnowflake } from "#core/model/ids";
import type { EventLog, ExecutionRow, Head, StoredEvent, Transition } from "#core/ports/event-log";
import { commandRows } from "./command-rows.ts";
import type { Sql } from "./sql.ts";

/**
 * Compare-and-swap of every head: the heads are locked in the order of the executions, so that two
 * appends can't wait for each other, and compared once more when a lock had to be waited for. What
 * follows is done for the accepted executions alone, and they are the answer.
 */
const appendSql = `
with wanted as materialized (
  select * from json_to_recordset($1::text::json) as w(
    execution_id bigint, expected integer, head integer, digest text, catalog_id bigint, path text,
    version integer, parent_id bigint, status text, started_ms float8, ended_ms float8,
    current_step text, error text)),
locked as materialized (
  select x.execution_id from noetl.execution x join wanted w on w.execution_id = x.execution_id
  where x.head = w.expected and w.expected > 0
  order by x.execution_id for update of x),
moved as (
  update noetl.execution x set
    head = w.head, digest = decode(w.digest, 'hex'), catalog_id = w.catalog_id, path = w.path,
    version = w.version, parent_id = w.parent_id, status = w.status,
    started_at = to_timestamp(w.started_ms / 1000), ended_at = to_timestamp(w.ended_ms / 1000),
    current_step = w.current_step, error = w.error
  from wanted w join locked l on l.execution_id = w.execution_id
  where x.execution_id = w.execution_id
  returning x.execution_id),
started as (
  insert into noetl.execution (execution_id, head, digest, catalog_id, path, version, parent_id,
    status, started_at, ended_at, current_step, error)
  select w.execution_id, w.head, decode(w.digest, 'hex'), w.catalog_id, w.path, w.version,
    w.parent_id, w.status, to_timestamp(w.started_ms / 1000), to_timestamp(w.ended_ms / 1000),
    w.current_step, w.error
  from wanted w where w.expected = 0 order by w.execution_id
  on conflict (execution_id) do nothing
  returning execution_id),
accepted as materialized (
  select execution_id from moved union all select execution_id from started),
logged as (
  insert into noetl.event (execution_id, seq, event_id, type, step, payload, digest)
  select e.execution_id, e.seq, e.event_id, e.type, e.step, e.payload::json,
    decode(e.digest, 'hex')
  from json_to_recordset($2::text::json) as e(execution_id bigint, seq integer, event_id bigint,
    type text, step text, payload text, digest text)
  join accepted a on a.execution_id = e.execution_id),
doomed as materialized (
  select c.command_id from noetl.command c
  join json_to_recordset($3::text::json) as s(by_id bigint, command_id text)
    on s.command_id = c.command_id
  join accepted a on a.execution_id = s.by_id
  order by c.command_id for update of c),
settled as (
  delete from noetl.command c using doomed d where c.command_id = d.command_id),
issued as (
  insert into noetl.command as c (command_id, execution_id, kind, pool, attempt, status, worker,
    lease_until, due_at, ready_at, held_until, payload)
  select i.command_id, i.execution_id, i.kind, i.pool, i.attempt,
    case when i.worker is null then 'ready' else 'leased' end, i.worker,
    clock_timestamp() + i.lease_ms * interval '1 millisecond',
    to_timestamp(i.due_ms / 1000), coalesce(to_timestamp(i.due_ms / 1000), now()),
    coalesce(to_timestamp(i.due_ms / 1000), now()), i.payload::json
  from json_to_recordset($4::text::json) as i(n integer, by_id bigint, command_id text,
    execution_id bigint, kind text, pool text, attempt integer, worker text, lease_ms float8,
    due_ms float8, payload text)
  join accepted a on a.execution_id = i.by_id
  order by i.n
  on conflict (command_id) do update set
    execution_id = excluded.execution_id, kind = excluded.kind, pool = excluded.pool,
    attempt = excluded.attempt, status = excluded.status, worker = excluded.worker,
    lease_until = excluded.lease_until, expired_at = null, due_at = excluded.due_at,
    ready_at = coalesce(excluded.due_at, least(c.ready_at, now())),
    held_until = coalesce(excluded.due_at, least(c.ready_at, now())), payload = excluded.payload)
select execution_id::text as id from accepted`;

/** Milliseconds out of a time column: exact, and the same through every driver. */
const ms = (column: string) => `(extract(epoch from ${column}) * 1000)::float8`;

const rowColumns = `x.execution_id::text as id, x.catalog_id::text as catalog_id, x.path,
  x.version, x.parent_id::text as parent_id, x.status, ${ms("x.started_at")} as started_ms,
  ${ms("x.ended_at")} as ended_ms, x.current_step, x.error`;

const headSql = `select x.head, encode(x.digest, 'hex') as digest, ${rowColumns}
from noetl.execution x where x.execution_id = $1::text::bigint`;

const eventsSql = `select payload::text as text, encode(digest, 'hex') as digest from noetl.event
where execution_id = $1::text::bigint and seq > $2::integer order by seq limit $3::integer`;

const childrenSql = `select ${rowColumns} from noetl.execution x
where x.parent_id = $1::text::bigint order by x.execution_id`;

interface ExecutionRecord {
  readonly id: string;
  readonly catalog_id: string;
  readonly path: string;
  readonly version: number;
  readonly parent_id: string | null;
  readonly status: string;
  readonly started_ms: number;
  readonly ended_ms: number | null;
  readonly current_step: string | null;
  readonly error: string | null;
}

interface HeadRecord extends ExecutionRecord {
  readonly head: number;
  readonly digest: string;
}

function executionRow(record: ExecutionRecord): ExecutionRow {
  const { parent_id, ended_ms, current_step, error } = record;
  return {
    executionId: executionId(record.id),
    catalogId: catalogId(record.catalog_id),
    path: record.path,
    version: record.version,
    ...(parent_id === null ? {} : { parentId: executionId(parent_id) }),
    // Written by `append` alone, from a value of this type.
    status: record.status as ExecutionStatus,
    startedAtMs: record.started_ms,
    ...(ended_ms === null ? {} : { endedAtMs: ended_ms }),
    ...(current_step === null ? {} : { currentStep: current_step }),
    ...(error === null ? {} : { error }),
  };
}

function wantedRecord({ row, expectedHead, events }: Transition): object {
  const last = events.at(-1);
  invariant(last !== undefined, `the transition of execution ${row.executionId} has no events`);
  const { currentStep, error } = storableRow(row);
  return {
    execution_id: row.executionId,
    expected: expectedHead,
    head: expectedHead + events.length,
    digest: last.digest,
    catalog_id: row.catalogId,
    path: row.path,
    version: row.version,
    parent_id: row.parentId,
    status: row.status,
    started_ms: row.startedAtMs,
    ended_ms: row.endedAtMs,
    current_step: currentStep,
    error,
  };
}

/** The event's text travels as a string: the database would refuse `\u0000` inside a document. */
const eventRecords = ({ events }: Transition): readonly object[] =>
  events.map(({ event, text, digest }) => ({
    execution_id: event.execution_id,
    seq: event.seq,
    event_id: event.event_id,
    type: event.type,
    step: "step" in event && event.step !== undefined ? storableText(event.step) : undefined,
    payload: text,
    digest,
  }));

/** A command settled and issued again in one transition is a row replaced, not one removed. */
function settledRecords({ row, settled, issued }: Transition): readonly object[] {
  const again = new Set(issued.map(({ commandId }) => commandId));
  return settled
    .filter((id) => !again.has(id))
    .map((id) => ({ by_id: row.executionId, command_id: id }));
}

/** Of several rows of one command only the last counts, as if they were stored one by one. */
const issuedRecords = ({ row, issued }: Transition): readonly object[] =>
  [...new Map(issued.map((command) => [command.commandId, command])).values()].map((command) => ({
    by_id: row.executionId,
    command_id: command.commandId,
    execution_id: command.executionId,
    kind: command.kind,
    pool: command.pool,
    attempt: command.attempt,
    worker: command.lease?.worker,
    lease_ms: command.lease?.leaseMs,
    due_ms: command.dueAtMs,
    payload: JSON.stringify(command.payload),
  }));

function appendValues(transitions: readonly Transition[]): readonly string[] {
  const issued = transitions
    .flatMap(issuedRecords)
    .map((record, index) => ({ n: index, ...record }));
  return [
    JSON.stringify(transitions.map(wantedRecord)),
    JSON.stringify(transitions.flatMap(eventRecords)),
    JSON.stringify(transitions.flatMap(settledRecords)),
    JSON.stringify(issued),
  ];
}

/**
 * The event log on a migrated database. Closing it closes the database. An id that can't be one is
 * nobody's: asking for it finds nothing.
 */
export function sqlEventLog(sql: Sql): EventLog {
  const rows = async (text: string, values: readonly (string | number)[]) =>
    (await sql.query<ExecutionRecord>(text, values)).map(executionRow);

  return {
    append: async (transitions) => {
      checkTransitions(transitions);
      if (transitions.length === 0) return [];
      const accepted = await sql.query<{ id: string }>(appendSql, appendValues(transitions));
      const ids = new Set(accepted.map(({ id }) => id));
      return transitions.map(({ row }) => (ids.has(row.executionId) ? "accepted" : "conflict"));
    },

    head: async (id): Promise<Head | undefined> => {
      if (!isSnowflake(id)) return undefined;
      const [record] = await sql.query<HeadRecord>(headSql, [id]);
      if (record === undefined) return undefined;
      return { seq: record.head, digest: record.digest, row: executionRow(record) };
    },

    events: async (id, afterSeq, limit): Promise<readonly StoredEvent[]> => {
      if (!isSnowflake(id)) return [];
      const values = [id, afterSeq, limit];
      const records = await sql.query<{ text: string; digest: string }>(eventsSql, values);
      return records.map(({ text, digest }) => ({ event: decodeEvent(text), text, digest }));
    },

    executions: async ({ status, path, parentId, before, limit }) => {
      if (![parentId, before].every((id) => id === undefined || isSnowflake(id))) return [];
      const values: (string | number)[] = [limit];
      const conditions: string[] = [];
      const add = (comparison: string, value: string | undefined, cast: string) => {
        if (value === undefined) return;
        values.push(value);
        conditions.push(`x.${comparison} $${values.length}::${cast}`);
      };
      add("status =", status, "text");
      add("path =", path, "text");
      add("parent_id =", parentId, "text::bigint");
      add("execution_id <", before, "text::bigint");
      const where = conditions.length === 0 ? "" : `where ${conditions.join(" and ")}`;
      return rows(
        `select ${rowColumns} from noetl.execution x ${where}
        order by x.execution_id desc limit $1::integer`,
        values,
      );
    },

    children: async (id) => (isSnowflake(id) ? rows(childrenSql, [id]) : []),

    ...commandRows(sql),

    quarantine: async (id, reason) => {
      await sql.query(
        `insert into noetl.quarantine (execution_id, reason) values ($1::text::bigint, $2::text)
        on conflict (execution_id) do update set reason = excluded.reason`,
        [id, storableText(reason)],
      );
    },

    quarantined: async (id) => {
      if (!isSnowflake(id)) return undefined;
      const [record] = await sql.query<{ reason: string }>(
        "select reason from noetl.quarantine where execution_id = $1::text::bigint",
        [id],
      );
      return record?.reason;
    },

    close: () => sql.close(),
  };
}
