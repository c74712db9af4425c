-- Credentials, sealed by a master key that the database never sees. What is not sealed doesn't fit
-- into the column: the check takes a compact JWE without a carried key, and nothing else.

create table noetl.credential (
  credential_id   bigint primary key,
  tenant          text collate "C" not null,
  name            text collate "C" not null,
  type            text not null,
  sealed          text not null
    check (sealed ~ '^[A-Za-z0-9_-]+\.\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$'),
  kid             text not null,
  meta            json not null,
  tags            text[] not null,
  description     text,
  -- Who may use it; null where that is open within its tenant, and closed to others.
  allow_tenants   text[],
  allow_playbooks text[],
  allow_pools     text[],
  -- Counts changes; sealing anew is none.
  revision        integer not null default 1,
  created_at      timestamptz not null default now(),
  updated_at      timestamptz not null default now(),
  unique (tenant, name)
);

-- What an older key has sealed, and how much of it there is.
create index credential_kid on noetl.credential (kid);
-- Those that other tenants may use, by the name they ask for.
create index credential_shared on noetl.credential (name) where allow_tenants is not null;
