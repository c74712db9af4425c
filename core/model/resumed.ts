// What an execution that begins in the middle knows of the one that it goes on from.

import type { LoopStats } from "./event.ts";
import type { ExecutionId } from "./ids.ts";
import type { Json, JsonObject } from "./json.ts";
import type { Output, ResultRef } from "./outcome.ts";

/** What one step of an earlier execution had come to. */
export interface ResumedStep {
  readonly status: "completed" | "failed" | "skipped";
  readonly visits: number;
  readonly output: Output;
  /** Of a loop. */
  readonly stats?: LoopStats;
  readonly results?: readonly Json[];
  readonly results_ref?: ResultRef;
}

/** What an execution that begins in the middle knows of the one that it goes on from. */
export interface Resumed {
  readonly execution_id: ExecutionId;
  /** The step that is entered first. */
  readonly step: string;
  /** The last event of the other log that is known. */
  readonly seq: number;
  readonly variables: JsonObject;
  readonly variable_refs?: Readonly<Record<string, ResultRef>>;
  readonly steps: Readonly<Record<string, ResumedStep>>;
}
