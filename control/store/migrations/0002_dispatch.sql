-- Who may run what, and when: terms of commands, rules, slots, rates, dead letters, and the time
-- since when sweeps have run.

-- `labels` are what a worker must have. `suspect_at` is set on a command whose worker died: it
-- runs alone. `handed` marks a lease that its worker hasn't spoken of yet. `courted_until` says
-- that a worker has been asked to run empty for this suspect.
alter table noetl.command
  add column priority      integer not null default 0,
  add column tenant        text collate "C" not null default 'default',
  add column playbook      text not null default '',
  add column tool          text not null default '',
  add column labels        text[] not null default '{}',
  add column suspect_at    timestamptz,
  add column handed        boolean not null default false,
  add column courted_until timestamptz,
  add column leased_at     timestamptz;

-- Claims: by pool the tenants, and of each the rows in the order in which they go.
drop index noetl.command_ready;
create index command_ready on noetl.command (pool, tenant, priority desc, ready_at, position)
  where kind = 'tool' and status = 'ready' and suspect_at is null;
-- Claims of idle workers.
create index command_suspect on noetl.command (pool, priority desc, ready_at, position)
  where kind = 'tool' and status = 'ready' and suspect_at is not null;

create table noetl.rule (
  key         text collate "C" primary key,
  max_running integer,
  per_second  float8,
  burst       integer,
  changed_at  timestamptz not null default now()
);

-- The places of a rule. A place is taken while the command that it names is leased, so nothing
-- has to be given back: what ends a lease frees the place. `taken` grows with every taking, so
-- that a place chosen from an older picture of the table is recognised.
create table noetl.slot (
  key        text collate "C" not null references noetl.rule on delete cascade,
  n          integer not null,
  command_id text collate "C",
  since      timestamptz,
  taken      bigint not null default 0,
  primary key (key, n)
) with (fillfactor = 50);

-- The rate of a rule: so many starts were left at that time.
create table noetl.bucket (
  key    text collate "C" primary key references noetl.rule on delete cascade,
  tokens float8 not null,
  at     timestamptz not null
) with (fillfactor = 50);

-- Commands that were given up.
create table noetl.dead_letter (
  command_id   text collate "C" primary key,
  execution_id bigint not null,
  step         text not null,
  attempt      integer not null,
  reason       text not null,
  message      text not null,
  worker       text,
  at           timestamptz not null default now()
);
create index dead_letter_at on noetl.dead_letter (at, command_id);
create index quarantine_at on noetl.quarantine (created_at, execution_id);

-- Since when sweeps have run without a gap as long as a lease. One row.
create table noetl.liveness (
  only_row   boolean primary key default true check (only_row),
  live_since timestamptz not null,
  swept_at   timestamptz not null
) with (fillfactor = 50);
insert into noetl.liveness (live_since, swept_at) values ('-infinity', '-infinity');

-- The keys that a command may stand under a rule by.
create function noetl.rule_keys(pool text, playbook text, tenant text, tool text) returns text[]
language sql immutable parallel safe as $$
  select array['pool:' || pool, 'playbook:' || playbook, 'tenant:' || tenant, 'tool:' || tool]
$$;

-- Sets a rule. Claims and appends read the rules, so they stand still meanwhile; what is leased by
-- then gets its place, and what is too much for the maximum a place above it.
create function noetl.put_rule(p_key text, p_max integer, p_rate float8, p_burst integer)
returns void language plpgsql as $$
declare
  has_places boolean := p_max is not null;
