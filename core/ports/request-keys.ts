// What clients want done once: a key of theirs stands for one execution until its time has run out,
// whoever asks again and however many ask at once.
//
// K1  Of any number that take a key at the same time, all are told the same execution.
// K2  A key stands for nothing any more once its time has run out; times are the store's own.

import type { ExecutionId } from "#core/model/ids";

export interface RequestKey {
  readonly tenant: string;
  /** What the key is a key of: `execute`, `schedule/<id>`. */
  readonly scope: string;
  readonly key: string;
}

export interface KeyRequest extends RequestKey {
  /** What the key stands for from now on, if it doesn't stand for something already. */
  readonly executionId: ExecutionId;
  /** For how long. */
  readonly windowMs: number;
}

export interface TakenKey {
  /** What the key stands for. */
  readonly executionId: ExecutionId;
  /**
   * Whether that is what was asked for; taking a key again with the same execution, as after an
   * outcome that was not heard, is new again.
   */
  readonly isNew: boolean;
}

export interface RequestKeys {
  /**
   * Takes the keys in one statement, and answers in their order. Of the same key twice in a list
   * the first is taken; the second is told what it stands for and is not new.
   */
  take(requests: readonly KeyRequest[]): Promise<readonly TakenKey[]>;
  /** Removes keys whose time has run out, at most so many; returns how many. */
  purge(limit: number): Promise<number>;
}
