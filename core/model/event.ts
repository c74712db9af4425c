// The closed list of events (DESIGN §5). The log is the truth, and these are all it can say.
// Names are as they stand in the log; a value too large to carry is replaced by its reference
// in a field of its own (`…_ref`), so data can never be taken for a reference.

import type { CatalogId, CommandId, EventId, ExecutionId } from "./ids.ts";
import type { Json, JsonObject } from "./json.ts";
import type { Failure, Output, ResultRef } from "./outcome.ts";
import type { Resumed } from "./resumed.ts";

export const eventSchemaVersion = 1;

export interface Envelope {
  readonly execution_id: ExecutionId;
  /** Dense from 1 within the execution. */
  readonly seq: number;
  /** Minted by the control plane; increasing within the execution. */
  readonly event_id: EventId;
  /** Milliseconds since 1970, never decreasing within the execution; what `now()` reads. */
  readonly time: number;
  readonly schema_version: number;
}

export interface Origin {
  readonly request_id?: string;
  readonly client_id?: string;
  readonly subject?: string;
  /** The command whose dead letter was answered by this execution. */
  readonly dead_letter?: string;
  /** The execution that this one is listed as a child of, without being waited for. */
  readonly parent?: ExecutionId;
  /** The execution that this one does over. */
  readonly rerun_of?: ExecutionId;
}

export interface ParentLink {
  readonly execution_id: ExecutionId;
  readonly command_id: CommandId;
  /** How many ancestors there are; bounded by `childDepthMax`. */
  readonly depth: number;
  /** The step whose last output stands for the result, instead of the execution's own. */
  readonly result_step?: string;
}

export interface PlaybookStarted {
  readonly type: "playbook.started";
  readonly catalog_id: CatalogId;
  readonly path: string;
  readonly version: number;
  readonly plan_digest: string;
  readonly engine_version: string;
  readonly workload?: JsonObject;
  readonly workload_ref?: ResultRef;
  readonly origin?: Origin;
  readonly parent?: ParentLink;
  readonly trace?: JsonObject;
  /** Of its commands, unless their step says otherwise; 0 without it. */
  readonly priority?: number;
  /** On whose behalf it runs; `default` without it. */
  readonly tenant?: string;
  /** It begins in the middle; absent for one that begins at the playbook's first step. */
  readonly resumed?: Resumed;
}

export type LoopMode = "sequential" | "parallel" | "cursor";

/** The numbers of a cursor loop, as they were when its step was entered. */
export interface FrameEntry {
  readonly max_rows: number;
  readonly max_bytes: number;
  /** What one claim may take. */
  readonly max_seconds: number;
  readonly lease_seconds: number;
  readonly heartbeat_seconds: number;
  /** Rows of one frame that are worked on at the same time. */
  readonly row_concurrency: number;
  /** Times that the frame is run in all. */
  readonly max_attempts: number;
  /** Frames of one visit. */
  readonly frames_max: number;
  readonly process: "row" | "frame";
}

export interface LoopEntry {
  readonly mode: LoopMode;
  /** 0 for a cursor: nobody knows. */
  readonly total: number;
  readonly max_in_flight: number;
  readonly items?: readonly Json[];
  readonly items_ref?: ResultRef;
  readonly frame?: FrameEntry;
}

export interface StepEnter {
  readonly type: "step.enter";
  readonly step: string;
  readonly visit: number;
  readonly loop?: LoopEntry;
}

/** What rendering produced; the step's static text comes from the pinned playbook version. */
export interface CommandInput {
  /** Rendered fields by JSON pointer into the step's task list: `/0/url`. */
  readonly fields: JsonObject;
  /** Values that templates left to the worker read: `{workload: {api: …}}`. */
  readonly scope?: JsonObject;
}