begin
  lock table noetl.rule in access exclusive mode;
  insert into noetl.rule as r (key, max_running, per_second, burst)
  values (p_key, p_max, p_rate, p_burst)
  on conflict (key) do update set max_running = excluded.max_running,
    per_second = excluded.per_second, burst = excluded.burst, changed_at = now();
  delete from noetl.slot s where s.key = p_key;
  if has_places then
    insert into noetl.slot (key, n, command_id, since)
    select p_key, coalesce(r.n, f.n), r.command_id, r.since
    from generate_series(1, p_max) as f(n)
    full join (
      select c.command_id, coalesce(c.leased_at, now()) as since,
        (row_number() over (order by c.leased_at, c.command_id))::integer as n
      from noetl.command c where c.status = 'leased' and c.kind = 'tool'
        and p_key = any(noetl.rule_keys(c.pool, c.playbook, c.tenant, c.tool))) r on r.n = f.n;
  end if;
  if p_rate is null then
    delete from noetl.bucket b where b.key = p_key;
  else
    insert into noetl.bucket as b (key, tokens, at) values (p_key, p_burst, clock_timestamp())
    on conflict (key) do update set
      tokens = least(p_burst, greatest(0, b.tokens)), at = b.at;
  end if;
end
$$;

-- Free places of a rule, locked: at most p_want. What a place names is looked up one by one, by its
-- key: a join might be planned from the other side, over everything that is leased. While commands still run above the maximum, the
-- claims of the key go one after the other and count.
create function noetl.free_places(p_key text, p_max integer, p_want integer) returns integer[]
language plpgsql as $$
declare
  room integer := p_want;
  places integer[];
  first_n integer := 1 + floor(random() * p_max);
  looked integer;
begin
  if exists (select from noetl.slot s where s.key = p_key and s.n > p_max and 'leased' =
    (select c.status from noetl.command c where c.command_id = s.command_id)) then
    -- Two claims that come to two such keys in different orders must not wait for each other.
    perform from noetl.slot s where s.key = p_key and s.n = 1 for update skip locked;
    if not found then
      return '{}';
    end if;
    select greatest(0, least(p_want, p_max - count(*))) into room from noetl.slot s
    where s.key = p_key and 'leased' =
      (select c.status from noetl.command c where c.command_id = s.command_id);
  end if;
  -- Looked for from anywhere on, so that claims don't all walk over the same taken places. A few
  -- more than wanted are looked at; those that others are just taking may have been all of them.
  for looks in 1..4 loop
    with free as materialized (
      select s.n, s.taken from (
        (select f.* from noetl.slot f
          where f.key = p_key and f.n between first_n and p_max order by f.n)
        union all
        (select f.* from noetl.slot f where f.key = p_key and f.n < first_n order by f.n)) s
      where 'leased' is distinct from
        (select c.status from noetl.command c where c.command_id = s.command_id)
      limit room + 8),
    locked as materialized (
      select s.n from free f join noetl.slot s on s.key = p_key and s.n = f.n and s.taken = f.taken
      limit room for update of s skip locked)
    select coalesce((select array_agg(n order by n) from locked), '{}'), (select count(*) from free)
    into places, looked;
    exit when cardinality(places) >= room or looked < room + 8;
    first_n := 1 + floor(random() * p_max);
  end loop;
  return places;
end
$$;

-- What a bucket holds now.
create function noetl.tokens_now(tokens float8, at timestamptz, rate float8, burst integer)
returns float8 language sql volatile as $$
  select least(burst::float8,
    tokens + greatest(0, extract(epoch from clock_timestamp() - at)::float8) * rate)
$$;

-- Leases rows of one tenant, or suspects of all, to a worker where there may be rules: what a rule
-- doesn't let be is left where it is, and rows behind it are looked for. A command under several
-- rules takes all its places or none.
create function noetl.take_ruled(p_worker text, p_pools text[], p_labels text[], p_want integer,
  p_lease interval, p_tenant text, p_priority integer, p_suspect boolean)
returns setof noetl.command language plpgsql as $$
declare
  blocked text[] := '{}';
  full_playbooks text[] := '{}';
  full_tools text[] := '{}';
  pools text[] := p_pools;
  picked noetl.command[];
  cmd noetl.command;
  gates text[];
  rooms integer[];
  offsets integer[];
  places integer[];
  found_places integer[];
  counts integer[];
  ids text[];
  slot_keys text[];
  slot_places integer[];
  slot_ids text[];
  left_over integer := p_want;
  gate record;
  fits boolean;
  was_blocked integer;
  rest text;
  full_tenants text[] := '{}';
