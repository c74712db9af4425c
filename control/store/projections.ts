// Projections on a database. An update is one statement for any number of executions: those whose
// row stands where it is expected are locked in order and moved on, the others are left alone.

import { storableText } from "#core/adapters/transition-check";
import type { CursorFrame, Stage, StageStatus } from "#core/engine/project";
import type { LoopMode } from "#core/model/event";
import { type ExecutionId, executionId, isSnowflake } from "#core/model/ids";
import type {
  ProjectionStore,
  ProjectionUpdate,
  StagePage,
  StepStatistics,
} from "#core/ports/projection-store";
import { applySql } from "./projections-apply.ts";
import type { Sql } from "./sql.ts";

const ms = (column: string) => `(extract(epoch from ${column}) * 1000)::float8`;

const rowsSql = `select p.execution_id::text as id, p.path, p.version, p.seq, p.memory
from noetl.projection p join json_array_elements_text($1::text::json) as j(id)
  on p.execution_id = j.id::bigint`;

const stageColumns = `s.step, s.visit, s.entered_seq, ${ms("s.entered_at")} as entered_ms, s.mode,
  s.status, s.exited_seq, ${ms("s.exited_at")} as exited_ms, s.total, s.done, s.failed, s.reissued,
  s.duration_ms, s.duration_ms_min, s.duration_ms_max, s.queue_ms, s.queue_ms_max,
  to_json(s.buckets)::text as buckets`;

const stagesSql = `select ${stageColumns} from noetl.stage s
where s.execution_id = $1::text::bigint and s.entered_seq > $2::integer
order by s.entered_seq limit $3::integer`;

const stagesAtSql = `select ${stageColumns} from noetl.stage s
join json_array_elements_text($2::text::json) as j(seq) on s.entered_seq = j.seq::integer
where s.execution_id = $1::text::bigint order by s.entered_seq`;

const stageCountSql = `select count(*)::integer as count from noetl.stage
where execution_id = $1::text::bigint`;

const framesSql = `select step, visit, frame, claimed_seq, status, row_count,
  ${ms("claimed_at")} as claimed_ms from noetl.frame
where execution_id = $1::text::bigint and claimed_seq > $2::integer
order by claimed_seq limit $3::integer`;

const statisticsSql = `
with asked as materialized (
  select distinct id::bigint as execution_id from json_array_elements_text($1::text::json) as j(id)),
seen as materialized (
  select s.* from asked a join noetl.stage s on s.execution_id = a.execution_id),
counted as (
  select step, json_agg(count order by place)::text as buckets from (
    select s.step, b.place, sum(b.count) as count
    from seen s cross join lateral unnest(s.buckets) with ordinality as b(count, place)
    group by s.step, b.place) each_bucket
  group by step)
select s.step, count(*)::integer as visits, sum(s.done)::integer as runs,
  sum(s.failed)::integer as failures, sum(s.reissued)::integer as reissued,
  sum(s.duration_ms) as duration_ms, min(s.duration_ms_min) as duration_ms_min,
  max(s.duration_ms_max) as duration_ms_max, sum(s.queue_ms) as queue_ms,
  max(s.queue_ms_max) as queue_ms_max, min(c.buckets) as buckets
from seen s join counted c on c.step = s.step
group by s.step order by s.step collate "C"`;

const removeSql = `
with gone as materialized (
  select id::bigint as id from json_array_elements_text($1::text::json) as j(id)),
rows as (delete from noetl.projection p using gone g where p.execution_id = g.id),
stages as (delete from noetl.stage s using gone g where s.execution_id = g.id)
delete from noetl.frame f using gone g where f.execution_id = g.id`;

interface StageRecord {
  readonly step: string;
  readonly visit: number;
  readonly entered_seq: number;
  readonly entered_ms: number;
  readonly mode: string | null;
  readonly status: string;
  readonly exited_seq: number | null;
  readonly exited_ms: number | null;
  readonly total: number;
  readonly done: number;
  readonly failed: number;
  readonly reissued: number;
  readonly duration_ms: number;
  readonly duration_ms_min: number | null;
  readonly duration_ms_max: number | null;
  readonly queue_ms: number;
  readonly queue_ms_max: number;
  readonly buckets: string;
}

function stageOf(record: StageRecord): Stage {
  const { mode, exited_seq, exited_ms, duration_ms_min, duration_ms_max } = record;
  return {
    step: record.step,
    visit: record.visit,
    enteredSeq: record.entered_seq,
    enteredMs: record.entered_ms,
    // Written by `apply` alone, from values of these types.
    ...(mode === null ? {} : { mode: mode as LoopMode }),
    status: record.status as StageStatus,
    total: record.total,
    done: record.done,
    failed: record.failed,
    reissued: record.reissued,
    durationMs: record.duration_ms,
    queueMs: record.queue_ms,
    queueMsMax: record.queue_ms_max,
    buckets: JSON.parse(record.buckets) as number[],
    ...(duration_ms_min === null ? {} : { durationMsMin: duration_ms_min }),
    ...(duration_ms_max === null ? {} : { durationMsMax: duration_ms_max }),
    ...(exited_seq === null ? {} : { exitedSeq: exited_seq }),
    ...(exited_ms === null ? {} : { exitedMs: exited_ms }),
  };
}

