-- What lists of executions need of the database, and what is kept of batches of events.

-- A list is read per status, newest first, and what was read is put together: an index for each way
-- to ask serves every choice of statuses. Paths are compared byte by byte, so that one index finds
-- them by their beginning too. The ids stand in them negated: by these indexes alone they come in the
-- order of a list, so that no plan reads them newest first from the primary key, past all that doesn't
-- match.
drop index noetl.execution_status;
drop index noetl.execution_path;
create index execution_tenant on noetl.execution (tenant, status, (- execution_id));
create index execution_path on noetl.execution (tenant, (path collate "C"), status,
  (- execution_id));
create index execution_catalog on noetl.execution (catalog_id, status, (- execution_id));

-- What a batch of events was answered with; `key` is the client's, of one execution.
create table noetl.event_batch (
  request_id   bigint primary key,
  tenant       text not null,
  execution_id bigint not null,
  key          text collate "C",
  event_ids    json,
  made_at      timestamptz not null default now()
);
create unique index event_batch_key on noetl.event_batch (execution_id, key) where key is not null;
create index event_batch_age on noetl.event_batch (made_at);
