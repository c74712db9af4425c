-- Schedules, what became of their ticks, and which executions wait for whom.

-- `next_tick` is the tick that comes next, `next_at` when it is due: the same but for its jitter.
-- What becomes of a tick moves on from it, whoever does it, by comparing the tick and the revision.
create table noetl.schedule (
  schedule_id      bigint primary key,
  tenant           text collate "C" not null,
  name             text collate "C" not null,
  playbook_path    text not null,
  playbook_version integer,
  kind             text not null check (kind in ('cron', 'interval')),
  cron             text,
  interval_seconds integer,
  timezone         text not null default 'UTC',
  starts_at        timestamptz,
  ends_at          timestamptz,
  jitter_seconds   integer not null default 0,
  overlap          text not null check (overlap in ('allow', 'skip', 'queue', 'cancel_previous')),
  catch_up         integer not null default 1 check (catch_up between 0 and 1000),
  workload         json not null,
  priority         integer,
  enabled          boolean not null default true,
  paused_until     timestamptz,
  next_at          timestamptz,
  next_tick        timestamptz,
  last_tick        timestamptz,
  last_execution   bigint,
  last_status      text,
  queued           integer not null default 0,
  failures         integer not null default 0,
  revision         integer not null default 1,
  created_by       text,
  created_at       timestamptz not null,
  updated_at       timestamptz not null default now(),
  unique (tenant, name),
  check ((kind = 'cron') = (cron is not null)),
  check ((kind = 'interval') = (interval_seconds is not null))
) with (fillfactor = 70);

-- What is due, the longest first.
create index schedule_due on noetl.schedule (next_at) where enabled and next_at is not null;

create table noetl.schedule_tick (
  schedule_id  bigint not null references noetl.schedule on delete cascade,
  tick         timestamptz not null,
  execution_id bigint,
  outcome      text not null check
    (outcome in ('started', 'skipped_overlap', 'skipped_late', 'failed', 'queued')),
  message      text,
  at           timestamptz not null default now(),
  primary key (schedule_id, tick)
);

-- Entries that are old enough to go.
create index schedule_tick_age on noetl.schedule_tick (at);

-- Read off the log, for lists over all executions: an answer goes to the log itself.
create table noetl.open_wait (
  command_id   text collate "C" primary key,
  execution_id bigint not null,
  tenant       text collate "C" not null,
  for_what     text collate "C" not null,
  key          text not null,
  step         text not null,
  who          json,
  about        json,
  since        timestamptz not null,
  due          timestamptz
);

create index open_wait_list on noetl.open_wait (tenant, for_what, command_id);
create index open_wait_tenant on noetl.open_wait (tenant, command_id);
create index open_wait_execution on noetl.open_wait (execution_id, command_id);
