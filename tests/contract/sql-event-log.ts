// The event log's contract on any database: time passes by moving what it is compared with, so
// that no test waits, and a reply is lost between the database and the store.
import { sqlEventLog } from "#control/store/event-log";
import type { Sql } from "#control/store/sql";
import { Fault } from "#core/model/fault";
import { type EventLogWorld, eventLogContract } from "./event-log.ts";

/** Every time that something is measured from, moved back. */
const agedColumns: Readonly<Record<string, readonly string[]>> = {
  command: [
    ...["ready_at", "due_at", "held_until", "lease_until", "expired_at", "leased_at"],
    ...["suspect_at", "courted_until", "created_at"],
  ],
  liveness: ["live_since", "swept_at"],
  slot: ["since"],
  bucket: ["at"],
  dead_letter: ["at"],
  quarantine: ["created_at"],
};

const agedSql = Object.entries(agedColumns).map(([table, columns]) => {
  const moved = columns.map((column) => `${column} = ${column} - span.by`).join(", ");
  return `update noetl.${table} set ${moved}
    from (select $1::float8 * interval '1 millisecond' as by) span`;
});

const emptySql = [
  `truncate noetl.event, noetl.execution, noetl.command, noetl.quarantine, noetl.rule, noetl.slot,
    noetl.bucket, noetl.dead_letter restart identity`,
  "update noetl.liveness set live_since = '-infinity', swept_at = '-infinity'",
];

async function sqlWorld(open: () => Promise<Sql>): Promise<EventLogWorld> {
  const sql = await open();
  let losing = false;
  const lossy: Sql = {
    query: async (text, values) => {
      const rows = await sql.query<never>(text, values);
      if (!losing) return rows;
      losing = false;
      throw new Fault("unavailable", "the reply was lost");
    },
    close: () => sql.close(),
  };
  return {
    log: sqlEventLog(lossy),
    nowMs: () => Date.now(),
    advance: async (durationMs) => {
      for (const text of agedSql) await sql.query(text, [durationMs]);
    },
    loseReplyOnce: () => {
      losing = true;
    },
    reset: async () => {
      for (const text of emptySql) await sql.query(text);
    },
  };
}

/** Runs the contract on a migrated database that is this test's own. */
export function sqlEventLogContract(name: string, open: () => Promise<Sql>): void {
  eventLogContract(name, () => sqlWorld(open));
}
