// One command in one slot: its deadline, and the signal by which it is stopped. The signal is
// made only for those who ask: most tools end before anyone would abort them.

import type { WorkerCommand } from "#core/model/command";
import { commandTimeoutMsDefault } from "#core/model/limits";
import type { Failure } from "#core/model/outcome";
import { type Progress, readCheckpoint } from "./checkpoint.ts";
import { failure } from "./failure-of.ts";
import { Redaction } from "./redaction.ts";

/**
 * - `timeout`: its time is over; the outcome is a failure
 * - `lost`: another attempt is open; `gone`: nothing waits for it; the outcome is discarded
 * - `draining`: the worker ends; the command goes back to the queue
 */
export type StopReason = "timeout" | "lost" | "gone" | "draining";

export class CommandRun {
  /** Where an earlier attempt stopped to wait, if one did and what it left is understood. */
  readonly resumed: Progress | undefined;
  /** When the command would have started, had it waited in its slot. */
  readonly startedAtMs: number;
  readonly deadlineMs: number;
  readonly timeoutMs: number;
  /** What the command's tools were told in confidence. */
  readonly secrets = new Redaction();
  /** When the lease must next be renewed. */
  renewAtMs: number;
  /** How often this attempt was handed over: an answer of before the last time says nothing. */
  given = 1;
  #controller: AbortController | undefined;
  #stopped: { readonly reason: StopReason; readonly atMs: number } | undefined;

  constructor(
    readonly command: WorkerCommand,
    nowMs: number,
    renewAtMs: number,
  ) {
    this.resumed = readCheckpoint(command);
    this.startedAtMs = nowMs - (this.resumed?.spentMs ?? 0);
    this.timeoutMs = command.timeout_ms ?? commandTimeoutMsDefault;
    this.deadlineMs = this.startedAtMs + this.timeoutMs;
    this.renewAtMs = renewAtMs;
  }

  /** How long it has been running; a clock that was set back makes it no less than nothing. */
  elapsedMs(nowMs: number): number {
    return Math.max(0, nowMs - this.startedAtMs);
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#stopped !== undefined) this.#controller.abort(abortReason(this.#stopped.reason));
    }
    return this.#controller.signal;
  }

  get stopReason(): StopReason | undefined {
    return this.#stopped?.reason;
  }

  get stoppedAtMs(): number | undefined {
    return this.#stopped?.atMs;
  }

  /** Aborts the tool; only the first reason counts. */
  stop(reason: StopReason, nowMs: number): void {
    if (this.#stopped !== undefined) return;
    this.#stopped = { reason, atMs: nowMs };
    this.#controller?.abort(abortReason(reason));
  }

  /** Why the pipeline may not go on, if so; passes the deadline by itself when it is due. */
  ended(nowMs: number): Failure | undefined {
    if (this.#stopped === undefined && nowMs >= this.deadlineMs) this.stop("timeout", nowMs);
    if (this.#stopped === undefined) return undefined;
    return this.#stopped.reason === "timeout"
      ? this.timeoutFailure()
      : failure("cancelled", `command ${this.command.command_id} was stopped`);
  }

  timeoutFailure(): Failure {
    const message = `command timed out after ${this.timeoutMs} ms`;
    return failure("timeout", message, { retryable: true });
  }
}

function abortReason(reason: StopReason): DOMException {
  return reason === "timeout"
    ? new DOMException("the command's time is over", "TimeoutError")
    : new DOMException(`the command was stopped: ${reason}`, "AbortError");
}