begin
  for round in 1..8 loop
    exit when left_over <= 0;
    select coalesce(array_agg(x.c order by (x.c).priority desc, (x.c).ready_at, (x.c).position), '{}')
    into picked from (
      select r.c from unnest(pools) as p(pool)
      cross join lateral (
        select c, c.ready_at, c.position from noetl.command c
        where c.kind = 'tool' and c.status = 'ready' and c.suspect_at is null
          and not p_suspect and c.pool = p.pool and c.tenant = p_tenant
          and c.priority = p_priority and c.ready_at <= now() and c.labels <@ p_labels
          and c.playbook <> all(full_playbooks) and c.tool <> all(full_tools)
          and p_tenant <> all(full_tenants)
        order by c.ready_at, c.position
        limit left_over for update of c skip locked) r
      union all
      select r.c from unnest(pools) as p(pool)
      cross join lateral (
        select c, c.priority, c.ready_at, c.position from noetl.command c
        where c.kind = 'tool' and c.status = 'ready' and c.suspect_at is not null
          and p_suspect and c.pool = p.pool
          and c.ready_at <= now() and c.labels <@ p_labels
          and c.playbook <> all(full_playbooks) and c.tool <> all(full_tools)
          and c.tenant <> all(full_tenants)
        order by c.priority desc, c.ready_at, c.position
        limit left_over for update of c skip locked) r
      ) x;
    exit when cardinality(picked) = 0;
    picked := picked[1:left_over];
    gates := '{}'; rooms := '{}'; offsets := '{}'; places := '{}'; counts := '{}';
    for gate in
      select r.key, r.max_running, r.per_second, count(*)::integer as wanted,
        noetl.tokens_now(b.tokens, b.at, r.per_second, coalesce(r.burst, 1)) as tokens
      from unnest(picked) p
      join noetl.rule r on r.key = any(noetl.rule_keys(p.pool, p.playbook, p.tenant, p.tool))
      left join noetl.bucket b on b.key = r.key
      group by r.key, b.key, b.tokens, b.at order by r.key
    loop
      found_places := null;
      if gate.max_running is not null then
        found_places := noetl.free_places(gate.key, gate.max_running, gate.wanted);
      end if;
      gates := gates || gate.key;
      rooms := rooms || least(coalesce(cardinality(found_places), gate.wanted),
        case when gate.per_second is null then gate.wanted else floor(gate.tokens)::integer end);
      offsets := offsets || case when found_places is null then null
        else coalesce(cardinality(places), 0) end;
      places := places || coalesce(found_places, '{}');
      counts := counts || 0;
    end loop;
    ids := '{}'; slot_keys := '{}'; slot_places := '{}'; slot_ids := '{}';
    was_blocked := cardinality(blocked);
    foreach cmd in array picked loop
      fits := true;
      for i in 1..cardinality(gates) loop
        if counts[i] >= rooms[i]
          and gates[i] = any(noetl.rule_keys(cmd.pool, cmd.playbook, cmd.tenant, cmd.tool)) then
          fits := false;
          if gates[i] <> all(blocked) then
            blocked := blocked || gates[i];
            rest := substr(gates[i], strpos(gates[i], ':') + 1);
            case split_part(gates[i], ':', 1)
              when 'pool' then pools := array_remove(pools, rest);
              when 'playbook' then full_playbooks := full_playbooks || rest;
              when 'tool' then full_tools := full_tools || rest;
              else full_tenants := full_tenants || rest;
            end case;
          end if;
        end if;
      end loop;
      continue when not fits;
      ids := ids || cmd.command_id;
      for i in 1..cardinality(gates) loop
        continue when gates[i] <> all(noetl.rule_keys(cmd.pool, cmd.playbook, cmd.tenant, cmd.tool));
        counts[i] := counts[i] + 1;
        continue when offsets[i] is null;
        slot_keys := slot_keys || gates[i];
        slot_places := slot_places || places[offsets[i] + counts[i]];
        slot_ids := slot_ids || cmd.command_id;
      end loop;
    end loop;
    if cardinality(slot_keys) > 0 then
      -- A place that a command left when it was given back must not count beside its new one.
      update noetl.slot s set command_id = null, taken = s.taken + 1
      where s.ctid = any(array(
        select o.ctid from noetl.slot o
        where o.key = any(slot_keys) and o.command_id = any(slot_ids) for update skip locked));
      update noetl.slot s set command_id = t.id, since = clock_timestamp(), taken = s.taken + 1
      from unnest(slot_keys, slot_places, slot_ids) as t(key, n, id)
      where s.key = t.key and s.n = t.n;
    end if;
    update noetl.bucket b
    set tokens = noetl.tokens_now(b.tokens, b.at, r.per_second, coalesce(r.burst, 1)) - g.used,
      at = clock_timestamp()
    from unnest(gates, counts) as g(key, used) join noetl.rule r on r.key = g.key
    where b.key = g.key and g.used > 0;
    return query
      update noetl.command c set status = 'leased', worker = p_worker, handed = false,
        leased_at = clock_timestamp(), lease_until = clock_timestamp() + p_lease
      where c.command_id = any(ids) returning c.*;
    left_over := left_over - cardinality(ids);
    exit when cardinality(blocked) = was_blocked;
  end loop;
