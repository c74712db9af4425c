-- Which processes there are: control planes, workers, and the ids that machines have leased.
-- All times are this database's own; no process compares its clock with them.

create table noetl.runtime (
  runtime_id bigint generated always as identity primary key,
  kind       text not null check (kind in ('server_api', 'worker_pool')),
  name       text not null,
  uri        text,
  pools      json not null,
  labels     json not null,
  capacity   integer not null,
  load       json,
  version    text,
  pid        integer,
  hostname   text,
  details    json not null,
  offline_ms integer not null,
  started_at timestamptz not null default now(),
  heartbeat  timestamptz not null default now(),
  -- Live until then, unless it has left.
  expires_at timestamptz not null,
  left_at    timestamptz,
  unique (kind, name)
);

create index runtime_expiry on noetl.runtime (expires_at);

-- One row for each machine id of a snowflake. An id that was held is free again only at `free_at`,
-- some time after its lease has run out: ids carry the clock of the process that minted them.
create table noetl.machine (
  machine_id integer primary key check (machine_id between 0 and 1023),
  holder     text,
  held_until timestamptz not null default '-infinity',
  free_at    timestamptz not null default '-infinity'
);

create index machine_free on noetl.machine (free_at, machine_id);
create index machine_holder on noetl.machine (holder) where holder is not null;

insert into noetl.machine (machine_id) select * from generate_series(0, 1023);
