-- What is made from the log and may be thrown away: snapshots and projections.

-- One state for each long execution: a cache that its readers check before they believe it.
create table noetl.snapshot (
  execution_id bigint primary key,
  seq          integer not null,
  digest       bytea not null,
  schema       integer not null,
  engine       text not null,
  checksum     bytea not null,
  state        text not null,
  made_at      timestamptz not null default now()
);

-- How far the projections of an execution have come, and what they need to go on from there.
create table noetl.projection (
  execution_id bigint primary key,
  path         text collate "C" not null,
  version      integer not null,
  seq          integer not null,
  memory       text not null
) with (fillfactor = 70);

-- Statistics over the newest executions of a playbook.
create index projection_path on noetl.projection (path, execution_id);

-- A visit of a step each, by the event that entered it. `buckets` count durations by the bounds
-- that the projection was made with.
create table noetl.stage (
  execution_id    bigint not null,
  entered_seq     integer not null,
  step            text not null,
  visit           integer not null,
  mode            text,
  status          text not null,
  entered_at      timestamptz not null,
  exited_seq      integer,
  exited_at       timestamptz,
  total           integer not null,
  done            integer not null,
  failed          integer not null,
  reissued        integer not null,
  duration_ms     float8 not null,
  duration_ms_min float8,
  duration_ms_max float8,
  queue_ms        float8 not null,
  queue_ms_max    float8 not null,
  buckets         integer[] not null,
  primary key (execution_id, entered_seq)
) with (fillfactor = 70);

-- A slice of a cursor loop each, by the event that recorded its rows.
create table noetl.frame (
  execution_id bigint not null,
  claimed_seq  integer not null,
  step         text not null,
  visit        integer not null,
  frame        integer not null,
  status       text not null,
  row_count    integer,
  claimed_at   timestamptz not null,
  primary key (execution_id, claimed_seq)
);