end
$$;

-- Leases rows of one tenant to a worker where there are no rules.
create function noetl.take_free(p_worker text, p_pools text[], p_labels text[], p_want integer,
  p_lease interval, p_tenant text, p_priority integer)
returns setof noetl.command language plpgsql as $$
begin
  return query
  with picked as materialized (
    select r.place from unnest(p_pools) as p(pool)
    cross join lateral (
      select c.ctid as place, c.ready_at, c.position from noetl.command c
      where c.kind = 'tool' and c.status = 'ready' and c.suspect_at is null and c.pool = p.pool
        and c.tenant = p_tenant and c.priority = p_priority
        and c.ready_at <= now() and c.labels <@ p_labels
      order by c.ready_at, c.position
      limit p_want for update skip locked) r
    order by r.ready_at, r.position limit p_want)
  update noetl.command c set status = 'leased', worker = p_worker, handed = false,
    leased_at = clock_timestamp(), lease_until = clock_timestamp() + p_lease
  where c.ctid = any(array(select place from picked))
  returning c.*;
end
$$;

-- The first tenant after this one that has ready rows in these pools.
create function noetl.next_tenant(p_pools text[], p_after text) returns text
language plpgsql stable as $$
begin
  return (
    select min(x.tenant) from unnest(p_pools) as p(pool)
    cross join lateral (
      select c.tenant from noetl.command c
      where c.kind = 'tool' and c.status = 'ready' and c.suspect_at is null and c.pool = p.pool
        and c.tenant > p_after
      order by c.tenant limit 1) x);
end
$$;

-- Leases rows by priority; within one priority the tenants take turns, beginning after p_after.
create function noetl.claim_in_turns(p_worker text, p_pools text[], p_labels text[],
  p_want integer, p_lease interval, p_after text, p_tenants integer, p_ruled boolean)
returns setof noetl.command language plpgsql as $$
declare
  tenants text[] := '{}';
  active text[];
  still text[];
  tenant text;
  level integer := 2147483647;
  left_over integer := p_want;
  share integer;
  turn integer;
  got integer;
