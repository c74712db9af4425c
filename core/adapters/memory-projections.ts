// Projections in memory: the reference implementation of the port.

import type { CursorFrame, Stage } from "#core/engine/project";
import type { ExecutionId } from "#core/model/ids";
import type {
  ProjectionRow,
  ProjectionStore,
  ProjectionUpdate,
  StagePage,
  StepStatistics,
} from "#core/ports/projection-store";

interface Kept {
  row: ProjectionRow;
  /** By the event that entered or claimed; kept as copies. */
  readonly stages: Map<number, Stage>;
  readonly frames: Map<number, CursorFrame>;
}

/** An empty store of projections. */
export function memoryProjections(): ProjectionStore {
  const byId = new Map<ExecutionId, Kept>();

  const apply = (update: ProjectionUpdate): "accepted" | "conflict" => {
    const { expectedSeq, stages, frames, ...row } = update;
    const known = byId.get(update.executionId);
    if ((known?.row.seq ?? 0) !== expectedSeq) return "conflict";
    const kept = known ?? { row, stages: new Map(), frames: new Map() };
    kept.row = row;
    for (const stage of stages) kept.stages.set(stage.enteredSeq, structuredClone(stage));
    for (const frame of frames) kept.frames.set(frame.claimedSeq, { ...frame });
    byId.set(update.executionId, kept);
    return "accepted";
  };

  return {
    rows: async (ids) => ids.flatMap((id) => byId.get(id)?.row ?? []),
    apply: async (updates) => updates.map(apply),
    stages: async (id, page) => pageOf(byId.get(id)?.stages, page).map(copied),
    stagesAt: async (id, seqs) =>
      seqs.flatMap((seq) => byId.get(id)?.stages.get(seq) ?? []).map(copied),
    stageCount: async (id) => byId.get(id)?.stages.size ?? 0,
    frames: async (id, page) => pageOf(byId.get(id)?.frames, page),
    stepStatistics: async (ids) =>
      statisticsOf([...new Set(ids)].flatMap((id) => [...(byId.get(id)?.stages.values() ?? [])])),
    remove: async (ids) => {
      for (const id of ids) byId.delete(id);
    },
  };
}

const copied = (stage: Stage): Stage => structuredClone(stage);

function pageOf<Value>(
  values: ReadonlyMap<number, Value> | undefined,
  { afterSeq, limit }: StagePage,
): readonly Value[] {
  return [...(values ?? [])]
    .filter(([seq]) => seq > afterSeq)
    .sort(([a], [b]) => a - b)
    .slice(0, limit)
    .map(([, value]) => value);
}

function statisticsOf(stages: readonly Stage[]): readonly StepStatistics[] {
  const byStep = Map.groupBy(stages, ({ step }) => step);
  return [...byStep].sort(([a], [b]) => (a < b ? -1 : 1)).map(([step, own]) => summed(step, own));
}

function summed(step: string, stages: readonly Stage[]): StepStatistics {
  const sum = (pick: (stage: Stage) => number): number =>
    stages.reduce((total, stage) => total + pick(stage), 0);
  const shortest = stages.flatMap(({ durationMsMin }) => durationMsMin ?? []);
  const longest = stages.flatMap(({ durationMsMax }) => durationMsMax ?? []);
  const buckets = (stages[0]?.buckets ?? []).map((_, at) => sum((stage) => stage.buckets[at] ?? 0));
  return {
    step,
    visits: stages.length,
    runs: sum(({ done }) => done),
    failures: sum(({ failed }) => failed),
    reissued: sum(({ reissued }) => reissued),
    durationMs: sum(({ durationMs }) => durationMs),
    ...(shortest.length === 0 ? {} : { durationMsMin: Math.min(...shortest) }),
    ...(longest.length === 0 ? {} : { durationMsMax: Math.max(...longest) }),
    queueMs: sum(({ queueMs }) => queueMs),
    queueMsMax: Math.max(...stages.map(({ queueMsMax }) => queueMsMax)),
    buckets,
  };
}
