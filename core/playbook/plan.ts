// The plan: a checked playbook compiled to what the engine runs. Every template is a closure,
// every arc an index. A plan is made once per content digest and never changes.

import type { TaskSpec } from "#core/model/command";
import type { JsonObject } from "#core/model/json";
import type { PlanCursor } from "./compile-cursor.ts";
import type { Graph } from "./graph.ts";
import type { ReadPath, Template } from "./template.ts";
import type { CompiledSet, CompiledValue } from "./value.ts";

/** A field of a task that the engine renders when the command is issued. */
export interface PlanField {
  /** JSON pointer into the step's task list, as the log has it: `/0/url`. */
  readonly pointer: string;
  readonly task: number;
  readonly at: readonly (string | number)[];
  readonly template: Template;
}

export interface PlanArc {
  readonly to: number;
  readonly when?: Template;
  readonly set: readonly CompiledSet[];
}

export interface PlanLoop {
  readonly mode: "sequential" | "parallel" | "cursor";
  readonly iterator: string;
  readonly items: CompiledValue;
  readonly maxInFlight: number | Template;
  /** Of mode `cursor`, which has no items. */
  readonly cursor?: PlanCursor;
}

/** A rule of admission. */
export interface PlanAdmission {
  readonly when?: Template;
  readonly allow: boolean;
}

/** An event that a step makes known when it has completed. */
export interface PlanEmit {
  readonly event: string;
  readonly data: CompiledValue;
}

export interface PlanStep {
  readonly index: number;
  readonly name: string;
  /** The tool's kind, or `pipeline` for several tasks. */
  readonly kind: string;
  readonly pool: string;
  /** Instead of the execution's own. */
  readonly priority?: number;
  /** At least one, if any. */
  readonly labels?: readonly string[];
  readonly timeoutMs?: number;
  readonly tasks: readonly TaskSpec[];
  readonly fields: readonly PlanField[];
  /** What the worker's templates read of the execution. */
  readonly workerReads: readonly ReadPath[];
  readonly loop?: PlanLoop;
  /** Where it does not hold, the step is passed by. */
  readonly guard?: Template;
  /** Tried in order; where none matches the step is admitted. */
  readonly admit?: readonly PlanAdmission[];
  readonly emit: readonly PlanEmit[];
  readonly set: readonly CompiledSet[];
  readonly exclusive: boolean;
  readonly arcs: readonly PlanArc[];
  /** One of its arcs lies on a cycle: its other targets stay open while the cycle turns. */
  readonly branchesFromCycle: boolean;
}

export interface Plan {
  /** SHA-256 of the playbook's text. */
  readonly digest: string;
  readonly name: string;
  readonly workload: JsonObject;
  /** Its entries as written; the control plane resolves them, the engine never sees them. */
  readonly keychain: readonly JsonObject[];
  readonly entry: number;
  readonly noNextIsError: boolean;
  readonly steps: readonly PlanStep[];
  readonly byName: ReadonlyMap<string, PlanStep>;
  readonly graph: Graph;
}
