-- People, what they are in which tenant, their tokens, and the audit log. Of a token only its digest
-- is kept.

create table noetl."user" (
  user_id     text collate "C" primary key,
  email       text not null unique,
  subject     text unique,
  name        text,
  disabled_at timestamptz,
  created_at  timestamptz not null
);

create table noetl.membership (
  user_id    text collate "C" not null references noetl."user" on delete cascade,
  tenant     text collate "C" not null,
  role       text not null check (role in ('viewer', 'operator', 'editor', 'admin')),
  created_at timestamptz not null,
  primary key (user_id, tenant)
);
create index membership_tenant on noetl.membership (tenant, user_id);

create table noetl.access_token (
  token_id     text collate "C" primary key,
  kind         text not null check (kind in ('personal', 'session')),
  user_id      text collate "C" not null references noetl."user" on delete cascade,
  tenant       text collate "C" not null,
  role         text not null check (role in ('viewer', 'operator', 'editor', 'admin')),
  platform     boolean not null,
  name         text,
  digest       bytea not null check (length(digest) = 32),
  created_at   timestamptz not null,
  expires_at   timestamptz,
  last_used_at timestamptz,
  revoked_at   timestamptz
);
create index access_token_user on noetl.access_token (user_id, created_at desc);
create index access_token_end on noetl.access_token (least(expires_at, revoked_at));

-- Whether somebody is the only administrator of a tenant who is let in; of any, without one.
create function noetl.is_lone_admin(who text, of_tenant text) returns boolean
language sql stable as $$
  select exists (
    select from noetl.membership m join noetl."user" u using (user_id)
    where m.user_id = who and m.role = 'admin' and u.disabled_at is null
      and (of_tenant is null or m.tenant = of_tenant)
      and not exists (
        select from noetl.membership o join noetl."user" p using (user_id)
        where o.tenant = m.tenant and o.role = 'admin' and o.user_id <> who
          and p.disabled_at is null))
$$;

-- Changes of people wait for each other: of two administrators who remove each other at the same
-- time, one stays. Each says `done`, or why nothing was changed.
create function noetl.put_user(new_row noetl."user") returns text language plpgsql as $$
begin
  perform pg_advisory_xact_lock(7210538401);
  if new_row.disabled_at is not null and noetl.is_lone_admin(new_row.user_id, null) then
    return 'last admin';
  end if;
  insert into noetl."user" select new_row.*
  on conflict (user_id) do update set email = excluded.email, subject = excluded.subject,
    name = excluded.name, disabled_at = excluded.disabled_at;
  return 'done';
exception when unique_violation then
  return 'taken';
end $$;

create function noetl.remove_user(who text) returns text language plpgsql as $$
begin
  perform pg_advisory_xact_lock(7210538401);
  if noetl.is_lone_admin(who, null) then return 'last admin'; end if;
  delete from noetl."user" where user_id = who;
  return case when found then 'done' else 'absent' end;
end $$;

create function noetl.put_membership(new_row noetl.membership) returns text language plpgsql as $$
begin
  perform pg_advisory_xact_lock(7210538401);
  if new_row.role <> 'admin' and noetl.is_lone_admin(new_row.user_id, new_row.tenant) then
    return 'last admin';
  end if;
  insert into noetl.membership select new_row.*
  on conflict (user_id, tenant) do update set role = excluded.role;
  return 'done';
exception when foreign_key_violation then
  return 'absent';
end $$;

create function noetl.remove_membership(who text, of_tenant text) returns text
language plpgsql as $$
begin
  perform pg_advisory_xact_lock(7210538401);
  if noetl.is_lone_admin(who, of_tenant) then return 'last admin'; end if;
  delete from noetl.membership where user_id = who and tenant = of_tenant;
  return case when found then 'done' else 'absent' end;
end $$;

create function noetl.put_token(new_row noetl.access_token) returns text language plpgsql as $$
begin
  insert into noetl.access_token select new_row.*
  on conflict (token_id) do update set name = excluded.name, role = excluded.role,
    expires_at = excluded.expires_at, revoked_at = excluded.revoked_at;
  return 'done';
exception when foreign_key_violation then
  return 'absent';
end $$;

-- Each entry has the digest of the one before it in its own: sha256 of that digest as hexadecimal
-- text, and of `<seq> <milliseconds> <body>`. The body is canonical JSON, made by who appends.
create table noetl.audit (
  seq        bigint primary key,
  at         timestamptz not null,
  actor      text not null,
  actor_kind text not null check (actor_kind in ('person', 'machine')),
  tenant     text collate "C" not null,
  action     text collate "C" not null,
  object     text collate "C" not null,
  outcome    text not null check (outcome in ('done', 'refused')),
  about      json,
  previous   bytea not null,
  digest     bytea not null
);
create index audit_tenant on noetl.audit (tenant, seq);
create index audit_object on noetl.audit (object, seq);

create function noetl.audit_append(entries json) returns setof noetl.audit language plpgsql as $$
declare
  entry record;
  head noetl.audit;
begin
  perform pg_advisory_xact_lock(7210538402);
  -- A statement of its own, begun after the lock was had: it sees what the last holder committed.
  select a.* into head from noetl.audit a order by a.seq desc limit 1;
  if not found then
    head.seq := 0;
    head.digest := decode(repeat('0', 64), 'hex');
  end if;
  for entry in
    select e.* from json_to_recordset(entries) as e(n integer, actor text, actor_kind text,
      tenant text, action text, object text, outcome text, about text, body text)
    order by e.n
  loop
    head.seq := head.seq + 1;
    head.at := date_trunc('milliseconds', clock_timestamp());
    head.previous := head.digest;
    head.digest := sha256(convert_to(encode(head.previous, 'hex') || head.seq || ' ' ||
      (extract(epoch from head.at) * 1000)::bigint || ' ' || entry.body, 'UTF8'));
    head.actor := entry.actor;
    head.actor_kind := entry.actor_kind;
    head.tenant := entry.tenant;
    head.action := entry.action;
    head.object := entry.object;
    head.outcome := entry.outcome;
    head.about := entry.about::json;
    insert into noetl.audit select head.*;
    return next head;
  end loop;
end $$;
