// The append-only log, the heads of executions and the command rows that go with it: the write
// side of the control plane. One transition is one compare-and-swap; a lost race is a value.
//
// L1  A transition is stored whole or not at all, and only on top of the head it expected.
// L2  A refused transition never hinders its neighbours in the same call.
// L3  `seq` is dense per execution; nothing is ever changed or removed.
// L4  A command row exists exactly while its command is open; only its lease changes.

import type { Event, ExecutionStatus, LoggedEvent } from "#core/model/event";
import type { CatalogId, CommandId, ExecutionId } from "#core/model/ids";
import type { Json } from "#core/model/json";

/**
 * What a row asks for: `tool` a worker; `timer` the sweep, once due; the rest are told to
 * another execution: start a child, tell a parent of its child's end, cancel a child.
 */
export type CommandRowKind = "tool" | "timer" | "child.start" | "child.done" | "child.cancel";

export interface NewCommandRow {
  readonly commandId: CommandId;
  /** The execution whose log holds the cause. */
  readonly executionId: ExecutionId;
  readonly kind: CommandRowKind;
  readonly pool: string;
  readonly attempt: number;
  /** Not before this time; milliseconds since 1970. */
  readonly dueAtMs?: number;
  /** Handed to this worker in the same breath: born leased, for so long. */
  readonly lease?: { readonly worker: string; readonly leaseMs: number };
  readonly payload: Json;
}

export interface CommandRow {
  readonly commandId: CommandId;
  readonly executionId: ExecutionId;
  readonly kind: CommandRowKind;
  readonly pool: string;
  readonly attempt: number;
  readonly payload: Json;
  readonly worker?: string;
}

/** The execution's row: head, and what lists show; refreshed by every transition. */
export interface ExecutionRow {
  readonly executionId: ExecutionId;
  readonly catalogId: CatalogId;
  readonly path: string;
  readonly version: number;
  readonly parentId?: ExecutionId;
  readonly status: ExecutionStatus;
  readonly startedAtMs: number;
  readonly endedAtMs?: number;
  readonly currentStep?: string;
  readonly error?: string;
}

export interface Transition {
  readonly row: ExecutionRow;
  /** Events already in the log; 0 starts an execution. */
  readonly expectedHead: number;
  /** At least one; `seq` from expectedHead + 1, dense. */
  readonly events: readonly LoggedEvent[];
  /** Rows whose command this transition settles, by id. */
  readonly settled: readonly CommandId[];
  readonly issued: readonly NewCommandRow[];
}

export type AppendVerdict = "accepted" | "conflict";

export interface Head {
  readonly seq: number;
  readonly digest: string;
  readonly row: ExecutionRow;
}

export interface StoredEvent {
  readonly event: Event;
  readonly text: string;
  readonly digest: string;
}

export interface ClaimRequest {
  readonly worker: string;
  readonly pools: readonly string[];
  readonly want: number;
  readonly leaseMs: number;
}

export interface LeaseRef {
  readonly commandId: CommandId;
  readonly attempt: number;
}

export type RenewVerdict = "renewed" | "lost" | "gone";

export interface ExecutionFilter {
  readonly status?: ExecutionStatus;
  readonly path?: string;
  readonly parentId?: ExecutionId;
  /** Keyset: only executions with a smaller id. */
  readonly before?: ExecutionId;
  readonly limit: number;
}

export interface EventLog {
  /**
   * Appends each transition under its own compare-and-swap, in one statement and one commit.
   * Several transitions of one execution in one call are a bug of the caller.
   * @throws Fault `unavailable` when it can't be known what was stored: reload, then decide anew.
   */
  append(transitions: readonly Transition[]): Promise<readonly AppendVerdict[]>;

  head(executionId: ExecutionId): Promise<Head | undefined>;

  /** Events after `afterSeq`, oldest first, at most `limit`; upcast to the current schema. */
  events(
    executionId: ExecutionId,
    afterSeq: number,
    limit: number,
  ): Promise<readonly StoredEvent[]>;

  /** Newest first. */
  executions(filter: ExecutionFilter): Promise<readonly ExecutionRow[]>;

  /** Running and ended children, transitively not: direct ones only. */
  children(executionId: ExecutionId): Promise<readonly ExecutionRow[]>;

  // --- command rows ---------------------------------------------------------------------

  /** Leases up to `want` tool rows that are ready and due to the worker, oldest first. */
  claim(request: ClaimRequest): Promise<readonly CommandRow[]>;

  /** Extends leases that this worker still holds at this attempt. */
  renew(
    worker: string,
    leases: readonly LeaseRef[],
    leaseMs: number,
  ): Promise<readonly RenewVerdict[]>;

  /** Gives leases back unused (drain): the rows are ready again at once, attempt unchanged. */
  release(worker: string, leases: readonly LeaseRef[]): Promise<void>;

  /**
   * Marks tool rows whose lease has run out as expired, at most `limit`, and returns them. An
   * expired row is claimed by nobody until its command is reissued; it is returned again when
   * the mark is older than `againMs` (the process that marked it may have died).
   */
  expire(limit: number, againMs: number): Promise<readonly CommandRow[]>;

  /**
   * Due rows of the other kinds, at most `limit`, held for `holdMs`: returned again only after
   * that, unless a transition settled them or `done` removed them.
   */
  due(limit: number, holdMs: number): Promise<readonly CommandRow[]>;

  /** Removes cross-execution rows that have been acted on. */
  done(commandIds: readonly CommandId[]): Promise<void>;

  /** When the next not-yet-due row falls due; undefined when there is none. */
  nextDueMs(): Promise<number | undefined>;

  /** Numbers of ready and leased tool rows by pool, for status pages. */
  backlog(): Promise<
    readonly { readonly pool: string; readonly ready: number; readonly leased: number }[]
  >;

  /** Sets an execution aside whose replay throws, with the reason; a row, not an event. */
  quarantine(executionId: ExecutionId, reason: string): Promise<void>;
  quarantined(executionId: ExecutionId): Promise<string | undefined>;

  close(): Promise<void>;
}
