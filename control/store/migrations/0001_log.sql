-- The log, the heads of executions, the command rows, the catalog, stored results, quarantine.
-- Runs on PostgreSQL 15 and later and on PGlite.

-- The log. `payload` is json and not jsonb: the text that was hashed comes back byte for byte.
create table noetl.event (
  execution_id bigint not null,
  seq          integer not null,
  event_id     bigint not null,
  type         text not null,
  step         text,
  payload      json not null,
  digest       bytea not null,
  xid          xid8 not null default pg_current_xact_id(),
  primary key (execution_id, seq)
) partition by range (execution_id);

-- Feeds: events after a global position, in its order, below the oldest running transaction.
create index event_position on noetl.event (xid, execution_id, seq);

-- The net below the monthly partitions: an id minted by a clock far ahead is still stored.
create table noetl.event_default partition of noetl.event default;

-- The smallest snowflake of a month: 22 bits of machine and sequence below the milliseconds
-- since 2024-01-01.
create function noetl.event_partition_start(month timestamp) returns bigint
language sql immutable as $$
  select ((extract(epoch from month) * 1000)::bigint - 1704067200000) << 22
$$;

-- Makes the partitions of this month and of so many months ahead; returns how many were missing.
-- A table is attached, not created in place, so that appends go on meanwhile. A month of which
-- the default partition already holds events stays there.
create function noetl.ensure_event_partitions(months_ahead integer) returns integer
language plpgsql as $$
declare
  month timestamp;
  low bigint;
  high bigint;
  name text;
  made integer := 0;
begin
  for ahead in 0..months_ahead loop
    month := date_trunc('month', now() at time zone 'utc') + make_interval(months => ahead);
    name := 'event_' || to_char(month, 'YYYY_MM');
    continue when to_regclass('noetl.' || name) is not null;
    perform pg_advisory_xact_lock(hashtextextended('noetl.event partitions', 0));
    -- Asked of the table: a name that was looked up before the wait may be remembered as missing.
    continue when exists (select from pg_catalog.pg_class c
      where c.relnamespace = 'noetl'::regnamespace and c.relname = name);
    low := noetl.event_partition_start(month);
    high := noetl.event_partition_start(month + interval '1 month');
    continue when exists (
      select from noetl.event_default e where e.execution_id >= low and e.execution_id < high);
    execute format('create table noetl.%I (like noetl.event including all)', name);
    execute format('alter table noetl.event attach partition noetl.%I for values from (%s) to (%s)',
      name, low, high);
    made := made + 1;
  end loop;
  return made;
end
$$;

-- Heads, and what lists of executions show. Every transition updates its row: there is room for
-- the new version on the same page.
create table noetl.execution (
  execution_id bigint primary key,
  head         integer not null,
  digest       bytea not null,
  catalog_id   bigint not null,
  path         text not null,
  version      integer not null,
  parent_id    bigint,
  status       text not null,
  started_at   timestamptz not null,
  ended_at     timestamptz,
  current_step text,
  error        text
) with (fillfactor = 70);

-- The children of an execution, and lists filtered by parent.
create index execution_parent on noetl.execution (parent_id, execution_id)
  where parent_id is not null;
-- Lists filtered by status, newest first.
create index execution_status on noetl.execution (status, execution_id);
-- Lists filtered by path, newest first.
create index execution_path on noetl.execution (path, execution_id);

-- Open commands and their leases. `ready_at` is the place in the queue, `due_at` the time asked
-- for, `held_until` keeps a row that was handed to one sweep from the others.
create table noetl.command (
  command_id   text collate "C" primary key,
  execution_id bigint not null,
  kind         text not null,
  pool         text not null,
  attempt      integer not null,
  status       text not null,
  worker       text,
  lease_until  timestamptz,
  expired_at   timestamptz,
  due_at       timestamptz,
  ready_at     timestamptz not null,
  held_until   timestamptz not null,
  position     bigint generated always as identity,
  payload      json not null,
  created_at   timestamptz not null default now()
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02);

-- Claims: the oldest ready rows of a pool.
create index command_ready on noetl.command (pool, ready_at, position)
  where kind = 'tool' and status = 'ready';
-- Expiry: leases that have run out.
create index command_lease on noetl.command (lease_until) where status = 'leased';
-- Expiry again: marks whose process may have died.
create index command_expired on noetl.command (expired_at) where status = 'expired';
-- The sweep of timers and of rows told to other executions.
create index command_held on noetl.command (held_until, position) where kind <> 'tool';
-- When the next row falls due.
create index command_due on noetl.command (due_at)
  where status = 'ready' and due_at is not null;

create table noetl.catalog (
  catalog_id bigint primary key,
  path       text collate "C" not null,
  version    integer not null,
  kind       text not null,
  content    text not null,
  digest     bytea not null,
  meta       json not null,
  created_at timestamptz not null,
  -- The newest version of a path, a given one, and lists by path.
  unique (path, version)
);

-- Bytes behind references. They are compressed already or not worth it: stored as they are.
create table noetl.result_store (
  ref        text collate "C" primary key,
  bytes      bytea not null,
  media_type text not null,
  created_at timestamptz not null default now()
);
alter table noetl.result_store alter column bytes set storage external;

-- Executions whose replay throws.
create table noetl.quarantine (
  execution_id bigint primary key,
  reason       text not null,
  created_at   timestamptz not null default now()
);
