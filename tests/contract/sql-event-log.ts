// The event log's contract on any database: time passes by moving what it is compared with, so
// that no test waits, and a reply is lost between the database and the store.
import { sqlEventLog } from "#control/store/event-log";
import type { Sql } from "#control/store/sql";
import { Fault } from "#core/model/fault";
import { type EventLogWorld, eventLogContract } from "./event-log.ts";

const agedSql = `update noetl.command set
  ready_at = ready_at - $1::float8 * interval '1 millisecond',
  due_at = due_at - $1::float8 * interval '1 millisecond',
  held_until = held_until - $1::float8 * interval '1 millisecond',
  lease_until = lease_until - $1::float8 * interval '1 millisecond',
  expired_at = expired_at - $1::float8 * interval '1 millisecond'`;

const emptySql =
  "truncate noetl.event, noetl.execution, noetl.command, noetl.quarantine restart identity";

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
      await sql.query(agedSql, [durationMs]);
    },
    loseReplyOnce: () => {
      losing = true;
    },
    reset: async () => {
      await sql.query(emptySql);
    },
  };
}

/** Runs the contract on a migrated database that is this test's own. */
export function sqlEventLogContract(name: string, open: () => Promise<Sql>): void {
  eventLogContract(name, () => sqlWorld(open));
}
