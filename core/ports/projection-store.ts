// Projections of executions: stages, frames of cursor loops, statistics of steps. Each execution's
// rows stand for its log up to one event, and move on under a compare-and-swap of that number, so
// that an event counts once however often it is seen.

import type { CursorFrame, Stage } from "#core/engine/project";
import type { ExecutionId } from "#core/model/ids";

export interface ProjectionRow {
  readonly executionId: ExecutionId;
  readonly path: string;
  readonly version: number;
  /** The last event that the rows stand for. */
  readonly seq: number;
  /** What the fold needs to go on. */
  readonly memory: string;
}

export interface ProjectionUpdate extends ProjectionRow {
  /** Where the rows have to stand for this update to fit; 0 where there are none. */
  readonly expectedSeq: number;
  /** Stages and frames as they are now, where they have changed. */
  readonly stages: readonly Stage[];
  readonly frames: readonly CursorFrame[];
}

/** Calls of one step, over all visits that were looked at. */
export interface StepStatistics {
  readonly step: string;
  readonly visits: number;
  readonly runs: number;
  readonly failures: number;
  readonly reissued: number;
  readonly durationMs: number;
  readonly durationMsMin?: number;
  readonly durationMsMax?: number;
  readonly queueMs: number;
  readonly queueMsMax: number;
  readonly buckets: readonly number[];
}

export interface StagePage {
  /** Only stages that were entered by later events. */
  readonly afterSeq: number;
  readonly limit: number;
}

export interface ProjectionStore {
  rows(executionIds: readonly ExecutionId[]): Promise<readonly ProjectionRow[]>;
  /** Each update under its own compare-and-swap, all in one statement and one commit. */
  apply(updates: readonly ProjectionUpdate[]): Promise<readonly ("accepted" | "conflict")[]>;
  /** In the order in which they were entered. */
  stages(executionId: ExecutionId, page: StagePage): Promise<readonly Stage[]>;
  /** Those that these events entered. */
  stagesAt(executionId: ExecutionId, seqs: readonly number[]): Promise<readonly Stage[]>;
  stageCount(executionId: ExecutionId): Promise<number>;
  frames(executionId: ExecutionId, page: StagePage): Promise<readonly CursorFrame[]>;
  /** Over these executions, as far as they are projected; by step. */
  stepStatistics(executionIds: readonly ExecutionId[]): Promise<readonly StepStatistics[]>;
  remove(executionIds: readonly ExecutionId[]): Promise<void>;
}
