// Snapshots on a database, one row for each execution that has grown long.

import { executionId, isSnowflake } from "#core/model/ids";
import type { Snapshot, SnapshotStore } from "#core/ports/snapshot-store";
import type { Sql } from "./sql.ts";

const putSql = `insert into noetl.snapshot as s
  (execution_id, seq, digest, schema, engine, checksum, state)
values ($1::text::bigint, $2::integer, decode($3::text, 'hex'), $4::integer, $5::text,
  decode($6::text, 'hex'), $7::text)
on conflict (execution_id) do update set
  seq = excluded.seq, digest = excluded.digest, schema = excluded.schema,
  engine = excluded.engine, checksum = excluded.checksum, state = excluded.state, made_at = now()
where s.seq < excluded.seq or s.engine <> excluded.engine or s.schema <> excluded.schema`;

const latestSql = `select execution_id::text as id, seq, encode(digest, 'hex') as digest, schema,
  engine, encode(checksum, 'hex') as checksum, state
from noetl.snapshot where execution_id = $1::text::bigint`;

const removeSql = `delete from noetl.snapshot where execution_id in (
  select id::bigint from json_array_elements_text($1::text::json) as j(id))`;

interface SnapshotRecord {
  readonly id: string;
  readonly seq: number;
  readonly digest: string;
  readonly schema: number;
  readonly engine: string;
  readonly checksum: string;
  readonly state: string;
}

/** The snapshots on a migrated database. */
export function sqlSnapshots(sql: Sql): SnapshotStore {
  return {
    put: async ({ executionId: id, seq, digest, schema, engine, checksum, text }) => {
      await sql.query(putSql, [id, seq, digest, schema, engine, checksum, text]);
    },
    latest: async (id): Promise<Snapshot | undefined> => {
      if (!isSnowflake(id)) return undefined;
      const [record] = await sql.query<SnapshotRecord>(latestSql, [id]);
      if (record === undefined) return undefined;
      const { id: own, state, ...rest } = record;
      return { executionId: executionId(own), ...rest, text: state };
    },
    remove: async (ids) => {
      const known = ids.filter(isSnowflake);
      if (known.length > 0) await sql.query(removeSql, [JSON.stringify(known)]);
    },
  };
}
