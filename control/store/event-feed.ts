// The feed of the log on a database. Transactions get their numbers when they begin to write and
// may end in any order: readers stop below the oldest that has not ended, so that nothing comes to
// stand before what they have read.

import { decodeEvent } from "#core/model/codec";
import { Fault } from "#core/model/fault";
import { isSnowflake } from "#core/model/ids";
import { feedScanEventsMax } from "#core/model/limits";
import {
  encodePosition,
  otherTimeline,
  type Position,
  parsePosition,
  startOf,
} from "#core/model/position";
import type { EventFeed, FeedLag, FeedPage, FeedQuery } from "#core/ports/event-feed";
import type { Sql } from "./sql.ts";

const below = "e.xid < pg_snapshot_xmin(pg_current_snapshot())";
const columns = "e.xid, e.execution_id, e.seq, e.type, e.payload, e.digest";
const order = "xid, execution_id, seq";

/** The next events of all executions, by the index over positions. */
const allSql = `select ${columns} from noetl.event e
  where (e.xid, e.execution_id, e.seq) > ($1::text::xid8, $2::text::bigint, $3::integer) and ${below}
  order by e.xid, e.execution_id, e.seq limit $5::integer`;

/** The next events of some: each execution's own log from where the position lies in it. */
const someSql = `select r.* from (
    select distinct i.id::bigint as id from json_array_elements_text($7::text::json) as i(id)) i
  cross join lateral (
    select ${columns} from noetl.event e
    where e.execution_id = i.id and ${below}
      and e.seq > noetl.seq_at(i.id, $1::text::xid8, $2::text::bigint, $3::integer)
    order by e.seq limit $5::integer) r
  order by r.xid, r.execution_id, r.seq limit $5::integer`;

/**
 * What was looked at, what of it matches, and where to read on from. That place is always one of an
 * event that is stored: the number of a transaction that left nothing behind may be given out again
 * when the server comes back from a crash.
 */
const pageSql = (scanned: string): string => `
with scanned as materialized (${scanned}),
matching as materialized (
  select * from scanned s
  where $6::text is null or s.type in (select json_array_elements_text($6::text::json))
  order by ${order} limit $4::integer),
seen as (select count(*)::integer as n from scanned),
stop as (
  (select xid, execution_id, seq from scanned where (select n from seen) = $5::integer
    order by xid desc, execution_id desc, seq desc limit 1)
  union all
  (select e.xid, e.execution_id, e.seq from noetl.event e
    where ${below} and (select n from seen) < $5::integer
    order by e.xid desc, e.execution_id desc, e.seq desc limit 1))
select noetl.timeline() as timeline, pg_snapshot_xmax(pg_current_snapshot())::text as edge,
  (select n from seen) as seen, stop.xid::text as stop_xid, stop.execution_id::text as stop_id,
  stop.seq as stop_seq, m.xid::text as xid, m.execution_id::text as id, m.seq,
  m.payload::text as text, encode(m.digest, 'hex') as digest
from (select 1) one left join stop on true left join matching m on true
order by m.xid, m.execution_id, m.seq`;

const allPageSql = pageSql(allSql);
const somePageSql = pageSql(someSql);

const endSql = `select noetl.timeline() as timeline, e.xid::text as xid,
  e.execution_id::text as id, e.seq
from (select 1) one left join lateral (
  select e.xid, e.execution_id, e.seq from noetl.event e where ${below}
  order by e.xid desc, e.execution_id desc, e.seq desc limit 1) e on true`;

/** The oldest transaction with a number; prepared ones have no process any more. */
const lagSql = `
select (extract(epoch from clock_timestamp() - since) * 1000)::float8 as lag_ms, pid, application,
  state
from (
  select a.xact_start as since, a.pid, coalesce(a.application_name, '') as application,
    coalesce(a.state, '') as state
  from pg_catalog.pg_stat_activity a
  where a.backend_xid is not null and a.pid <> pg_backend_pid()
  union all
  select p.prepared, null, p.gid, 'prepared' from pg_catalog.pg_prepared_xacts p) held
where since is not null order by since limit 1`;

interface PageRecord {
  readonly timeline: string;
  readonly edge: string;
  readonly seen: number;
  readonly stop_xid: string | null;
  readonly stop_id: string | null;
  readonly stop_seq: number | null;
  readonly xid: string | null;
  readonly id: string | null;
  readonly seq: number | null;
  readonly text: string | null;
  readonly digest: string | null;
}

