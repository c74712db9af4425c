-- Whose executions and playbooks are: each is of one tenant, and everything below an execution is of
-- the execution's. A client's key for what it wants done once stands for the execution that does it.

alter table noetl.execution add tenant text not null default 'default';

-- Executions that began before are of the tenant that their first event names. Escapes are taken out
-- before the document is read: the database refuses the whole of one that has `\u0000` anywhere.
update noetl.execution x set tenant = named.tenant
from noetl.event e
cross join lateral (
  select regexp_replace(e.payload::text, '\\.', '_', 'g')::json ->> 'tenant' as tenant) named
where e.execution_id = x.execution_id and e.seq = 1 and named.tenant is not null;

alter table noetl.catalog add tenant text collate "C" not null default 'default';
alter table noetl.catalog drop constraint catalog_path_version_key;
-- The newest version of a tenant's path, a given one, and lists by path.
alter table noetl.catalog add unique (tenant, path, version);

create table noetl.request_key (
  tenant       text not null,
  scope        text not null,
  key          text collate "C" not null,
  execution_id bigint not null,
  expires_at   timestamptz not null,
  primary key (tenant, scope, key)
);

-- Keys whose time has run out.
create index request_key_expiry on noetl.request_key (expires_at);
