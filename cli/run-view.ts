// What shows a run: the contract of the views, and the words that all of them use.

import { unreachable } from "#core/model/fault";
import type { Change, ExecutionProgress, StepProgress } from "./run-progress.ts";
import { durationText } from "./terminal-text.ts";

/** A line that a tool printed. */
export interface OutputLine {
  readonly step: string;
  readonly stream: string;
  readonly text: string;
}

/** A task that a policy runs again. */
export interface RetryLine {
  readonly step: string;
  readonly iteration: number | undefined;
  readonly attempt: number;
  readonly delayMs: number;
  readonly message: string | undefined;
}

export interface RunView {
  show(change: Change): void;
  output(line: OutputLine): void;
  retry(line: RetryLine): void;
  /** Something to know beside the run. */
  notice(text: string): void;
  /** The last word: restores the terminal. */
  close(): void;
}

/** `fetch: attempt 2 in 500 ms, HTTP 503 response`. */
export function retryText({ step, iteration, attempt, delayMs, message }: RetryLine): string {
  const item = iteration === undefined ? "" : ` item ${iteration}`;
  const when = delayMs === 0 ? "" : ` in ${durationText(delayMs)}`;
  const why = message === undefined ? "" : `, ${message.replaceAll(/\s*\n\s*/g, " ")}`;
  return `${step}${item}: attempt ${attempt}${when}${why}`;
}

/** `fetch`, `fetch (visit 2)`. */
export function stepName({ step, visit }: StepProgress): string {
  return visit === 1 ? step : `${step} (visit ${visit})`;
}

/** What stands behind a step that has ended: loops, attempts, the error it failed with. */
export function stepDetails(step: StepProgress): readonly string[] {
  const { loop, attempts, status, error } = step;
  return [
    ...(loop === undefined ? [] : [loopText(loop)]),
    ...(attempts > 1 ? [`${attempts} attempts`] : []),
    ...(status === "recovered" ? ["recovered"] : []),
    ...(error === undefined || status === "completed" ? [] : [error]),
  ];
}

function loopText({ total, done, failed }: NonNullable<StepProgress["loop"]>): string {
  return failed === 0 ? `${done}/${total}` : `${done}/${total}, ${failed} failed`;
}

/** How an execution ended, in one line. */
export function endText(execution: ExecutionProgress): string {
  const { status, durationMs = 0, error } = execution;
  switch (status) {
    case "completed":
      return `completed in ${durationText(durationMs)}`;
    case "failed":
      return `failed after ${durationText(durationMs)}: ${error ?? "without a message"}`;
    case "cancelled":
      return `cancelled after ${durationText(durationMs)}${error === undefined ? "" : `: ${error}`}`;
    case "running":
      return `running for ${durationText(durationMs)}`;
    default:
      return unreachable(status);
  }
}
