// What all executions wait for, read off the log for lists across them. It lags behind: whoever
// answers is judged by the log itself.
//
// I1  Applying the same changes again, in the order of the log, leaves what stood there.

import type { CommandId, ExecutionId } from "#core/model/ids";
import type { JsonObject } from "#core/model/json";

export type WaitKind = "timer" | "signal" | "approval" | "callback";

export interface IndexedWait {
  readonly commandId: CommandId;
  readonly executionId: ExecutionId;
  readonly for: WaitKind;
  readonly key: string;
  readonly step: string;
  readonly who?: JsonObject;
  readonly about?: JsonObject;
  readonly sinceMs: number;
  readonly dueMs?: number;
}

export interface OpenWait extends IndexedWait {
  readonly tenant: string;
}

/** An answer that came before its wait: the first wait for it is none that stays open. */
export interface EarlyAnswer {
  readonly executionId: ExecutionId;
  /** Of its event. */
  readonly seq: number;
  readonly for: "signal" | "callback";
  readonly key: string;
}

/** Of a stretch of the log. What is in `early` came before what is in `opened`. */
export interface WaitChanges {
  readonly early: readonly EarlyAnswer[];
  readonly opened: readonly IndexedWait[];
  readonly closed: readonly CommandId[];
  /** Executions that have ended: nothing of theirs is waited for. */
  readonly ended: readonly ExecutionId[];
}

export interface OpenWaitFilter {
  /** Of all tenants without one. */
  readonly tenant?: string;
  readonly for?: WaitKind;
  readonly executionId?: ExecutionId;
  /** Keyset: only commands after this one. */
  readonly after?: string;
  readonly limit: number;
}

export interface WaitIndex {
  apply(changes: WaitChanges): Promise<void>;
  /** By command, in the order of code points. */
  list(filter: OpenWaitFilter): Promise<readonly OpenWait[]>;
  /** Before it is read off the log from its beginning. */
  clear(): Promise<void>;
}
