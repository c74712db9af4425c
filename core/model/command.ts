// One tool call for one step, as a worker is given it: leased, with everything that rendering
// could settle already settled. Playbook text and data stay apart: templates that only a worker
// can evaluate are listed as holes by position, so no data can ever be taken for a template.

import type { FrameEntry } from "./event.ts";
import type { CatalogId, CommandId, ExecutionId } from "./ids.ts";
import type { Json, JsonObject } from "./json.ts";
import type { ResultRef } from "./outcome.ts";

/** A place in a task's config that the worker fills by evaluating playbook text. */
export interface TemplateHole {
  readonly at: readonly (string | number)[];
  readonly text: string;
}

/** One `set` entry as the playbook has it: the key (`ctx.page`) and its text or literal value. */
export interface SetEntry {
  readonly key: string;
  readonly value: Json;
}

export type RuleAction = "continue" | "retry" | "fail" | "break" | "jump";
/** `constant`: a rule that names a delay and no backoff. */
export type Backoff = "none" | "constant" | "linear" | "exponential";

export interface PolicyRule {
  /** The condition's text; absent for `else`. */
  readonly when?: string;
  readonly do: RuleAction;
  readonly attempts: number;
  readonly backoff: Backoff;
  readonly delayMs: number;
  readonly to?: string;
  readonly set: readonly SetEntry[];
}

export interface TaskPolicy {
  /** What an error that no rule matched does; success that no rule matched goes on. */
  readonly onUnmatched: "continue" | "fail";
  /** Every rule that matches applies its `set`; the first that does not go on acts. */
  readonly inclusive?: true;
  readonly rules: readonly PolicyRule[];
}

export interface TaskSpec {
  readonly label: string;
  readonly kind: string;
  /** The tool's fields, rendered; holes stand as null until the worker fills them. */
  readonly config: JsonObject;
  readonly holes: readonly TemplateHole[];
  readonly set: readonly SetEntry[];
  readonly policy?: TaskPolicy;
}

export interface IterationBinding {
  readonly iterator: string;
  readonly item: Json;
  readonly index: number;
  readonly total: number;
  /** Of a row: what its tools are idempotent by, in place of the index. */
  readonly key?: string;
  /** Of a row: the frame that it came with. */
  readonly frame?: {
    readonly number: number;
    readonly key: string;
    readonly rows?: readonly Json[];
    readonly row_count: number;
  };
}

/** One round of a cursor loop: rows are claimed, recorded, and worked on. */
export interface FrameBinding {
  readonly number: number;
  /** The same over all attempts: what the claim may mark its rows with. */
  readonly key: string;
  readonly iterator: string;
  readonly settings: FrameEntry;
  /** The kind of the tool that claims. */
  readonly driver: string;
  readonly claim: TaskSpec;
  /** Of an attempt after the claim was recorded. */
  readonly rows?: readonly Json[];
  readonly rows_ref?: ResultRef;
}

export interface WorkerCommand {
  readonly command_id: CommandId;
  readonly execution_id: ExecutionId;
  readonly catalog_id: CatalogId;
  readonly path: string;
  readonly step: string;
  readonly visit: number;
  readonly attempt: number;
  readonly kind: string;
  readonly pool: string;
  readonly lease_ms: number;
  readonly timeout_ms?: number;
  readonly tasks: readonly TaskSpec[];
  /** Values of the execution that the holes, sets and rules read. */
  readonly scope: JsonObject;
  readonly iteration?: IterationBinding;
  readonly frame?: FrameBinding;
  /** It may have killed its last worker: nothing else is taken until it has been settled. */
  readonly alone?: boolean;
  /** Where an earlier attempt yielded: the pipeline goes on from there. */
  readonly checkpoint?: JsonObject;
  /** Of the trace that the execution belongs to: 32 hexadecimal digits. */
  readonly trace?: string;
}
