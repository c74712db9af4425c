// `noetl run --json`: the run as one JSON document.

import type { ExecutionProgress, StepProgress } from "./run-progress.ts";

export interface StepReport {
  readonly step: string;
  readonly visit: number;
  /** `completed`, `failed`, `recovered`, or `running` where the end came before the step's. */
  readonly status: StepProgress["status"];
  /** RFC 3339. */
  readonly started_at: string;
  readonly duration_ms?: number;
  readonly attempts: number;
  readonly error?: string;
}

export interface RunReport {
  readonly execution_id: string;
  readonly path: string;
  readonly version: number;
  readonly status: ExecutionProgress["status"];
  readonly result: unknown;
  readonly error?: string;
  readonly steps: readonly StepReport[];
  readonly duration_ms: number;
}

/** @param result the execution's result, fetched where the log has its reference only. */
export function runReport(execution: ExecutionProgress, result: unknown): RunReport {
  const { id, path, version, status, error, steps, durationMs } = execution;
  return {
    execution_id: id,
    path,
    version,
    status,
    result: result ?? null,
    ...(error === undefined ? {} : { error }),
    steps: steps.map(stepReport),
    duration_ms: durationMs ?? 0,
  };
}

function stepReport(step: StepProgress): StepReport {
  const { visit, status, startedAtMs, durationMs, attempts, error } = step;
  return {
    step: step.step,
    visit,
    status,
    started_at: new Date(startedAtMs).toISOString(),
    ...(durationMs === undefined ? {} : { duration_ms: durationMs }),
    attempts,
    ...(error === undefined ? {} : { error }),
  };
}