export interface CommandIssued {
  readonly type: "command.issued";
  readonly step: string;
  readonly visit: number;
  readonly command_id: CommandId;
  /** The tool kind, or `pipeline` for several tasks. */
  readonly kind: string;
  readonly pool: string;
  /** Higher goes first; 0 without it. */
  readonly priority?: number;
  /** What a worker must have to be given it. */
  readonly labels?: readonly string[];
  readonly iteration?: number;
  /** Which frame of a cursor loop it is, from 0. */
  readonly frame?: number;
  /** Of a job that was asked for: its number, by which `request.enqueued` has what it does. */
  readonly job?: number;
  readonly input?: CommandInput;
  readonly input_ref?: ResultRef;
  readonly timeout_ms?: number;
  readonly due_at?: number;
}

/**
 * - `lease_expired`: its worker was lost while it ran other commands too: it runs again as a suspect
 * - `worker_died`: its worker was lost while it ran nothing else: only this counts against a limit
 * - `delay_over`, `checkpoint`: it waited for a time
 */
export type ReissueReason = "lease_expired" | "worker_died" | "delay_over" | "checkpoint";

export interface CommandReissued {
  readonly type: "command.reissued";
  readonly command_id: CommandId;
  readonly attempt: number;
  readonly reason: ReissueReason;
}

export interface CallSettled extends SetValues {
  readonly type: "call.done" | "call.error";
  readonly command_id: CommandId;
  readonly attempt: number;
  readonly output: Output;
  readonly duration_ms: number;
  readonly worker?: string;
}

export interface CommandYielded {
  readonly type: "command.yielded";
  readonly command_id: CommandId;
  readonly attempt: number;
  readonly checkpoint: JsonObject;
  readonly due: number;
}

/** Rendered `set` values by variable; those too large to carry are in `set_refs`. */
export interface SetValues {
  readonly set?: JsonObject;
  readonly set_refs?: Readonly<Record<string, ResultRef>>;
}

export interface ArcTaken extends SetValues {
  readonly to: string;
}

export interface StepExit extends SetValues {
  readonly type: "step.exit";
  readonly step: string;
  readonly visit: number;
  readonly status: "completed" | "failed";
  readonly recovered?: boolean;
  /** Why the engine itself failed the step; a tool's own failure is in its `call.error`. */
  readonly error?: Failure;
  readonly taken: readonly ArcTaken[];
  readonly not_taken: readonly string[];
}

export interface StepSkipped {
  readonly type: "step.skipped";
  readonly step: string;
  readonly reason: "unmatched" | "guard" | "admit";
  /** Of a guard that did not hold: the way goes on as if the step had done nothing. */
  readonly taken?: readonly ArcTaken[];
  readonly not_taken?: readonly string[];
}

export interface LoopStats {
  readonly total: number;
  readonly success: number;
  readonly failed: number;
  /** Of a cursor: the frames that had rows. */
  readonly frames?: number;
}

export interface LoopDone {
  readonly type: "loop.done";
  readonly step: string;
  readonly visit: number;
  readonly stats: LoopStats;
  readonly results?: readonly Json[];
  readonly results_ref?: ResultRef;
}

export interface CursorClaimed {
  readonly type: "cursor.claimed";
  readonly step: string;
  readonly visit: number;
  readonly frame: number;
  readonly command_id: CommandId;
  readonly attempt: number;
  readonly row_count: number;
  readonly rows?: readonly Json[];
  readonly rows_ref?: ResultRef;
}

export interface CursorDrained {
  readonly type: "cursor.drained";
  readonly step: string;
  readonly visit: number;
  readonly frame: number;
}

export interface WaitParked {
  readonly type: "wait.parked";
  readonly command_id: CommandId;
  /** What an answer is addressed to; one of its kind in the execution. */
  readonly key: string;
  readonly for: "timer" | "signal" | "approval" | "callback";
  readonly due?: number;
  /** Of a tool call that goes on elsewhere: the attempt that said so. */
  readonly attempt?: number;
  /** Who may answer. */
  readonly who?: JsonObject;
  /** What is waited for, for people and for whoever checks the answer. */
  readonly about?: JsonObject;
}

