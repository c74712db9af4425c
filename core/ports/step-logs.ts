// What tools printed, kept for a while beside the log of an execution: for people, never for
// decisions. Any of it may be missing; what is there is in the order in which it came.

import type { CommandId, ExecutionId } from "#core/model/ids";

export type StepLogStream = "stdout" | "stderr" | "log";

export interface StepLogLine {
  readonly executionId: ExecutionId;
  readonly commandId: CommandId;
  readonly attempt: number;
  readonly step: string;
  /** Of the task that printed it. */
  readonly label: string;
  readonly stream: StepLogStream;
  /** Increasing over all lines of a worker: what it sends again is known by it. */
  readonly seq: number;
  /** By the worker's clock; milliseconds since 1970. */
  readonly timeMs: number;
  readonly text: string;
}

/** Where a worker sends its lines. */
export interface StepLogSink {
  /**
   * Sends lines in the order of their `seq`; sending them again is harmless.
   * @throws Fault, `invalid` or `too_large` where sending them again would not help.
   */
  send(lines: readonly StepLogLine[], signal: AbortSignal): Promise<void>;
}

export interface StoredLogLine extends Omit<StepLogLine, "seq"> {
  /** Increasing within an execution, in the order in which lines become visible; from 1. */
  readonly position: number;
}

export interface StepLogFilter {
  readonly step?: string;
  readonly commandId?: CommandId;
  readonly attempt?: number;
  readonly stream?: StepLogStream;
  /** Only lines behind this position. */
  readonly afterPosition: number;
  readonly limit: number;
}

export interface StepLogs {
  /**
   * Keeps the lines of one worker, given in the order of their `seq`, and returns those that were
   * kept. A line whose `seq` isn't larger than the worker's last one was kept before and is passed
   * over; so is one that its execution has no room for, which is counted.
   */
  append(worker: string, lines: readonly StepLogLine[]): Promise<readonly StoredLogLine[]>;

  /** In the order of their positions. */
  read(executionId: ExecutionId, filter: StepLogFilter): Promise<readonly StoredLogLine[]>;

  /** Lines that an execution had no room for. */
  refused(executionId: ExecutionId): Promise<number>;

  /**
   * Removes lines of executions that have printed nothing for `keepMs`, which is
   * `stepLogKeptMs` unless it is given; a bounded number in a call.
   * @returns how many lines were removed: 0 when nothing is left to do.
   */
  purge(keepMs?: number): Promise<number>;
}
