-- Entries of keychains that were resolved. A row without a sealed value only says who fetches it.

create table noetl.keychain (
  -- Begins with the tenant, and names what the scope is a scope of.
  cache_key         text collate "C" primary key,
  tenant            text,
  name              text collate "C",
  catalog_id        bigint,
  scope             text check (scope in ('local', 'shared', 'global')),
  execution_id      bigint,
  root_execution_id bigint,
  kind              text,
  cache_type        text check (cache_type in ('token', 'secret')),
  -- What was not sealed can't be kept.
  sealed            text check (sealed ~ '^[A-Za-z0-9_-]+\.\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$'),
  kid               text,
  expires_at        timestamptz,
  renew_at          timestamptz,
  auto_renew        boolean not null default false,
  renew             json,
  fetching_by       text,
  fetching_until    timestamptz,
  revision          integer not null default 0,
  created_at        timestamptz not null default now(),
  accessed_at       timestamptz,
  access_count      bigint not null default 0,
  check (sealed is null or (tenant is not null and name is not null and scope is not null
    and kind is not null and cache_type is not null and kid is not null))
);

create index keychain_catalog on noetl.keychain (catalog_id);
create index keychain_execution on noetl.keychain (execution_id) where execution_id is not null;
create index keychain_root on noetl.keychain (root_execution_id)
  where root_execution_id is not null;
create index keychain_expiry on noetl.keychain (expires_at);
