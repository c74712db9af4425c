-- What is read from the log by position: the identity of this database, cursors, retention.
-- Runs on PostgreSQL 15 and later and on PGlite.

-- Which cluster this is. The row is made by the first process that asks, not here: databases are
-- copied from a prepared one. `generation` grows when positions were numbered anew.
create table noetl.cluster (
  one        boolean primary key default true check (one),
  cluster_id uuid not null,
  generation integer not null default 1,
  made_at    timestamptz not null default now()
);

-- The history that positions are counted in: what stands before the dash is this very copy of the
-- data (a dump that was restored is another), what follows is the server's own timeline, which a
-- promotion or a recovery to an earlier point changes. What can't be read counts as zero.
create function noetl.timeline() returns text
language plpgsql stable as $$
declare
  system text := '0';
  wal bigint := 0;
  copy text;
begin
  begin
    select s.system_identifier::text into system from pg_control_system() s;
  exception when others then
    system := '0';
  end;
  begin
    wal := ('x' || lpad(left(pg_walfile_name(pg_current_wal_lsn()), 8), 16, '0'))::bit(64)::bigint;
  exception when others then
    wal := 0;
  end;
  select concat_ws('/', c.cluster_id, c.generation, system, 'noetl.event'::regclass::oid,
    (select d.oid from pg_catalog.pg_database d where d.datname = current_database()))
    into copy from noetl.cluster c;
  return left(encode(sha256(convert_to(coalesce(copy, ''), 'UTF8')), 'hex'), 12) || '-' || wal;
end
$$;

-- Makes the identity unless it is there. Events numbered beyond every transaction of this server
-- came with a dump of another: all are numbered anew, before all that follow, in one order.
create function noetl.identify() returns void
language plpgsql as $$
begin
  if not exists (select from noetl.cluster) then
    insert into noetl.cluster (cluster_id) values (gen_random_uuid()) on conflict do nothing;
  end if;
  if exists (select from noetl.event e
    where e.xid >= pg_snapshot_xmax(pg_current_snapshot()) limit 1) then
    perform from noetl.cluster for update;
    update noetl.event set xid = '1'::xid8 where xid <> '1'::xid8;
    update noetl.cluster set generation = generation + 1;
  end if;
end
$$;

-- How many events of an execution lie at or before a position. Within an execution events were
-- committed in the order of their numbers, so it is found by halving, however long the log.
create function noetl.seq_at(id bigint, at_xid xid8, at_execution bigint, at_seq integer)
returns integer
language plpgsql stable as $$
declare
  low integer := 0;
  high integer;
  middle integer;
  its_xid xid8;
begin
  select coalesce(max(e.seq), 0) into high from noetl.event e where e.execution_id = id;
  while low < high loop
    middle := (low + high + 1) / 2;
    select e.xid into its_xid from noetl.event e where e.execution_id = id and e.seq = middle;
    if (its_xid, id, middle) <= (at_xid, at_execution, at_seq) then
      low := middle;
    else
      high := middle - 1;
    end if;
  end loop;
  return low;
end
$$;

-- How far a role has got, and which process has the role. `fence` grows with every holder: what an
-- earlier one still writes finds another number and changes nothing.
create table noetl.cursor (
  name        text collate "C" primary key,
  position    text,
  owner       text,
  fence       bigint not null,
  lease_until timestamptz
) with (fillfactor = 50);

-- Months of the log that are older than so many days and that nothing needs: no execution of theirs
-- runs, waits to tell another, ended too lately, or descends from one that runs.
create function noetl.expired_event_partitions(days integer)
returns table (name text, low bigint, high bigint)
language plpgsql stable as $$
declare
  kept_since timestamptz := now() - make_interval(days => days);
  month timestamp;