function stageRecord(id: ExecutionId, stage: Stage): object {
  return {
    execution_id: id,
    entered_seq: stage.enteredSeq,
    step: storableText(stage.step),
    visit: stage.visit,
    mode: stage.mode,
    status: stage.status,
    entered_ms: stage.enteredMs,
    exited_seq: stage.exitedSeq,
    exited_ms: stage.exitedMs,
    total: stage.total,
    done: stage.done,
    failed: stage.failed,
    reissued: stage.reissued,
    duration_ms: stage.durationMs,
    duration_ms_min: stage.durationMsMin,
    duration_ms_max: stage.durationMsMax,
    queue_ms: stage.queueMs,
    queue_ms_max: stage.queueMsMax,
    buckets: `{${stage.buckets.join(",")}}`,
  };
}

interface FrameRecord {
  readonly step: string;
  readonly visit: number;
  readonly frame: number;
  readonly claimed_seq: number;
  readonly claimed_ms: number;
  readonly status: string;
  readonly row_count: number | null;
}

function frameOf({ claimed_seq, claimed_ms, row_count, ...rest }: FrameRecord): CursorFrame {
  return {
    step: rest.step,
    visit: rest.visit,
    frame: rest.frame,
    claimedSeq: claimed_seq,
    claimedMs: claimed_ms,
    status: rest.status as CursorFrame["status"],
    ...(row_count === null ? {} : { rowCount: row_count }),
  };
}

const frameRecord = (id: ExecutionId, frame: CursorFrame): object => ({
  execution_id: id,
  claimed_seq: frame.claimedSeq,
  step: storableText(frame.step),
  visit: frame.visit,
  frame: frame.frame,
  status: frame.status,
  row_count: frame.rowCount,
  claimed_ms: frame.claimedMs,
});

interface StatisticsRecord {
  readonly step: string;
  readonly visits: number;
  readonly runs: number;
  readonly failures: number;
  readonly reissued: number;
  readonly duration_ms: number;
  readonly duration_ms_min: number | null;
  readonly duration_ms_max: number | null;
  readonly queue_ms: number;
  readonly queue_ms_max: number;
  readonly buckets: string;
}

function statisticsOf(record: StatisticsRecord): StepStatistics {
  const { duration_ms_min: shortest, duration_ms_max: longest } = record;
  return {
    step: record.step,
    visits: record.visits,
    runs: record.runs,
    failures: record.failures,
    reissued: record.reissued,
    durationMs: record.duration_ms,
    ...(shortest === null ? {} : { durationMsMin: shortest }),
    ...(longest === null ? {} : { durationMsMax: longest }),
    queueMs: record.queue_ms,
    queueMsMax: record.queue_ms_max,
    buckets: JSON.parse(record.buckets) as number[],
  };
}

function applyValues(updates: readonly ProjectionUpdate[]): readonly string[] {
  const wanted = updates.map(({ executionId: id, path, version, seq, memory, expectedSeq }) => ({
    execution_id: id,
    expected: expectedSeq,
    path: storableText(path),
    version,
    seq,
    memory,
  }));
  return [
    JSON.stringify(wanted),
    JSON.stringify(
      updates.flatMap(({ executionId: id, stages }) =>
        stages.map((stage) => stageRecord(id, stage)),
      ),
    ),
    JSON.stringify(
      updates.flatMap(({ executionId: id, frames }) =>
        frames.map((frame) => frameRecord(id, frame)),
      ),
    ),
  ];
}

/** The projections on a migrated database. */
export function sqlProjections(sql: Sql): ProjectionStore {
  const stages = async (text: string, values: readonly (string | number)[]) =>
    (await sql.query<StageRecord>(text, values)).map(stageOf);
  const pageValues = (id: ExecutionId, { afterSeq, limit }: StagePage) => [id, afterSeq, limit];

  return {
    rows: async (ids) => {
      const known = ids.filter(isSnowflake);
      if (known.length === 0) return [];
      const found = await sql.query<ProjectionRecord>(rowsSql, [JSON.stringify(known)]);
      return found.map(({ id, ...row }) => ({ executionId: executionId(id), ...row }));
    },
    apply: async (updates) => {
      if (updates.length === 0) return [];
      const accepted = await sql.query<{ id: string }>(applySql, applyValues(updates));
      const ids = new Set(accepted.map(({ id }) => id));
      return updates.map(({ executionId: id }) => (ids.has(id) ? "accepted" : "conflict"));
    },
    stages: async (id, page) => (isSnowflake(id) ? stages(stagesSql, pageValues(id, page)) : []),
    stagesAt: async (id, seqs) =>
      isSnowflake(id) && seqs.length > 0 ? stages(stagesAtSql, [id, JSON.stringify(seqs)]) : [],
    stageCount: async (id) => {
      if (!isSnowflake(id)) return 0;
      const [record] = await sql.query<{ count: number }>(stageCountSql, [id]);
      return record?.count ?? 0;
    },
    frames: async (id, page) => {
      if (!isSnowflake(id)) return [];
      return (await sql.query<FrameRecord>(framesSql, pageValues(id, page))).map(frameOf);
    },
    stepStatistics: async (ids) => {
      const values = [JSON.stringify(ids.filter(isSnowflake))];
      return (await sql.query<StatisticsRecord>(statisticsSql, values)).map(statisticsOf);
    },
    remove: async (ids) => {
      const known = ids.filter(isSnowflake);
      if (known.length > 0) await sql.query(removeSql, [JSON.stringify(known)]);
    },
  };
}

interface ProjectionRecord {
  readonly id: string;
  readonly path: string;
  readonly version: number;
  readonly seq: number;
  readonly memory: string;
}