export interface WaitDone {
  readonly type: "wait.done";
  readonly key: string;
  /** Of an answer that nobody waits for as yet, and that is no callback. */
  readonly for?: "signal";
  readonly command_id?: CommandId;
  readonly output: Output;
  readonly by?: string;
}

export interface ChildStarted {
  readonly type: "child.started";
  readonly command_id: CommandId;
  readonly child_id: ExecutionId;
  readonly catalog_id: CatalogId;
  readonly path: string;
  readonly version: number;
  /** Whether the step waits for the child's end. */
  readonly awaited: boolean;
  readonly workload?: JsonObject;
  readonly workload_ref?: ResultRef;
  /** What its end is given as: its result, what became of it, or an agent's answer. */
  readonly as?: "result" | "status" | "agent";
  readonly result_step?: string;
  /** When it is waited for no longer. */
  readonly due?: number;
  readonly about?: JsonObject;
}

/** How far an execution had come when it ended. */
export interface Progress {
  readonly total_steps: number;
  readonly completed_steps: number;
  readonly running_steps: number;
  readonly failed_steps: number;
}

export interface ChildDone {
  readonly type: "child.done";
  readonly command_id: CommandId;
  readonly child_id: ExecutionId;
  readonly status: "completed" | "failed" | "cancelled";
  readonly result?: Json;
  readonly result_ref?: ResultRef;
  readonly error?: Failure;
  readonly current_step?: string;
  readonly progress?: Progress;
}

export interface VarsSet extends SetValues {
  readonly type: "vars.set";
  readonly removed?: readonly string[];
  readonly source_step?: string;
}

export interface RequestEnqueued {
  readonly type: "request.enqueued";
  /** Which job of the execution it is, from 1. */
  readonly job: number;
  readonly node_id: string;
  readonly action: JsonObject;
  readonly input: JsonObject;
  /** Whose workers may run it; the default pool without it. */
  readonly pool?: string;
  /** Of its command; that of the execution without it. */
  readonly priority?: number;
}

export interface EventEmitted {
  readonly type: "event.emitted";
  readonly name: string;
  readonly step?: string;
  readonly visit?: number;
  readonly data?: Json;
  readonly data_ref?: ResultRef;
}

export interface PlaybookCompleted {
  readonly type: "playbook.completed";
  readonly result?: Json;
  readonly result_ref?: ResultRef;
}

export interface PlaybookFailed {
  readonly type: "playbook.failed";
  readonly error: Failure;
  readonly failed_steps: readonly string[];
  readonly result?: Json;
  readonly result_ref?: ResultRef;
}

export interface PlaybookCancelled {
  readonly type: "playbook.cancelled";
  readonly reason?: string;
  readonly by?: string;
  /** Finalizing records the end that somebody decided on, instead of a cancellation. */
  readonly finalized?: "completed" | "failed";
}

export type EventBody =
  | PlaybookStarted
  | StepEnter
  | CommandIssued
  | CommandReissued
  | CallSettled
  | CommandYielded
  | StepExit
  | StepSkipped
  | LoopDone
  | CursorClaimed
  | CursorDrained
  | WaitParked
  | WaitDone
  | ChildStarted
  | ChildDone
  | VarsSet
  | RequestEnqueued
  | EventEmitted
  | PlaybookCompleted
  | PlaybookFailed
  | PlaybookCancelled;

export type EventType = EventBody["type"];
export type Event = Envelope & EventBody;

/** An event as it stands in the log: its encoded text and the digest that chains it. */
export interface LoggedEvent {
  readonly event: Event;
  readonly text: string;
  /** SHA-256 over the previous digest and this text, hexadecimal. */
  readonly digest: string;
}

export type ExecutionStatus = "running" | "completed" | "failed" | "cancelled";

/** The status an execution ends with after this event, or undefined if it goes on. */
export function terminalStatus(event: EventBody): Exclude<ExecutionStatus, "running"> | undefined {
  switch (event.type) {
    case "playbook.completed":
      return "completed";
    case "playbook.failed":
      return "failed";
    case "playbook.cancelled":
      return event.finalized ?? "cancelled";
    default:
      return undefined;
  }
}
