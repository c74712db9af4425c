// Retention on a database: the log's partitions by month. Each step is one statement that is done
// whole or not at all; whoever dies between two leaves only work for the next run.

import { partitionLockMs, partitionMonthsAhead } from "#core/model/limits";
import type { DropVerdict, LogMonth, LogRetention } from "#core/ports/log-retention";
import type { Sql } from "./sql.ts";

/** The verdict's words are the function's own. */
interface DropRecord {
  readonly verdict: DropVerdict;
}

export function sqlRetention(sql: Sql): LogRetention {
  return {
    prepare: async () => {
      const [record] = await sql.query<{ made: number }>(
        "select noetl.ensure_event_partitions($1::integer) as made",
        [partitionMonthsAhead],
      );
      return record?.made ?? 0;
    },
    expired: (days) =>
      sql.query<LogMonth>(
        `select name, low::text as low, high::text as high
        from noetl.expired_event_partitions($1::integer)`,
        [days],
      ),
    purge: async ({ low, high }, executionsMax) => {
      const [record] = await sql.query<{ removed: number }>(
        "select noetl.purge_executions($1::text::bigint, $2::text::bigint, $3::integer) as removed",
        [low, high, executionsMax],
      );
      return record?.removed ?? 0;
    },
    drop: async ({ name, low, high }) => {
      const [record] = await sql.query<DropRecord>(
        `select noetl.drop_event_partition($1::text, $2::text::bigint, $3::text::bigint,
          $4::integer) as verdict`,
        [name, low, high, partitionLockMs],
      );
      return record?.verdict ?? "kept";
    },
  };
}