begin
  tenant := noetl.next_tenant(p_pools, p_after);
  while tenant is not null and cardinality(tenants) < p_tenants loop
    tenants := tenants || tenant;
    tenant := noetl.next_tenant(p_pools, tenant);
  end loop;
  if p_after <> '' then
    tenant := noetl.next_tenant(p_pools, '');
    while tenant <= p_after and cardinality(tenants) < p_tenants loop
      tenants := tenants || tenant;
      tenant := noetl.next_tenant(p_pools, tenant);
    end loop;
  end if;
  while left_over > 0 and cardinality(tenants) > 0 loop
    select max(x.priority) into level from unnest(p_pools) as p(pool)
    cross join unnest(tenants) as t(tenant)
    cross join lateral (
      select c.priority from noetl.command c
      where c.kind = 'tool' and c.status = 'ready' and c.suspect_at is null and c.pool = p.pool
        and c.tenant = t.tenant and c.priority < level and c.ready_at <= now()
      order by c.priority desc limit 1) x;
    exit when level is null;
    active := tenants;
    while left_over > 0 and cardinality(active) > 0 loop
      still := '{}';
      turn := cardinality(active);
      foreach tenant in array active loop
        exit when left_over <= 0;
        share := ceil(left_over::float8 / turn);
        turn := turn - 1;
        if p_ruled then
          return query select * from noetl.take_ruled(p_worker, p_pools, p_labels, share, p_lease,
            tenant, level, false) t order by t.ready_at, t.position;
        else
          return query select * from noetl.take_free(p_worker, p_pools, p_labels, share, p_lease,
            tenant, level) t order by t.ready_at, t.position;
        end if;
        get diagnostics got = row_count;
        left_over := left_over - got;
        if got = share then still := still || tenant; end if;
      end loop;
      active := still;
    end loop;
  end loop;
end
$$;

-- Chooses and leases: a suspect for a worker that holds nothing; else by priority, tenants in turn.
-- The usual case, no rules and one tenant, takes three statements. Their plans are kept: making one
-- costs five times what it saves.
create function noetl.claim(p_worker text, p_pools text[], p_labels text[], p_want integer,
  p_lease interval, p_idle boolean, p_after text, p_tenants integer)
returns setof noetl.command language plpgsql
set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
declare
  ruled boolean;
  first_tenant text;
  last_tenant text;
begin
  select exists (select from noetl.rule), min(f.tenant), max(l.tenant)
  into ruled, first_tenant, last_tenant
  from unnest(p_pools) as p(pool)
  cross join lateral (
    select c.tenant from noetl.command c
    where c.kind = 'tool' and c.status = 'ready' and c.suspect_at is null and c.pool = p.pool
    order by c.tenant limit 1) f
  cross join lateral (
    select c.tenant from noetl.command c
    where c.kind = 'tool' and c.status = 'ready' and c.suspect_at is null and c.pool = p.pool
    order by c.tenant desc limit 1) l;
  if ruled then
    -- Buckets are taken in one order by all, so that no two claims wait for each other.
    perform from noetl.bucket b
    where b.key not like 'pool:%' or b.key = any(array(select 'pool:' || p from unnest(p_pools) p))
    order by b.key for update;
  end if;
  if p_idle and exists (select from noetl.command c where c.kind = 'tool' and c.status = 'ready'
    and c.suspect_at is not null and c.pool = any(p_pools)) then
    return query select * from noetl.take_ruled(p_worker, p_pools, p_labels, 1, p_lease, null,
      null, true);
    if found then return; end if;
  end if;
  if ruled or first_tenant <> last_tenant then
    return query select * from noetl.claim_in_turns(p_worker, p_pools, p_labels, p_want, p_lease,
      p_after, p_tenants, ruled);
  elsif first_tenant is not null then
    return query
    with picked as materialized (
      select r.place from unnest(p_pools) as p(pool)
      cross join lateral (
        select c.ctid as place, c.priority, c.ready_at, c.position from noetl.command c
        where c.kind = 'tool' and c.status = 'ready' and c.suspect_at is null and c.pool = p.pool
          and c.tenant = first_tenant and c.ready_at <= now() and c.labels <@ p_labels
        order by c.priority desc, c.ready_at, c.position
        limit p_want for update skip locked) r
      order by r.priority desc, r.ready_at, r.position limit p_want),
    taken as (
      update noetl.command c set status = 'leased', worker = p_worker, handed = false,
        leased_at = clock_timestamp(), lease_until = clock_timestamp() + p_lease
      where c.ctid = any(array(select place from picked))
      returning c.*)
    select * from taken t order by t.priority desc, t.ready_at, t.position;
  end if;
end
$$;
