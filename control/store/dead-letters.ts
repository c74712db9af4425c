// Dead letters and quarantined executions on a database. Letters are written by the append.

import { storableText } from "#core/adapters/transition-check";
import { type CommandId, executionId, isSnowflake } from "#core/model/ids";
import type { DeadLetter, DeadLetterReason, DeadLetters } from "#core/ports/dead-letters";
import type { Sql } from "./sql.ts";

const columns = `d.command_id, d.execution_id::text as execution_id, d.step, d.attempt, d.reason,
  d.message, d.worker, (extract(epoch from d.at) * 1000)::float8 as at_ms`;

interface LetterRecord {
  readonly command_id: string;
  readonly execution_id: string;
  readonly step: string;
  readonly attempt: number;
  readonly reason: string;
  readonly message: string;
  readonly worker: string | null;
  readonly at_ms: number;
}

const letterOf = (record: LetterRecord): DeadLetter => ({
  // Written by `append` alone, from values of these types.
  commandId: record.command_id as CommandId,
  executionId: executionId(record.execution_id),
  step: record.step,
  attempt: record.attempt,
  reason: record.reason as DeadLetterReason,
  message: record.message,
  atMs: record.at_ms,
  ...(record.worker === null ? {} : { worker: record.worker }),
});

/** Of the tenant that is asked for, which the execution says; of all where none is. */
const isOf = (row: string) => `($2::text is null or exists (select from noetl.execution x
  where x.execution_id = ${row}.execution_id and x.tenant = $2::text))`;

/** The part of the event log that is about what was given up. */
export function deadLetters(sql: Sql): DeadLetters {
  return { ...letters(sql), ...quarantine(sql) };
}

function letters(sql: Sql): Pick<DeadLetters, "deadLetters" | "deadLetter" | "dropDeadLetter"> {
  return {
    deadLetters: async (limit, tenant) => {
      const text = `select ${columns} from noetl.dead_letter d where ${isOf("d")}
        order by d.at desc, d.command_id desc limit $1::integer`;
      return (await sql.query<LetterRecord>(text, [limit, tenant ?? null])).map(letterOf);
    },
    deadLetter: async (id) => {
      const text = `select ${columns} from noetl.dead_letter d where d.command_id = $1::text`;
      const [record] = await sql.query<LetterRecord>(text, [id]);
      return record === undefined ? undefined : letterOf(record);
    },
    dropDeadLetter: async (id) => {
      const text = "delete from noetl.dead_letter where command_id = $1::text returning command_id";
      return (await sql.query(text, [id])).length > 0;
    },
  };
}

function quarantine(
  sql: Sql,
): Pick<DeadLetters, "quarantine" | "quarantined" | "quarantines" | "liftQuarantine"> {
  return {
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
    quarantines: async (limit, tenant) => {
      const records = await sql.query<{ id: string; reason: string; at_ms: number }>(
        `select q.execution_id::text as id, q.reason,
          (extract(epoch from q.created_at) * 1000)::float8 as at_ms from noetl.quarantine q
        where ${isOf("q")} order by q.created_at desc, q.execution_id desc limit $1::integer`,
        [limit, tenant ?? null],
      );
      return records.map(({ id, reason, at_ms: atMs }) => ({
        executionId: executionId(id),
        reason,
        atMs,
      }));
    },
    liftQuarantine: async (id) => {
      if (!isSnowflake(id)) return false;
      const text = `delete from noetl.quarantine where execution_id = $1::text::bigint
        returning execution_id::text as id`;
      return (await sql.query(text, [id])).length > 0;
    },
  };
}
