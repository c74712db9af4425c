// The rows of open commands: who may work on what, and until when. A row exists exactly while its
// command is open; only its lease changes.

import type { DispatchTerms } from "#core/model/dispatch";
import type { CommandId, EventId, ExecutionId } from "#core/model/ids";
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
  /** Not before so much time has passed, by the clock of the store: replicas may differ on theirs. */
  readonly dueInMs?: number;
  /**
   * Handed to this worker in the same breath: born leased, for so long, unless a rule speaks of
   * it. A hand-over that its worker never speaks of is taken back when the lease has run out.
   */
  readonly lease?: { readonly worker: string; readonly leaseMs: number };
  /** `plainTerms` without it. */
  readonly terms?: DispatchTerms;
  /** Its worker died: it runs alone, on a worker that holds nothing else. */
  readonly suspect?: boolean;
  readonly payload: Json;
}

export interface CommandRow {
  readonly commandId: CommandId;
  readonly executionId: ExecutionId;
  readonly kind: CommandRowKind;
  readonly pool: string;
  readonly attempt: number;
  readonly terms: DispatchTerms;
  readonly suspect: boolean;
  readonly payload: Json;
  readonly worker?: string;
}

export interface ClaimRequest {
  readonly worker: string;
  readonly pools: readonly string[];
  /** What the worker says of itself; rows that ask for more are not for it. */
  readonly labels?: readonly string[];
  readonly want: number;
  readonly leaseMs: number;
  /** The worker holds nothing: a suspect, if there is one, is all that it is given. */
  readonly idle?: boolean;
  /** The tenants after this one, in the order of their names, take their turn first. */
  readonly afterTenant?: string;
}

export interface ClaimOneRequest {
  readonly commandId: CommandId;
  readonly worker: string;
  readonly leaseMs: number;
}

/**
 * `claimed`: leased to the worker now, or still; `taken`: another one has it, or it is for `claim`
 * alone to give out: a rule speaks of it, or its last worker died; `gone`: no open tool command.
 */
export type ClaimOneVerdict =
  | { readonly verdict: "claimed"; readonly row: CommandRow }
  | { readonly verdict: "taken" | "gone" };

/** One open tool command, by its own id or by that of the event that issued it. */
export type RowQuery =
  | { readonly commandId: CommandId }
  | {
      /** All open rows are looked through, or those of the execution where one is named. */
      readonly eventId: EventId;
      readonly executionId?: ExecutionId;
    };

export interface LeaseRef {
  readonly commandId: CommandId;
  readonly attempt: number;
}

export type RenewVerdict = "renewed" | "lost" | "gone";

export interface ExpireRequest {
  readonly limit: number;
  /** A mark older than this is returned again: who made it may have died. */
  readonly againMs: number;
  /** The length of leases: how long sweeps must have gone on before one may run out. */
  readonly leaseMs: number;
  /** Sweeps further apart than this may have kept a lease from being renewed. */
  readonly gapMs: number;
  /** No worker outlived the start of this process: what it held may expire at once. */
  readonly workersAreNew?: boolean;
}

/** A pool that has something for a worker. */
export interface PoolQueue {
  readonly pool: string;
  /** There are rows that any worker with the labels may have. */
  readonly waits: boolean;
  /** How long the oldest suspect has waited for an idle worker; undefined without one. */
  readonly suspectWaitedMs?: number;
}

export interface CourtRequest {
  readonly pools: readonly string[];
  readonly labels?: readonly string[];
  /** Suspects that have waited for so long. */
  readonly waitedMs: number;
  /** Nobody else is asked in the suspect's pool for this long. */
  readonly holdMs: number;
}

/** An open command as it stands, with what it waits for; all times are durations. */
export interface OpenRow {
  readonly row: CommandRow;
  readonly status: "ready" | "leased" | "expired";
  readonly handed: boolean;
  /** Since it was issued or last stood ready. */
  readonly waitedMs: number;
  /** Until the lease ends; negative once it has run out. */
  readonly leaseLeftMs?: number;
  /** Until it is due; absent for what is due. */
  readonly dueInMs?: number;
  /** Rows of the pool that stand before it, counted up to `aheadRowsMax`. */
  readonly ahead: number;
}

export interface CommandRows {
  /**
   * Leases up to `want` tool rows that are ready and due to the worker. Within its pools the
   * highest priority goes first; of that, tenants take turns; of a tenant, the oldest goes first.
   * Rows under a rule are leased only as far as the rule lets them be.
   */
  claim(request: ClaimRequest): Promise<readonly CommandRow[]>;

  /** Leases one command by its id, whose turn it may not be; for who knows what it asks for. */
  claimOne(request: ClaimOneRequest): Promise<ClaimOneVerdict>;

  /** An open tool command; undefined where there is none. */
  openRow(query: RowQuery): Promise<CommandRow | undefined>;

  /** Whether this worker holds the lease at this attempt; a hand-over becomes one of `leaseMs`. */
  holds(worker: string, lease: LeaseRef, leaseMs: number): Promise<boolean>;

  /** Extends leases that this worker still holds at this attempt; a hand-over becomes a lease. */
  renew(
    worker: string,
    leases: readonly LeaseRef[],
    leaseMs: number,
  ): Promise<readonly RenewVerdict[]>;

  /** Gives leases back unused (drain): the rows are ready again at once, attempt unchanged. */
  release(worker: string, leases: readonly LeaseRef[]): Promise<void>;

  /** What was handed to this worker in these executions and not spoken of yet; held for longer. */
  handed(
    worker: string,
    executionIds: readonly ExecutionId[],
    leaseMs: number,
  ): Promise<readonly CommandRow[]>;

  /**
   * Notes that a sweep ran, takes back hand-overs that nobody accepted, marks tool rows whose
   * lease has run out as expired, at most `limit`, and returns the marked. A lease has run out
   * when its time is over and sweeps have gone on for the length of a lease without a gap that
   * could have kept it from being renewed. An expired row is claimed by nobody until its command is reissued.
   */
  expire(request: ExpireRequest): Promise<readonly CommandRow[]>;

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

  /** The pools with something to claim; costs as much as there are pools, not rows. */
  queues(): Promise<readonly PoolQueue[]>;

  /**
   * Whether a worker should run empty for a suspect that nobody has come for: true for one asker
   * in a pool at a time.
   */
  court(request: CourtRequest): Promise<boolean>;

  /** The open commands of an execution, by id, at most `limit`. */
  openRows(executionId: ExecutionId, limit: number): Promise<readonly OpenRow[]>;
}
