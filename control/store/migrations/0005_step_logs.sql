-- What tools printed, by command and attempt, for a while. Nothing here shares a row or a lock
-- with the log.

-- `position` is counted under the lock of the execution's own row, so that a reader who goes on
-- behind the last position it saw misses nothing.
create table noetl.step_log (
  execution_id bigint not null,
  position     integer not null,
  command_id   text collate "C" not null,
  attempt      integer not null,
  step         text not null,
  label        text not null,
  stream       text not null,
  time         timestamptz not null,
  text         text not null,
  primary key (execution_id, position)
);

create table noetl.step_log_execution (
  execution_id bigint primary key,
  positions    integer not null default 0,
  bytes        bigint not null default 0,
  refused      bigint not null default 0,
  last_at      timestamptz not null
) with (fillfactor = 70);
-- The purge: executions that have printed nothing for the longest time.
create index step_log_execution_last on noetl.step_log_execution (last_at);

-- The last line of each worker: what it sends again is known by it.
create table noetl.step_log_worker (
  worker  text collate "C" primary key,
  seq     bigint not null default 0,
  seen_at timestamptz not null
) with (fillfactor = 70);
create index step_log_worker_seen on noetl.step_log_worker (seen_at);

-- Keeps the lines of one worker that it has not kept before, as far as their executions have room;
-- returns those it kept, by their place in the document. Executions are locked in their order.
create function noetl.append_step_logs(
  sender text, document json, line_bytes integer, bytes_max bigint)
returns table (line_seq bigint, line_position integer)
language plpgsql as $$
#variable_conflict use_column
declare
  known bigint;
begin
  insert into noetl.step_log_worker (worker, seen_at) values (sender, now())
    on conflict (worker) do nothing;
  select w.seq into known from noetl.step_log_worker w where w.worker = sender for update;

  insert into noetl.step_log_execution (execution_id, last_at)
    select distinct l.execution_id, now()
    from json_to_recordset(document) as l(execution_id bigint, seq bigint)
    where l.seq > known order by 1
    on conflict (execution_id) do update set last_at = now();

  return query
  with given as materialized (
    select l.*, octet_length(l.text) + line_bytes as size
    from json_to_recordset(document) as l(execution_id bigint, command_id text, attempt integer,
      step text, label text, stream text, seq bigint, ms float8, text text)
    where l.seq > known),
  counted as materialized (
    select g.*, x.positions,
      x.refused = 0 and
        x.bytes + sum(g.size) over (partition by g.execution_id order by g.seq) <= bytes_max
        as fits
    from given g join noetl.step_log_execution x on x.execution_id = g.execution_id),
  placed as materialized (
    select c.*,
      c.positions + (count(*) filter (where c.fits)
        over (partition by c.execution_id order by c.seq))::integer as position
    from counted c),
  kept as (
    insert into noetl.step_log (execution_id, position, command_id, attempt, step, label, stream,
      time, text)
    select p.execution_id, p.position, p.command_id, p.attempt, p.step, p.label, p.stream,
      to_timestamp(p.ms / 1000), p.text
    from placed p where p.fits order by p.execution_id, p.position),
  totals as (
    select p.execution_id, count(*) filter (where p.fits) as lines,
      coalesce(sum(p.size) filter (where p.fits), 0) as bytes,
      count(*) filter (where not p.fits) as refused
    from placed p group by p.execution_id),
  written as (
    update noetl.step_log_execution x set positions = x.positions + t.lines,
      bytes = x.bytes + t.bytes, refused = x.refused + t.refused
    from totals t where t.execution_id = x.execution_id)
  select p.seq, p.position from placed p where p.fits order by p.seq;

  update noetl.step_log_worker w set seen_at = now(), seq = greatest(w.seq,
    (select coalesce(max(l.seq), 0) from json_to_recordset(document) as l(seq bigint)))
  where w.worker = sender;
end
$$;

-- Removes at most `lines_max` lines of executions that have printed nothing for so long, and what
-- is known of executions without lines and of workers that are gone; returns the lines removed.
-- Executions that are being written to are left alone.
create function noetl.purge_step_logs(keep_ms float8, lines_max integer) returns integer
language plpgsql as $$
declare
  before timestamptz := now() - keep_ms * interval '1 millisecond';
  ids bigint[];
  removed integer;
begin
  select coalesce(array_agg(o.execution_id), '{}') into ids from (
    select x.execution_id from noetl.step_log_execution x where x.last_at < before
    order by x.last_at limit 100 for update skip locked) o;
  delete from noetl.step_log l using (
    select d.execution_id, d.position from noetl.step_log d
    where d.execution_id = any(ids) order by d.execution_id, d.position limit lines_max) old
  where l.execution_id = old.execution_id and l.position = old.position;
  get diagnostics removed = row_count;
  delete from noetl.step_log_execution x where x.execution_id = any(ids)
    and not exists (select from noetl.step_log l where l.execution_id = x.execution_id);
  delete from noetl.step_log_worker w where w.seen_at < before;
  return removed;
end
$$;
