// What verification and repair ask of the write side beside the log itself: every execution there
// is, the command rows as they stand, and a way to set both right against the log's head.

import type { CommandId, ExecutionId } from "#core/model/ids";
import type { Json } from "#core/model/json";
import type { CommandRowKind, NewCommandRow } from "./command-rows.ts";
import type { ExecutionRow } from "./event-log.ts";

/** A command row as it is stored, whoever holds it. */
export interface HeldRow {
  readonly commandId: CommandId;
  readonly executionId: ExecutionId;
  readonly kind: CommandRowKind;
  readonly pool: string;
  readonly attempt: number;
  readonly payload: Json;
}

export interface Repair {
  /** The row as the log has it, written over what is there. */
  readonly row: ExecutionRow;
  readonly head: number;
  readonly digest: string;
  /** The head that was found, undefined where there is no row: another one now changes nothing. */
  readonly found: { readonly seq: number; readonly digest: string } | undefined;
  /**
   * All rows that the execution shall have. One that is leased at the same attempt stays leased,
   * for `leaseMs` from now on; others are ready.
   */
  readonly rows: readonly NewCommandRow[];
  readonly leaseMs: number;
}

export interface LogRepair {
  /** Executions that have a row or an event, by rising id, after this one. */
  executionIds(after: ExecutionId | undefined, limit: number): Promise<readonly ExecutionId[]>;
  /** All command rows whose cause is in this execution's log, by id. */
  rowsOf(executionId: ExecutionId): Promise<readonly HeldRow[]>;
  /** In one statement; `moved` when the head is not the one that was found. */
  repair(repair: Repair): Promise<"repaired" | "moved">;
}