interface LagRecord {
  readonly lag_ms: number;
  readonly pid: number | null;
  readonly application: string;
  readonly state: string;
}

/** The feed on a migrated database. */
export function sqlEventFeed(sql: Sql, scanEventsMax = feedScanEventsMax): EventFeed {
  let isIdentified = false;
  const identify = async (): Promise<void> => {
    await sql.query("select noetl.identify()");
    isIdentified = true;
  };
  return {
    identity: async () => {
      await identify();
      const [record] = await sql.query<{ cluster_id: string; timeline: string }>(
        "select cluster_id::text as cluster_id, noetl.timeline() as timeline from noetl.cluster",
      );
      if (record === undefined) throw new Fault("internal", "the database has no identity");
      return { clusterId: record.cluster_id, timeline: record.timeline };
    },
    after: async (position, query) => {
      const given = position === undefined ? undefined : parsePosition(position);
      if (query.limit < 1) {
        throw new Fault("invalid", `expected a limit of at least 1, found ${query.limit}`);
      }
      // Positions given out before the database had a name would be of another timeline after it.
      if (!isIdentified) await identify();
      const records = await readPage(sql, given, { ...query, scanEventsMax });
      return pageOf(records, given, { ...query, scanEventsMax });
    },
    end: async () => {
      if (!isIdentified) await identify();
      const [record] = await sql.query<PageRecord>(endSql);
      if (record === undefined) throw new Fault("internal", "the database has no end of its log");
      const { timeline, xid, id, seq } = record;
      return encodePosition(place(timeline, xid, id, seq) ?? startOf(timeline));
    },
    lag: () => readLag(sql),
  };
}

interface Scan extends FeedQuery {
  readonly scanEventsMax: number;
}

function readPage(
  sql: Sql,
  given: Position | undefined,
  { limit, executionIds, types, scanEventsMax }: Scan,
): Promise<readonly PageRecord[]> {
  const { xid, executionId, seq } = given ?? startOf("");
  // Without a filter by type everything that is looked at matches.
  const scan = types === undefined ? limit : Math.max(limit, scanEventsMax);
  const wanted = types === undefined ? null : JSON.stringify(types);
  const values = [xid, executionId, seq, limit, scan, wanted];
  if (executionIds === undefined) return sql.query<PageRecord>(allPageSql, values);
  const ids = JSON.stringify(executionIds.filter(isSnowflake));
  return sql.query<PageRecord>(somePageSql, [...values, ids]);
}

function pageOf(
  records: readonly PageRecord[],
  given: Position | undefined,
  { limit, types, scanEventsMax }: Scan,
): FeedPage {
  const [first] = records;
  if (first === undefined) throw new Fault("internal", "the database gave no page of its log");
  const { timeline, edge, seen } = first;
  const isAhead = given !== undefined && given.xid !== "0" && BigInt(given.xid) >= BigInt(edge);
  if (given !== undefined && (given.timeline !== timeline || isAhead)) {
    throw otherTimeline(given, timeline);
  }
  const entries = records.flatMap(({ xid, id, seq, text, digest }) => {
    const here = place(timeline, xid, id, seq);
    if (here === undefined || text === null || digest === null) return [];
    return [{ position: encodePosition(here), event: decodeEvent(text), text, digest }];
  });
  const isFull = entries.length === limit;
  const scan = types === undefined ? limit : Math.max(limit, scanEventsMax);
  const stop = place(timeline, first.stop_xid, first.stop_id, first.stop_seq);
  const last = isFull
    ? entries.at(-1)?.position
    : stop === undefined
      ? undefined
      : encodePosition(stop);
  return {
    entries,
    next: last ?? encodePosition(given ?? startOf(timeline)),
    timeline,
    more: isFull || seen === scan,
  };
}

function place(
  timeline: string,
  xid: string | null,
  executionId: string | null,
  seq: number | null,
): Position | undefined {
  if (xid === null || executionId === null || seq === null) return undefined;
  return { timeline, xid, executionId, seq };
}

async function readLag(sql: Sql): Promise<FeedLag> {
  const [record] = await sql.query<LagRecord>(lagSql);
  if (record === undefined) return { lagMs: 0 };
  const { lag_ms, pid, application, state } = record;
  return {
    lagMs: Math.max(0, lag_ms),
    holder: { ...(pid === null ? {} : { pid }), application, state },
  };
}
