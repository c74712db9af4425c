// Step logs on a database that speaks PostgreSQL: appended by one function in one statement, read
// by key, removed in bounded pieces. Tables of their own, so that nothing here waits for the log
// or keeps it waiting.

import type { StepLogBounds } from "#core/adapters/memory-step-logs";
import { storableText } from "#core/adapters/transition-check";
import type { CommandId, ExecutionId } from "#core/model/ids";
import {
  stepLogExecutionBytesMax,
  stepLogKeptMs,
  stepLogLineBytes,
  stepLogPurgedLinesMax,
} from "#core/model/limits";
import type { StepLogLine, StepLogStream, StepLogs, StoredLogLine } from "#core/ports/step-logs";
import type { Sql } from "./sql.ts";

const appendSql = `select line_seq::float8 as seq, line_position as position
from noetl.append_step_logs($1::text, $2::text::json, $3::integer, $4::float8::bigint)`;

const readSql = `select position, command_id, attempt, step, label, stream,
  (extract(epoch from time) * 1000)::float8 as ms, text from noetl.step_log
where execution_id = $1::text::bigint and position > $2::integer
  and ($3::text is null or step = $3::text) and ($4::text is null or command_id = $4::text)
  and ($5::integer is null or attempt = $5::integer) and ($6::text is null or stream = $6::text)
order by position limit $7::integer`;

const refusedSql = `select refused::float8 as refused from noetl.step_log_execution
where execution_id = $1::text::bigint`;

const purgeSql = "select noetl.purge_step_logs($1::float8, $2::integer) as removed";

interface LineRecord {
  readonly position: number;
  readonly command_id: string;
  readonly attempt: number;
  readonly step: string;
  readonly label: string;
  readonly stream: string;
  readonly ms: number;
  readonly text: string;
}

/** Step logs on a migrated database. */
export function sqlStepLogs(sql: Sql, bounds: StepLogBounds = {}): StepLogs {
  const { executionBytesMax = stepLogExecutionBytesMax } = bounds;
  return {
    append: async (worker, lines) => {
      if (lines.length === 0) return [];
      const storable = lines.map((line) => ({ ...line, text: storableText(line.text) }));
      const kept = await sql.query<{ seq: number; position: number }>(appendSql, [
        worker,
        JSON.stringify(storable.map(documentOf)),
        stepLogLineBytes,
        executionBytesMax,
      ]);
      const bySeq = new Map(storable.map((line) => [line.seq, line]));
      return kept.flatMap(({ seq, position }) => {
        const line = bySeq.get(seq);
        return line === undefined ? [] : [storedOf(line, position)];
      });
    },
    read: async (executionId, filter) => {
      const { afterPosition, step, commandId, attempt, stream, limit } = filter;
      const records = await sql.query<LineRecord>(readSql, [
        executionId,
        afterPosition,
        step ?? null,
        commandId ?? null,
        attempt ?? null,
        stream ?? null,
        limit,
      ]);
      return records.map((record) => lineOf(executionId, record));
    },
    refused: async (executionId) => {
      const [record] = await sql.query<{ refused: number }>(refusedSql, [executionId]);
      return record?.refused ?? 0;
    },
    purge: async (keepMs = stepLogKeptMs) => {
      const values = [keepMs, stepLogPurgedLinesMax];
      const [record] = await sql.query<{ removed: number }>(purgeSql, values);
      return record?.removed ?? 0;
    },
  };
}

function documentOf(line: StepLogLine) {
  const { executionId, commandId, timeMs, attempt, step, label, stream, seq, text } = line;
  const about = { execution_id: executionId, command_id: commandId, ms: timeMs };
  return { ...about, attempt, step, label, stream, seq, text };
}

function storedOf({ seq: _, ...line }: StepLogLine, position: number): StoredLogLine {
  return { ...line, position };
}

function lineOf(executionId: ExecutionId, record: LineRecord): StoredLogLine {
  const { position, command_id, attempt, step, label, stream, ms, text } = record;
  return {
    executionId,
    // Written by `append` alone, from a command's id and one of the three streams.
    commandId: command_id as CommandId,
    attempt,
    step,
    label,
    stream: stream as StepLogStream,
    timeMs: Math.round(ms),
    text,
    position,
  };
}
