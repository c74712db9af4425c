// The registry of processes on a database. Every time in it is the database's own, so that no two
// processes need clocks that agree.

import { Fault } from "#core/model/fault";
import type { JsonObject } from "#core/model/json";
import { machineLeaseMs, machineRestMs, runtimeKeepMs } from "#core/model/limits";
import type {
  RuntimeKind,
  RuntimeLoad,
  RuntimeProcess,
  RuntimeRegistry,
  RuntimeRow,
} from "#core/ports/runtime-registry";
import type { Sql } from "./sql.ts";

const milliseconds = (at: string): string => `(extract(epoch from ${at}) * 1000)::float8`;

const columns = `r.runtime_id::text as runtime_id, r.kind, r.name, r.uri, r.pools::text as pools,
  r.labels::text as labels, r.capacity, r.load::text as load, r.version, r.pid, r.hostname,
  r.details::text as details, r.offline_ms,
  r.left_at is null and r.expires_at > now() as is_live,
  ${milliseconds("r.started_at")} as started_ms, ${milliseconds("r.heartbeat")} as heartbeat_ms,
  greatest(0, ${milliseconds("clock_timestamp()")} - ${milliseconds("r.heartbeat")}) as silent_ms`;

const inMs = (parameter: string): string => `now() + ${parameter} * interval '1 millisecond'`;

/** A process that says the same pid again is the one that it was; rows long silent are removed. */
const registerSql = `
with forgotten as (
  delete from noetl.runtime
  where expires_at < now() - $13::float8 * interval '1 millisecond'
    and (kind, name) <> ($1::text, $2::text))
insert into noetl.runtime as r (kind, name, uri, pools, labels, capacity, version, pid, hostname,
  details, offline_ms, load, expires_at)
values ($1::text, $2::text, $3::text, $4::text::json, $5::text::json, $6::integer, $7::text,
  $8::integer, $9::text, $10::text::json, $11::integer, $12::text::json,
  ${inMs("$11::integer")})
on conflict (kind, name) do update set uri = excluded.uri, pools = excluded.pools,
  labels = excluded.labels, capacity = excluded.capacity, version = excluded.version,
  pid = excluded.pid, hostname = excluded.hostname, details = excluded.details,
  offline_ms = excluded.offline_ms, heartbeat = now(), expires_at = excluded.expires_at,
  left_at = null,
  load = coalesce(excluded.load, case when r.pid = excluded.pid then r.load end),
  started_at = case when r.left_at is null and r.pid = excluded.pid then r.started_at else now() end
returning ${columns}`;

const heartbeatSql = `
update noetl.runtime r set heartbeat = now(), expires_at = ${inMs("r.offline_ms")},
  load = coalesce($3::text::json, r.load)
where r.kind = $1::text and r.name = $2::text and r.left_at is null
returning ${columns}`;

const leaveSql = `
update noetl.runtime set left_at = now(), heartbeat = now(), expires_at = now()
where kind = $1::text and name = $2::text and left_at is null
returning name`;

const liveSql = `select ${columns} from noetl.runtime r
where r.kind = $1::text and r.left_at is null and r.expires_at > now()
order by r.name collate "C"`;

const listSql = `select ${columns} from noetl.runtime r
where r.kind = $1::text and r.expires_at >= now() - $3::float8 * interval '1 millisecond'
order by r.name collate "C" limit $2::integer`;

const held = `held_until = now() + $2::float8 * interval '1 millisecond',
  free_at = now() + ($2::float8 + $3::float8) * interval '1 millisecond'`;

const leaseMachineSql = `
with own as materialized (
  select machine_id from noetl.machine where holder = $1::text and held_until > now()
  order by machine_id limit 1 for update),
rested as materialized (
  select machine_id from noetl.machine
  where free_at <= now() and not exists (select from own)
  order by free_at, machine_id limit 1 for update skip locked)
update noetl.machine m set holder = $1::text, ${held}
where m.machine_id = any(array(select machine_id from own union all select machine_id from rested))
returning m.machine_id`;

