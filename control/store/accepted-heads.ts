// How a statement writes the rows of executions, for appends and repairs alike: those whose heads it
// has locked are changed, new ones are made, and both together are what it accepted.

/**
 * The parts `moved`, `started` and `accepted` of a statement that has `wanted` and `locked`.
 * @param isNew which of the wanted rows, as `w`, are not there yet.
 */
export const acceptedHeads = (isNew: string): string => `moved as (
  update noetl.execution x set
    head = w.head, digest = decode(w.digest, 'hex'), catalog_id = w.catalog_id, path = w.path,
    version = w.version, parent_id = w.parent_id, status = w.status,
    started_at = to_timestamp(w.started_ms / 1000), ended_at = to_timestamp(w.ended_ms / 1000),
    current_step = w.current_step, error = w.error
  from wanted w join locked l on l.execution_id = w.execution_id
  where x.execution_id = w.execution_id
  returning x.execution_id),
started as (
  insert into noetl.execution (execution_id, head, digest, catalog_id, path, version, parent_id,
    status, started_at, ended_at, current_step, error)
  select w.execution_id, w.head, decode(w.digest, 'hex'), w.catalog_id, w.path, w.version,
    w.parent_id, w.status, to_timestamp(w.started_ms / 1000), to_timestamp(w.ended_ms / 1000),
    w.current_step, w.error
  from wanted w where ${isNew} order by w.execution_id
  on conflict (execution_id) do nothing
  returning execution_id),
accepted as materialized (
  select execution_id from moved union all select execution_id from started)`;
