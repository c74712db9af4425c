-- What the catalog needs of the database: what is put away is kept and not found any more, and what
-- entries are found by stands in columns of its own, as content and metadata never change.

alter table noetl.catalog
  add archived_at  timestamptz,
  add archived_by  text,
  -- Path, name, description and labels, in lower case.
  add words        text not null default '',
  add capabilities jsonb not null default '[]',
  add agent        boolean not null default false,
  add exposed      boolean not null default false,
  -- May be the version that lists show of its path: there is always one of these that is.
  add listed       boolean not null default true;

-- Those that were registered before. Escapes are taken out before the document is read: the database
-- refuses the whole of one that has `\u0000` anywhere.
update noetl.catalog c set
  words = lower(c.path),
  agent = coalesce(told.meta ->> 'agent' = 'true', false),
  exposed = coalesce(told.meta ->> 'exposes_as_mcp' = 'true'
    or json_typeof(told.meta -> 'exposes_as_mcp') = 'object', false),
  listed = not exists (select from noetl.catalog n
    where n.tenant = c.tenant and n.path = c.path and n.version > c.version)
from (
  select catalog_id, regexp_replace(meta::text, '\\.', '_', 'g')::json as meta
  from noetl.catalog) told
where told.catalog_id = c.catalog_id;

-- Lists and searches go over paths, not over all their versions.
create index catalog_listed on noetl.catalog (tenant, path) where listed;
-- The playbooks that are tools, which are looked for at every call of one.
create index catalog_exposed on noetl.catalog (tenant, path) where listed and exposed;