const renewMachineSql = `
update noetl.machine set ${held}
where machine_id = $4::integer and holder = $1::text
returning machine_id`;

const returnMachineSql = `
update noetl.machine set holder = null, held_until = now(),
  free_at = now() + $2::float8 * interval '1 millisecond'
where holder = $1::text`;

interface RuntimeRecord {
  readonly runtime_id: string;
  readonly kind: RuntimeKind;
  readonly name: string;
  readonly uri: string | null;
  readonly pools: string;
  readonly labels: string;
  readonly capacity: number;
  readonly load: string | null;
  readonly version: string | null;
  readonly pid: number | null;
  readonly hostname: string | null;
  readonly details: string;
  readonly offline_ms: number;
  readonly is_live: boolean;
  readonly started_ms: number;
  readonly heartbeat_ms: number;
  readonly silent_ms: number;
}

const runtimeRow = (record: RuntimeRecord): RuntimeRow => ({
  runtimeId: record.runtime_id,
  kind: record.kind,
  name: record.name,
  // Stored from values of these types, and by `register` and `heartbeat` alone.
  pools: JSON.parse(record.pools) as readonly string[],
  labels: JSON.parse(record.labels) as readonly string[],
  details: JSON.parse(record.details) as JsonObject,
  capacity: record.capacity,
  offlineMs: record.offline_ms,
  status: record.is_live ? "ready" : "offline",
  startedAtMs: record.started_ms,
  heartbeatAtMs: record.heartbeat_ms,
  silentMs: record.silent_ms,
  ...(record.uri === null ? {} : { uri: record.uri }),
  ...(record.load === null ? {} : { load: JSON.parse(record.load) as RuntimeLoad }),
  ...(record.version === null ? {} : { version: record.version }),
  ...(record.pid === null ? {} : { pid: record.pid }),
  ...(record.hostname === null ? {} : { hostname: record.hostname }),
});

/** In the order of the parameters; whole documents, for a text in them may be any. */
const recordOf = (process: RuntimeProcess): readonly (string | number | null)[] => [
  process.kind,
  process.name,
  process.uri ?? null,
  JSON.stringify(process.pools),
  JSON.stringify(process.labels),
  process.capacity,
  process.version ?? null,
  process.pid ?? null,
  process.hostname ?? null,
  JSON.stringify(process.details),
  process.offlineMs,
];

/** The registry on a migrated database. */
export function sqlRuntime(sql: Sql): RuntimeRegistry {
  const rows = async (text: string, values: readonly (string | number | null)[]) =>
    (await sql.query<RuntimeRecord>(text, values)).map(runtimeRow);

  return {
    register: async (process, load) => {
      const [row] = await rows(registerSql, [
        ...recordOf(process),
        load === undefined ? null : JSON.stringify(load),
        runtimeKeepMs,
      ]);
      if (row === undefined) throw new Fault("internal", `${process.name} was not registered`);
      return row;
    },

    heartbeat: async (kind, name, load) => {
      const text = load === undefined ? null : JSON.stringify(load);
      const [row] = await rows(heartbeatSql, [kind, name, text]);
      return row;
    },

    leave: async (kind, name) => (await sql.query(leaveSql, [kind, name])).length > 0,
    live: (kind) => rows(liveSql, [kind]),
    list: (kind, limit) => rows(listSql, [kind, limit, runtimeKeepMs]),

    leaseMachineId: async (name) => {
      const values = [name, machineLeaseMs, machineRestMs];
      const [leased] = await sql.query<{ machine_id: number }>(leaseMachineSql, values);
      if (leased === undefined) throw noMachineId();
      return leased.machine_id;
    },

    renewMachineId: async (name, machineId) => {
      const values = [name, machineLeaseMs, machineRestMs, machineId];
      return (await sql.query(renewMachineSql, values)).length > 0;
    },

    returnMachineId: async (name) => {
      await sql.query(returnMachineSql, [name, machineRestMs]);
    },
  };
}

const noMachineId = (): Fault =>
  new Fault("unavailable", "expected a machine id that is free, found all 1024 held or at rest");
