// Compiles the cursor of a loop: what claims its rows, frame by frame, and the numbers that bound
// it, each of which may be a template.

import type { TaskSpec } from "#core/model/command";
import {
  cursorFramesDefault,
  frameAttemptsDefault,
  frameBytesDefault,
  frameHeartbeatSecondsDefault,
  frameLeaseSecondsDefault,
  frameRowsDefault,
  frameSecondsDefault,
  framesInFlightDefault,
} from "#core/model/cursor-limits";
import { invariant } from "#core/model/fault";
import { isJsonObject, type Json, type JsonObject } from "#core/model/json";
import type { LoopDocument } from "./document.ts";
import type { PlanField } from "./plan.ts";
import { compileTasks } from "./tasks.ts";
import type { ReadPath } from "./template.ts";
import { type CompiledValue, compileValue } from "./value.ts";

/** The numbers of a cursor loop as written: literals, or templates for the engine to render. */
export interface PlanFrame {
  readonly max_rows: CompiledValue;
  readonly max_bytes: CompiledValue;
  readonly max_seconds: CompiledValue;
  readonly lease_seconds: CompiledValue;
  readonly heartbeat_seconds: CompiledValue;
  readonly row_concurrency: CompiledValue;
  readonly max_attempts: CompiledValue;
  readonly frames_max: CompiledValue;
  readonly max_in_flight: CompiledValue;
}

export interface PlanCursor {
  /** The kind of the tool that claims. */
  readonly driver: string;
  readonly claim: TaskSpec;
  /** Fields of the claim that the engine renders; their pointers begin with `/claim`. */
  readonly fields: readonly PlanField[];
  /** What the claim's other templates read of the execution. */
  readonly reads: readonly ReadPath[];
  readonly frame: PlanFrame;
  readonly process: "row" | "frame";
}

/** Stands for the claim's place among the tasks of its step. */
export const claimPrefix = "/claim";

/** @throws InvariantViolation for a loop without a cursor. */
export function compileCursor(loop: LoopDocument): PlanCursor {
  const { cursor, spec } = loop;
  invariant(cursor !== undefined, "a loop without a cursor was taken for one with");
  const { kind, claim, options, ...own } = cursor;
  const config: JsonObject = claim === undefined ? own : { ...own, command: claim };
  const source = { label: "claim", kind, config, set: [] };
  const { tasks, fields, workerReads } = compileTasks([source], {});
  const [task] = tasks;
  invariant(task !== undefined, "a claim was compiled to no task");
  const frame: JsonObject = spec?.frame ?? {};
  return {
    driver: kind,
    claim: task,
    fields: fields.map((field) => ({ ...field, pointer: claimPointer(field.pointer) })),
    reads: workerReads,
    frame: numbersOf(frame, { options, inFlight: spec?.max_in_flight }),
    process: frame.process === "frame" ? "frame" : "row",
  };
}

/** Compiled as the first task of its own, it stands beside those of the step. */
function claimPointer(pointer: string): string {
  return `${claimPrefix}${pointer.slice("/0".length)}`;
}

interface Beside {
  readonly options: Json | undefined;
  readonly inFlight: number | string | undefined;
}

function numbersOf(frame: JsonObject, { options, inFlight }: Beside): PlanFrame {
  const given = isJsonObject(options ?? null) ? (options as JsonObject) : {};
  const number = (value: Json | undefined, otherwise: number): CompiledValue =>
    compileValue(value ?? otherwise);
  return {
    max_rows: number(frame.max_rows, frameRowsDefault),
    max_bytes: number(frame.max_bytes, frameBytesDefault),
    max_seconds: number(frame.max_seconds, frameSecondsDefault),
    lease_seconds: number(frame.lease_seconds, frameLeaseSecondsDefault),
    heartbeat_seconds: number(frame.heartbeat_seconds, frameHeartbeatSecondsDefault),
    row_concurrency: number(frame.row_concurrency, 1),
    max_attempts: number(frame.max_attempts, frameAttemptsDefault),
    frames_max: number(given.max_iterations, cursorFramesDefault),
    max_in_flight: number(inFlight, framesInFlightDefault),
  };
}