begin
  for name in
    select c.relname from pg_catalog.pg_inherits i join pg_catalog.pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'noetl.event'::regclass and c.relname ~ '^event_\d{4}_\d{2}$'
    order by c.relname
  loop
    month := to_date(substr(name, 7), 'YYYY_MM')::timestamp;
    continue when (month + interval '1 month') at time zone 'utc' > kept_since;
    low := noetl.event_partition_start(month);
    high := noetl.event_partition_start(month + interval '1 month');
    continue when exists (select from noetl.execution x
      where x.status = 'running' and x.execution_id >= low and x.execution_id < high);
    continue when exists (select from noetl.command c
      where c.execution_id >= low and c.execution_id < high);
    continue when exists (select from noetl.execution x
      where x.execution_id >= low and x.execution_id < high and x.ended_at > kept_since);
    continue when exists (
      with recursive above(id) as (
        select x.parent_id from noetl.execution x
        where x.execution_id >= low and x.execution_id < high and x.parent_id is not null
        union
        select x.parent_id from above a join noetl.execution x on x.execution_id = a.id
        where x.parent_id is not null)
      select from above a join noetl.execution x on x.execution_id = a.id
      where x.status = 'running');
    return next;
  end loop;
end
$$;

-- Removes at most so many executions of a range, with their results and what was made from their
-- logs; returns how many. Executions go before their events: whoever asks for one finds nothing,
-- never a part. What tools printed has an end of its own. Written so that tables of later
-- migrations may be named.
create function noetl.purge_executions(low bigint, high bigint, most integer) returns integer
language plpgsql as $$
declare
  removed_count integer;
begin
  with doomed as materialized (
    select x.execution_id as id from noetl.execution x
    where x.execution_id >= low and x.execution_id < high and x.status <> 'running'
      -- What it has to tell others may name its results: that is told first.
      and not exists (select from noetl.command c where c.command_id >= x.execution_id || ':'
        and c.command_id < x.execution_id || ';')
    order by x.execution_id limit most for update skip locked),
  results as (
    delete from noetl.result_store r using doomed d
    where r.ref >= 'noetl://execution/' || d.id || '/' and r.ref < 'noetl://execution/' || d.id || '0'),
  quarantined as (
    delete from noetl.quarantine q using doomed d where q.execution_id = d.id),
  dead_letters as (
    delete from noetl.dead_letter l using doomed d
    where l.command_id >= d.id || ':' and l.command_id < d.id || ';'),
  snapshots as (
    delete from noetl.snapshot s using doomed d where s.execution_id = d.id),
  projections as (
    delete from noetl.projection p using doomed d where p.execution_id = d.id),
  stages as (
    delete from noetl.stage s using doomed d where s.execution_id = d.id),
  frames as (
    delete from noetl.frame f using doomed d where f.execution_id = d.id),
  removed as (
    delete from noetl.execution x using doomed d where x.execution_id = d.id)
  select count(*)::integer into removed_count from doomed;
  return removed_count;
end
$$;

-- Drops a month whose executions are gone: `dropped`, `kept` when one is there after all, `busy`
-- when the log was not free within so many milliseconds. Appends that come meanwhile wait no longer
-- than that. Looked at under the lock, for an append may have come before it.
create function noetl.drop_event_partition(name text, low bigint, high bigint, lock_ms integer)
returns text
language plpgsql as $$
begin
  if exists (select from noetl.execution x where x.execution_id >= low and x.execution_id < high) then
    return 'kept';
  end if;
  perform set_config('lock_timeout', lock_ms || 'ms', true);
  begin
    lock table noetl.event in access exclusive mode;
    if to_regclass('noetl.' || name) is null then
      return 'dropped';
    end if;
    if exists (select from noetl.execution x where x.execution_id >= low and x.execution_id < high)
    then
      return 'kept';
    end if;
    execute format('alter table noetl.event detach partition noetl.%I', name);
    execute format('drop table noetl.%I', name);
  exception when lock_not_available or deadlock_detected then
    return 'busy';
  end;
  return 'dropped';
end
$$;
