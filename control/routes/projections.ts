// Routes of projections: what is shown of executions beside their state, as far as it has come.

import type { Elysia } from "elysia";
import { tenantFor } from "#control/access/admission";
import type { Executions } from "#control/services/executions";
import { durationBucketsMs, type Stage } from "#core/engine/project";
import { Fault } from "#core/model/fault";
import { statisticsExecutionsMax } from "#core/model/limits";
import type { StepStatistics } from "#core/ports/projection-store";
import { api, pageSize } from "#core/wire/api";
import { parseExecutionId } from "./executions.ts";
import { mount } from "./mount.ts";

export function projectionRoutes(app: Elysia, executions: Executions): void {
  const { projections, log } = executions.context;
  mount(app, api.executionStages, async ({ params, query }) => {
    const id = parseExecutionId(params.id);
    const head = await log.head(id);
    if (head === undefined) throw new Fault("not_found", `execution ${id} does not exist`);
    const [row] = await projections.rows([id]);
    const page = { afterSeq: query.after ?? 0, limit: pageSize(query.limit) };
    const stages = await projections.stages(id, page);
    return {
      execution_id: id,
      projected: row?.seq ?? 0,
      head: head.seq,
      stages: stages.map(stageView),
    };
  });
  mount(app, api.stepStatistics, async ({ query }, http) => {
    const asked = Math.max(1, query.executions ?? statisticsExecutionsMax);
    const newest = await log.executions({
      tenant: tenantFor(http),
      path: query.path,
      limit: Math.min(asked, statisticsExecutionsMax),
    });
    const steps = await projections.stepStatistics(newest.map(({ executionId }) => executionId));
    return { path: query.path, steps: steps.map(statisticsView) };
  });
}

const seconds = (ms: number): number => ms / 1_000;
const rfc3339 = (timeMs: number): string => new Date(timeMs).toISOString();

function stageView(stage: Stage) {
  const { enteredMs, exitedMs, mode } = stage;
  return {
    step: stage.step,
    visit: stage.visit,
    entered_seq: stage.enteredSeq,
    status: stage.status,
    ...(mode === undefined ? {} : { mode }),
    started_at: rfc3339(enteredMs),
    ...(exitedMs === undefined
      ? {}
      : { ended_at: rfc3339(exitedMs), duration_seconds: seconds(exitedMs - enteredMs) }),
    total: stage.total,
    done: stage.done,
    failed: stage.failed,
    reissued: stage.reissued,
    call_seconds: seconds(stage.durationMs),
    queue_seconds: seconds(stage.queueMs),
    queue_seconds_max: seconds(stage.queueMsMax),
  };
}

function statisticsView(own: StepStatistics) {
  const { durationMsMin, durationMsMax } = own;
  return {
    step: own.step,
    visits: own.visits,
    runs: own.runs,
    failures: own.failures,
    reissued: own.reissued,
    duration_seconds: {
      sum: seconds(own.durationMs),
      ...(durationMsMin === undefined ? {} : { min: seconds(durationMsMin) }),
      ...(durationMsMax === undefined ? {} : { max: seconds(durationMsMax) }),
    },
    queue_seconds: { sum: seconds(own.queueMs), max: seconds(own.queueMsMax) },
    buckets: own.buckets.map((count, at) => {
      const boundMs = durationBucketsMs[at];
      return { up_to_seconds: boundMs === undefined ? null : seconds(boundMs), count };
    }),
  };
}
