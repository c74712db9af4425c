// The statement by which projections move on: compare-and-swap of the number of the event that
// each execution's rows stand for, and its stages and frames with it.

export const applySql = `
with wanted as materialized (
  select * from json_to_recordset($1::text::json) as w(
    execution_id bigint, expected integer, path text, version integer, seq integer, memory text)),
locked as materialized (
  select p.execution_id from noetl.projection p join wanted w on w.execution_id = p.execution_id
  where p.seq = w.expected and w.expected > 0
  order by p.execution_id for update of p),
moved as (
  update noetl.projection p
  set path = w.path, version = w.version, seq = w.seq, memory = w.memory
  from wanted w join locked l on l.execution_id = w.execution_id
  where p.execution_id = w.execution_id
  returning p.execution_id),
started as (
  insert into noetl.projection (execution_id, path, version, seq, memory)
  select execution_id, path, version, seq, memory from wanted where expected = 0
  order by execution_id
  on conflict (execution_id) do nothing
  returning execution_id),
accepted as materialized (
  select execution_id from moved union all select execution_id from started),
staged as (
  insert into noetl.stage (execution_id, entered_seq, step, visit, mode, status, entered_at,
    exited_seq, exited_at, total, done, failed, reissued, duration_ms, duration_ms_min,
    duration_ms_max, queue_ms, queue_ms_max, buckets)
  select s.execution_id, s.entered_seq, s.step, s.visit, s.mode, s.status,
    to_timestamp(s.entered_ms / 1000), s.exited_seq, to_timestamp(s.exited_ms / 1000), s.total,
    s.done, s.failed, s.reissued, s.duration_ms, s.duration_ms_min, s.duration_ms_max, s.queue_ms,
    s.queue_ms_max, s.buckets::integer[]
  from json_to_recordset($2::text::json) as s(execution_id bigint, entered_seq integer, step text,
    visit integer, mode text, status text, entered_ms float8, exited_seq integer, exited_ms float8,
    total integer, done integer, failed integer, reissued integer, duration_ms float8,
    duration_ms_min float8, duration_ms_max float8, queue_ms float8, queue_ms_max float8,
    buckets text)
  join accepted a on a.execution_id = s.execution_id
  on conflict (execution_id, entered_seq) do update set
    step = excluded.step, visit = excluded.visit, mode = excluded.mode, status = excluded.status,
    entered_at = excluded.entered_at, exited_seq = excluded.exited_seq,
    exited_at = excluded.exited_at, total = excluded.total, done = excluded.done,
    failed = excluded.failed, reissued = excluded.reissued, duration_ms = excluded.duration_ms,
    duration_ms_min = excluded.duration_ms_min, duration_ms_max = excluded.duration_ms_max,
    queue_ms = excluded.queue_ms, queue_ms_max = excluded.queue_ms_max,
    buckets = excluded.buckets),
framed as (
  insert into noetl.frame (execution_id, claimed_seq, step, visit, frame, status, row_count,
    claimed_at)
  select f.execution_id, f.claimed_seq, f.step, f.visit, f.frame, f.status, f.row_count,
    to_timestamp(f.claimed_ms / 1000)
  from json_to_recordset($3::text::json) as f(execution_id bigint, claimed_seq integer, step text,
    visit integer, frame integer, status text, row_count integer, claimed_ms float8)
  join accepted a on a.execution_id = f.execution_id
  on conflict (execution_id, claimed_seq) do update set
    step = excluded.step, visit = excluded.visit, frame = excluded.frame,
    status = excluded.status, row_count = excluded.row_count, claimed_at = excluded.claimed_at)
select execution_id::text as id from accepted`;
