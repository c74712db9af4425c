// Commands that were given up: kept beside the log, so that somebody looks at them. A letter is
// written by the append that gives the command up; it is no truth, only a reminder.

import type { CommandId, ExecutionId } from "#core/model/ids";

export type DeadLetterReason = "poisoned" | "result_rejected";

export interface NewDeadLetter {
  readonly commandId: CommandId;
  readonly step: string;
  readonly attempt: number;
  readonly reason: DeadLetterReason;
  readonly message: string;
  readonly worker?: string;
}

export interface DeadLetter extends NewDeadLetter {
  readonly executionId: ExecutionId;
  /** Milliseconds since 1970. */
  readonly atMs: number;
}

export interface Quarantined {
  readonly executionId: ExecutionId;
  readonly reason: string;
  readonly atMs: number;
}

export interface DeadLetters {
  /** Newest first, at most `limit`; of all tenants without one. */
  deadLetters(limit: number, tenant?: string): Promise<readonly DeadLetter[]>;
  deadLetter(commandId: CommandId): Promise<DeadLetter | undefined>;
  /** False when there was none. */
  dropDeadLetter(commandId: CommandId): Promise<boolean>;

  /** Sets an execution aside whose replay throws, with the reason; a row, not an event. */
  quarantine(executionId: ExecutionId, reason: string): Promise<void>;
  quarantined(executionId: ExecutionId): Promise<string | undefined>;
  /** Newest first, at most `limit`; of all tenants without one. */
  quarantines(limit: number, tenant?: string): Promise<readonly Quarantined[]>;
  /** False when it wasn't in quarantine. */
  liftQuarantine(executionId: ExecutionId): Promise<boolean>;
}
