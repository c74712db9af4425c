// What an execution has come to: the fold of its log, and nothing else. Kept so that no decision
// has to look at the whole graph: who is active, who waits at a join, which commands are open.

import type { ExecutionStatus, LoopEntry, LoopStats, Origin, ParentLink } from "#core/model/event";
import type { CatalogId, CommandId, EventId, ExecutionId } from "#core/model/ids";
import type { Json, JsonObject } from "#core/model/json";
import type { Failure, Output } from "#core/model/outcome";
import { type Held, noVariables, type StoredValue, type Variables } from "./variables.ts";

export interface LoopState {
  readonly entry: LoopEntry;
  readonly items: readonly Json[] | StoredValue;
  /** The next iteration to issue. */
  next: number;
  open: number;
  done: number;
  failed: number;
  /** Of the iteration that failed first, in log order. */
  firstError?: Failure;
  /** By iteration; a failed or open one has no entry. */
  readonly results: Held[];
  /** Of the results held inline, as they stand in the log. */
  inlineBytes: number;
  readonly cursor?: CursorState;
}

/** How far a cursor loop has come; its rows are in the log. */
export interface CursorState {
  /** The number of the next frame. */
  frames: number;
  open: number;
  /** The last claim found nothing, while other frames were open. */
  dry: boolean;
  /** A claim found nothing, and nothing else was open that could have put rows back. */
  drained: boolean;
  rows: number;
  success: number;
  failed: number;
  /** Frames that had rows. */
  filled: number;
  /** The claim itself failed: no more frames. */
  claimFailed?: Failure;
  /** The end of the queue stands in the log. */
  isDrainedSaid?: boolean;
}

/** What a parked call waits for. */
export interface WaitState {
  readonly for: "timer" | "signal" | "approval" | "callback";
  readonly key: string;
  readonly due?: number;
  /** When it was parked. */
  readonly sinceMs: number;
  /** Who may answer. */
  readonly who?: JsonObject;
  readonly about?: JsonObject;
}

/** An answer that came before what waits for it. */
export interface Answer {
  readonly output: Output;
  readonly by?: string;
  /** What it takes of the state's budget. */
  readonly inlineBytes: number;
}

export interface ActiveStep {
  readonly visit: number;
  readonly loop?: LoopState;
  /** What came of it, once known; the step can then exit. */
  output?: Output;
  /** Whether that counts as a failure; a policy may let an error go on. */
  failed?: boolean;
  /** Events of its own that stand in the log already: a log cut there goes on behind them. */
  emitted?: number;
  inlineBytes: number;
}

export type StepStatus = "entered" | "completed" | "failed" | "skipped";

export interface StepState {
  visits: number;
  status: StepStatus;
  /** Of the last visit that ended; stays visible while the step runs again. */
  output?: Output;
  stats?: LoopStats;
  results?: Held;
  inlineBytes: number;
}

export interface ChildCall {
  readonly id: ExecutionId;
  readonly path: string;
  readonly as?: "result" | "status" | "agent";
  readonly resultStep?: string;
  readonly due?: number;
  readonly startedMs?: number;
  readonly about?: JsonObject;
}

export interface OpenCommand {
  readonly commandId: CommandId;
  readonly step: string;
  readonly visit: number;
  readonly iteration?: number;
  readonly kind: string;
  /** Whose workers may run it. */
  readonly pool: string;
  readonly issuedSeq: number;
  /** The event that issued it. */
  readonly eventId: EventId;
  /** Of a job that was asked for: its number. */
  readonly job?: number;
  attempt: number;
  /** Attempts that lost their worker while it ran nothing else. */
  unclean: number;
  /** The last attempt lost its worker: this one runs alone. */
  suspect?: boolean;
  child?: ChildCall;
  /** Of a cursor loop: which frame it is, whether nothing else was open, and what it claimed. */
  frame?: {
    readonly number: number;
    readonly alone: boolean;
    claimedSeq?: number;
    rowCount?: number;
  };
  wait?: WaitState;
  /** The end of what it waited for, once known. */
  answer?: Output;
  /** It waits for a time: nobody runs it, and no outcome counts before it is issued again. */
  waiting?: boolean;
}

/** A job that was asked for, until its command is issued. */
export interface AwaitedJob {
  readonly nodeId: string;
  readonly action: JsonObject;
  readonly input: JsonObject;
  readonly pool?: string;
  readonly priority?: number;
}

export interface Started {
  readonly catalogId: CatalogId;
  readonly path: string;
  readonly version: number;
  readonly planDigest: string;
  readonly origin?: Origin;
  readonly parent?: ParentLink;
  readonly trace?: JsonObject;
  readonly priority?: number;
  readonly tenant?: string;
  /** Where it begins, if not at the playbook's first step. */
  readonly entry?: string;
}

export interface ExecutionState {
  readonly executionId: ExecutionId;
  seq: number;
  digest: string;
  eventId: EventId | undefined;
  /** Time of the last event. */
  timeMs: number;
  startedAtMs: number;
  status: ExecutionStatus | "created";
  started: Started | undefined;
  workload: Held;
  readonly variables: Variables;
  readonly steps: Map<string, StepState>;
  readonly active: Map<string, ActiveStep>;
  /** Active steps whose command is still to be issued. */
  readonly unissued: Set<string>;
  /** Active steps with a loop that has not ended. */
  readonly loops: Set<string>;
  /** Active steps whose outcome is known, in the order in which it came. */
  readonly settled: Set<string>;
  /** By target: the steps that have arrived there since it was last entered. */
  readonly arrivals: Map<string, Set<string>>;
  readonly commands: Map<CommandId, OpenCommand>;
  /** Steps that failed and were not recovered, in log order. */
  readonly failed: Map<string, Failure>;
  /** Bytes of outcomes held inline; beyond `stateInlineBytesMax` they stay in the log. */
  inlineBytes: number;
  /** Parked commands that somebody is to answer, by key; timers are answered by nobody. */
  readonly waits: Map<string, CommandId>;
  /** Answers that came before what waits for them, by `answerSlot`. */
  readonly answers: Map<string, Answer>;
  /** The slots that were answered last, so that a repetition is known as one. */
  readonly answeredKeys: Set<string>;
  /** Commands whose answer is known and not decided upon. */
  readonly answered: Set<CommandId>;
  /** Jobs that were asked for so far; the number of the last one. */
  jobs: number;
  /** Jobs whose command is still to be issued, by number. */
  readonly awaitedJobs: Map<number, AwaitedJob>;
  /** Steps that were passed by in a row, since one was entered. */
  guarded: number;
  lastExit: string | undefined;
  result: Held | undefined;
  error: Failure | undefined;
}

export function initialState(executionId: ExecutionId, genesis: string): ExecutionState {
  return {
    executionId,
    seq: 0,
    digest: genesis,
    eventId: undefined,
    timeMs: 0,
    startedAtMs: 0,
    status: "created",
    started: undefined,
    workload: {},
    variables: noVariables(),
    steps: new Map(),
    active: new Map(),
    unissued: new Set(),
    loops: new Set(),
    settled: new Set(),
    arrivals: new Map(),
    commands: new Map(),
    failed: new Map(),
    inlineBytes: 0,
    waits: new Map(),
    answers: new Map(),
    answeredKeys: new Set(),
    answered: new Set(),
    jobs: 0,
    awaitedJobs: new Map(),
    guarded: 0,
    lastExit: undefined,
    result: undefined,
    error: undefined,
  };
}

export function isTerminal(state: ExecutionState): boolean {
  return state.status !== "created" && state.status !== "running";
}
