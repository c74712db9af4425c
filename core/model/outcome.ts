// What came of a tool call: one envelope for thrown and soft errors alike, and the reference
// that stands for a value too large to carry.

import type { Json, JsonObject } from "./json.ts";

/** A bad outcome, as data, recorded in the log (never thrown across a boundary). */
export interface Failure {
  /** What went wrong, for rules: `timeout`, `http`, `pg`, `python`, `template`, `config`, … */
  readonly kind: string;
  readonly message: string;
  readonly retryable: boolean;
  /** The finer code where there is one: HTTP status, SQLSTATE, exit code, exception name. */
  readonly code?: string | number;
  readonly details?: Json;
}

export interface ResultMeta {
  readonly bytes: number;
  /** Absent where the value stands in the log, whose own digests cover it. */
  readonly sha256?: string;
  readonly media_type: string;
  readonly row_count?: number;
}

/** A stored value. `ref` is the key to fetch it by; `extracted` its summary for templates. */
export interface ResultRef {
  readonly kind: "result_ref";
  readonly ref: string;
  readonly store: string;
  readonly scope: "step" | "execution" | "workflow" | "permanent";
  readonly meta: ResultMeta;
  readonly extracted?: Json;
}

/** The `output` of a task or step (language reference §3.4). */
export interface Output {
  readonly status: "ok" | "error";
  /** The value; absent when `ref` stands for it. */
  readonly data?: Json;
  readonly ref?: ResultRef;
  readonly error?: Failure;
  readonly http?: JsonObject;
  readonly pg?: JsonObject;
  readonly py?: JsonObject;
  readonly meta?: JsonObject;
  /** Pipelines: the data of every task but the last, by label; the last one's is `data`. */
  readonly tasks?: JsonObject;
  readonly tasks_ref?: ResultRef;
  /** Pipelines: the label of the task whose data is `data`. */
  readonly task?: string;
}

/** Where a pipeline stopped to wait, in the worker's own words, and for how long. */
export interface YieldedAt {
  readonly checkpoint: JsonObject;
  readonly delay_ms: number;
}

/** The rows that a frame of a cursor loop has claimed, recorded before any is worked on. */
export interface ClaimedRows {
  readonly frame: number;
  readonly row_count: number;
  readonly rows?: readonly Json[];
  readonly rows_ref?: ResultRef;
}

/** What was begun goes on elsewhere, and is answered under this key. */
export interface ParkedAt {
  readonly key: string;
  readonly timeout_ms: number;
  readonly about?: JsonObject;
}

/** What a worker reports of one attempt at one command. */
export interface Outcome {
  readonly command_id: string;
  readonly attempt: number;
  readonly output: Output;
  /** Values that the pipeline's `set` gave to the execution. */
  readonly set?: JsonObject;
  /**
   * How the command counts; without it, as its output's status says. `done` with a status `error`:
   * a policy went on past the error, which arcs still see (language reference §1.5).
   */
  readonly settled_as?: "done" | "error";
  readonly duration_ms: number;
  /** The command did not end: it goes on from here once the delay is over, holding no slot. */
  readonly yielded?: YieldedAt;
  /** The command goes on: only these rows are to be recorded. */
  readonly claimed?: ClaimedRows;
  /** The command did not end: somebody else will say how it does. */
  readonly parked?: ParkedAt;
}

export function failureOutput(failure: Failure): Output {
  return { status: "error", error: failure };
}
