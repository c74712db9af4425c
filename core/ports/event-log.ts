// The append-only log, the heads of executions and the command rows that go with it: the write
// side of the control plane. One transition is one compare-and-swap; a lost race is a value.
//
// L1  A transition is stored whole or not at all, and only on top of the head it expected.
// L2  A refused transition never hinders its neighbours in the same call.
// L3  `seq` is dense per execution; nothing is ever changed or removed.
// L4  A command row exists exactly while its command is open; only its lease changes.

import type { Event, ExecutionStatus, LoggedEvent } from "#core/model/event";
import type { CatalogId, CommandId, ExecutionId } from "#core/model/ids";
import type { CommandRows, NewCommandRow } from "./command-rows.ts";
import type { DeadLetters, NewDeadLetter } from "./dead-letters.ts";
import type { DispatchRules } from "./dispatch-rules.ts";

export type {
  ClaimRequest,
  CommandRow,
  CommandRowKind,
  LeaseRef,
  NewCommandRow,
  RenewVerdict,
} from "./command-rows.ts";

/** The execution's row: head, and what lists show; refreshed by every transition. */
export interface ExecutionRow {
  readonly executionId: ExecutionId;
  /** Whose it is; never changed. */
  readonly tenant: string;
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
  /** Commands that its events give up. */
  readonly deadLetters?: readonly NewDeadLetter[];
}

/**
 * `withheld`: accepted, but of the rows that were to be handed over one stands under a rule: all
 * of them were born ready, for a claim to choose from.
 */
export type AppendVerdict = "accepted" | "withheld" | "conflict";

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

export interface ExecutionFilter {
  /** Of all tenants without one. */
  readonly tenant?: string;
  /** One, or any of several. */
  readonly status?: ExecutionStatus | readonly ExecutionStatus[];
  readonly path?: string;
  /** What the path begins with. */
  readonly pathPrefix?: string;
  readonly catalogId?: CatalogId;
  readonly version?: number;
  readonly parentId?: ExecutionId;
  /** Keyset: only executions with a smaller id. */
  readonly before?: ExecutionId;
  /** Only executions with this id or a larger one. */
  readonly from?: ExecutionId;
  readonly limit: number;
}

export interface EventLog extends CommandRows, DispatchRules, DeadLetters {
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

  close(): Promise<void>;
}
