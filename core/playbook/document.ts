// The canonical playbook (language reference §1) as plain data: what parsing yields when it finds
// no problem, and what the plan is compiled from. Shapes only; the checks are in check.ts.

import type { Json, JsonObject } from "#core/model/json";

export interface PlaybookDocument {
  readonly apiVersion: "noetl.io/v2";
  /** An agent is a playbook that says so, and is found among agents. */
  readonly kind: "Playbook" | "Agent";
  readonly metadata: PlaybookMetadata;
  readonly workload?: JsonObject;
  readonly keychain?: readonly JsonObject[];
  readonly workbook?: readonly WorkbookDocument[];
  readonly executor?: ExecutorDocument;
  readonly workflow: readonly StepDocument[];
}

export interface PlaybookMetadata extends JsonObject {
  readonly name: string;
}

export interface ExecutorDocument {
  readonly profile?: "local" | "distributed" | "auto";
  readonly version?: string;
  readonly requires?: JsonObject;
  readonly spec?: {
    readonly entry_step?: string;
    readonly final_step?: string;
    readonly no_next_is_error?: boolean;
    readonly policy?: JsonObject;
    /** Commands of the playbook that may run at a time, over all its executions. */
    readonly concurrency?: number;
  };
}

export interface WorkbookDocument {
  readonly name: string;
  readonly tool: ToolDocument;
}

export interface StepDocument {
  readonly step: string;
  readonly desc?: string;
  /** Always a list after parsing: a single tool is a list of one, without a name. */
  readonly tool: readonly ToolDocument[];
  readonly next?: NextDocument;
  readonly loop?: LoopDocument;
  readonly set?: JsonObject;
  readonly input?: JsonObject;
  readonly output?: JsonObject;
  readonly spec?: StepSpecDocument;
  /** A guard: where it does not hold, the step is passed by and its arcs are asked. */
  readonly when?: string | boolean;
  /** Events that the step makes known when it has completed. */
  readonly emit?: EmitDocument | readonly EmitDocument[];
}

export interface EmitDocument {
  readonly event: string;
  readonly data?: Json;
}

export interface StepSpecDocument {
  /** Seconds one attempt at the whole step may take. */
  readonly timeout?: number;
  /** The worker pool that runs the step. */
  readonly pool?: string;
  /** Higher goes first within the pool. */
  readonly priority?: number;
  /** What a worker must have to be given the step. */
  readonly labels?: string | readonly string[];
  readonly policy?: {
    /** Whether the step is entered at all: the first rule that matches says. */
    readonly admit?: AdmitDocument;
  };
}

/** What stands under a step's `spec.policy.admit` after parsing. */
export interface AdmitDocument {
  readonly mode?: "exclusive";
  readonly rules: readonly AdmitRuleDocument[];
}

export interface AdmitRuleDocument {
  readonly when?: string | boolean;
  readonly then: { readonly allow: boolean };
}

/** A tool's own fields stand beside these, as written. */
export interface ToolDocument extends JsonObject {
  readonly kind: string;
}

export interface RuleDocument {
  readonly when?: string | boolean;
  readonly then: {
    readonly do: "continue" | "retry" | "fail" | "break" | "jump";
    readonly attempts?: number;
    readonly backoff?: string;
    readonly delay?: number;
    readonly to?: string;
    readonly set?: JsonObject;
  };
}

/** What stands under a tool's `spec.policy` after parsing: both spellings of else made one. */
export interface PolicyDocument {
  readonly mode?: "exclusive" | "inclusive";
  readonly on_unmatched?: "continue" | "fail";
  readonly rules: readonly RuleDocument[];
}

export interface NextDocument {
  readonly spec?: {
    readonly mode?: "exclusive" | "inclusive";
    readonly on_no_match?: "complete" | "quiet";
  };
  readonly arcs: readonly ArcDocument[];
}

export interface ArcDocument {
  readonly step: string;
  readonly when?: string | boolean;
  readonly set?: JsonObject;
}

export interface LoopDocument {
  /** A template, or a literal list; a loop has this or a cursor. */
  readonly in?: Json;
  readonly cursor?: CursorDocument;
  readonly iterator: string;
  readonly spec?: {
    readonly mode?: "sequential" | "parallel" | "cursor";
    readonly max_in_flight?: number | string;
    readonly policy?: JsonObject;
    readonly frame?: JsonObject;
  };
}

/** What claims the rows of a loop; fields of the tool of its kind stand beside these, as written. */
export interface CursorDocument extends JsonObject {
  readonly kind: string;
}

/** A place in a document: keys and indexes from its root. */
export type DocumentPath = readonly (string | number)[];

/** Something wrong with a playbook, at a place a person can find. Lines and columns from 1. */
export interface Problem {
  readonly message: string;
  readonly line: number;
  readonly column: number;
  readonly path: DocumentPath;
}
