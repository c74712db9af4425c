// How a statement writes the rows of executions, for appends and repairs alike: those whose heads
// hold are changed, new ones are made, and both together are what it accepted.

interface HeadParts {
  /** Whether a part `locked` says which rows hold; without one the head is compared here. */
  readonly isLocked: boolean;
  /** Which of the wanted rows, as `w`, are not there yet; undefined where all of them are. */
  readonly isNew?: string;
  /** Whether rows that are there already are among the wanted. */
  readonly moves: boolean;
}

/** A row that is alone; put like this, no plan reads more of the index than the one entry. */
const wantedAlone = `x.execution_id = (select execution_id from wanted)
    and x.head = (select expected from wanted)`;

const moved = (isLocked: boolean): string => `moved as (
  update noetl.execution x set
    head = w.head, digest = decode(w.digest, 'hex'), tenant = w.tenant, catalog_id = w.catalog_id,
    path = w.path, version = w.version, parent_id = w.parent_id, status = w.status,
    started_at = to_timestamp(w.started_ms / 1000), ended_at = to_timestamp(w.ended_ms / 1000),
    current_step = w.current_step, error = w.error
  from wanted w ${isLocked ? "join locked l on l.execution_id = w.execution_id" : ""}
  where ${isLocked ? "x.execution_id = w.execution_id" : wantedAlone}
  returning x.execution_id),`;

const started = (isNew: string): string => `started as (
  insert into noetl.execution (execution_id, head, digest, tenant, catalog_id, path, version,
    parent_id, status, started_at, ended_at, current_step, error)
  select w.execution_id, w.head, decode(w.digest, 'hex'), w.tenant, w.catalog_id, w.path, w.version,
    w.parent_id, w.status, to_timestamp(w.started_ms / 1000), to_timestamp(w.ended_ms / 1000),
    w.current_step, w.error
  from wanted w where ${isNew} order by w.execution_id
  on conflict (execution_id) do nothing
  returning execution_id),`;

/** The part `accepted` of a statement that has `wanted`, with what it is made from. */
export function acceptedHeads({ isLocked, isNew, moves }: HeadParts): string {
  const parts = [
    ...(moves ? [{ name: "moved", text: moved(isLocked) }] : []),
    ...(isNew === undefined ? [] : [{ name: "started", text: started(isNew) }]),
  ];
  const union = parts.map(({ name }) => `select execution_id from ${name}`).join(" union all ");
  return `${parts.map(({ text }) => text).join("\n")}
accepted as materialized (${union})`;
}
