// The worlds of the feed and of cursors on any database.
import { sqlCursors } from "#control/store/cursors";
import { sqlEventFeed } from "#control/store/event-feed";
import { sqlEventLog } from "#control/store/event-log";
import type { Sql } from "#control/store/sql";
import type { CursorWorld } from "./cursor-store.ts";
import type { EventFeedWorld } from "./event-feed.ts";

/** Few enough that a read by type takes several looks. */
const scanEventsMax = 4;

export async function sqlFeedWorld(open: () => Promise<Sql>): Promise<EventFeedWorld> {
  const sql = await open();
  return {
    log: sqlEventLog(sql),
    feed: sqlEventFeed(sql, scanEventsMax),
    reset: async () => {
      await sql.query("truncate noetl.event, noetl.execution, noetl.command");
    },
    close: () => sql.close(),
  };
}

export async function sqlCursorWorld(open: () => Promise<Sql>): Promise<CursorWorld> {
  const sql = await open();
  return {
    cursors: sqlCursors(sql),
    advance: async (durationMs) => {
      await sql.query(
        "update noetl.cursor set lease_until = lease_until - $1::float8 * interval '1 millisecond'",
        [durationMs],
      );
    },
    close: () => sql.close(),
  };
}
