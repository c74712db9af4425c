// The event log on a database that speaks PostgreSQL. Each call is one statement and one commit;
// all times are the database's own. What a statement gets is text, mostly one JSON document per
// kind of row, so that it reads the same through every driver.

import { checkTransitions } from "#core/adapters/transition-check";
import { decodeEvent } from "#core/model/codec";
import type { ExecutionStatus } from "#core/model/event";
import { catalogId, executionId, isSnowflake } from "#core/model/ids";
import type {
  AppendVerdict,
  EventLog,
  ExecutionRow,
  Head,
  StoredEvent,
} from "#core/ports/event-log";
import { appendStatement } from "./append-statement.ts";
import { commandRows } from "./command-rows.ts";
import { deadLetters } from "./dead-letters.ts";
import { dispatchRules } from "./dispatch-rules.ts";
import { listStatement, recentStatement } from "./execution-lists.ts";
import type { Sql, SqlValue } from "./sql.ts";

/** Milliseconds out of a time column: exact, and the same through every driver. */
const ms = (column: string) => `(extract(epoch from ${column}) * 1000)::float8`;

const rowColumns = `x.execution_id::text as id, x.tenant, x.catalog_id::text as catalog_id,
  x.path, x.version, x.parent_id::text as parent_id, x.status, ${ms("x.started_at")} as started_ms,
  ${ms("x.ended_at")} as ended_ms, x.current_step, x.error`;

/** With the id as a number, to put parts of a list into order. */
const listColumns = `x.execution_id as id_number, ${rowColumns}`;

const headSql = `select x.head, encode(x.digest, 'hex') as digest, ${rowColumns}
from noetl.execution x where x.execution_id = $1::text::bigint`;

const eventsSql = `select payload::text as text, encode(digest, 'hex') as digest from noetl.event
where execution_id = $1::text::bigint and seq > $2::integer order by seq limit $3::integer`;

const childrenSql = `select ${rowColumns} from noetl.execution x
where x.parent_id = $1::text::bigint order by x.execution_id`;

interface ExecutionRecord {
  readonly id: string;
  readonly tenant: string;
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

interface AcceptedRecord {
  readonly id: string;
  readonly withheld: boolean;
  /** Whether there are rules; null where it was not asked. */
  readonly ruled: boolean | null;
}

interface HeadRecord extends ExecutionRecord {
  readonly head: number;
  readonly digest: string;
}

function executionRow(record: ExecutionRecord): ExecutionRow {
  const { parent_id, ended_ms, current_step, error } = record;
  return {
    executionId: executionId(record.id),
    tenant: record.tenant,
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

/**
 * The event log on a migrated database. Closing it closes the database. An id that can't be one is
 * nobody's: asking for it finds nothing.
 */
export function sqlEventLog(sql: Sql): EventLog {
  /** As far as this process knows; until it has looked there may be some. */
  let hasRules = true;
  const rules = dispatchRules(sql);
  const rows = async (text: string, values: readonly SqlValue[]) =>
    (await sql.query<ExecutionRecord>(text, values)).map(executionRow);

  return {
    append: async (transitions) => {
      checkTransitions(transitions);
      if (transitions.length === 0) return [];
      const { text, values } = appendStatement(transitions, hasRules);
      const accepted = await sql.query<AcceptedRecord>(text, values);
      hasRules = accepted[0]?.ruled ?? hasRules;
      const verdicts = new Map<string, AppendVerdict>(
        accepted.map(({ id, withheld }) => [id, withheld ? "withheld" : "accepted"]),
      );
      return transitions.map(({ row }) => verdicts.get(row.executionId) ?? "conflict");
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

    executions: async (filter) => {
      const { parentId, before, from, catalogId: catalog } = filter;
      const ids = [parentId, before, from, catalog];
      if (!ids.every((id) => id === undefined || isSnowflake(id))) return [];
      const recent = recentStatement(listColumns, filter);
      const newest = recent === undefined ? [] : await rows(recent.text, recent.values);
      if (recent !== undefined && newest.length >= filter.limit) return newest;
      const { text, values } = listStatement(listColumns, filter);
      return rows(text, values);
    },

    children: async (id) => (isSnowflake(id) ? rows(childrenSql, [id]) : []),

    ...commandRows(sql),
    ...rules,
    putRule: async (rule) => {
      await rules.putRule(rule);
      hasRules = true;
    },
    ...deadLetters(sql),

    close: () => sql.close(),
  };
}
