// A run as plain lines, for files and pipes: one line for each thing of interest, written when it
// happens and never changed, with the same words every time so that it can be searched.

import { unreachable } from "#core/model/fault";
import type { Change, StepProgress } from "./run-progress.ts";
import { endText, type RunView, retryText, stepDetails, stepName } from "./run-view.ts";
import { durationText } from "./terminal-text.ts";

/** @param write takes one line without its end. */
export function plainView(write: (line: string) => void): RunView {
  return {
    show: (change) => {
      const line = lineOf(change);
      if (line !== undefined) write(line);
    },
    output: ({ step, stream, text }) => write(`${stream} ${step}: ${text}`),
    retry: (line) => write(`step ${retryText(line)}`),
    notice: (text) => write(`note: ${text}`),
    close: () => {},
  };
}

function lineOf(change: Change): string | undefined {
  switch (change.type) {
    case "started": {
      const { execution } = change;
      const { id, path, version, depth } = execution;
      return `${indent(depth)}execution ${id} started: ${path} version ${version}`;
    }
    case "ended":
      return `${indent(change.execution.depth)}execution ${change.execution.id} ${endText(change.execution)}`;
    case "entered":
      return `${stepPrefix(change.step)} entered${loopSize(change.step)}`;
    case "advanced":
      return undefined;
    case "exited": {
      const { step } = change;
      const details = stepDetails(step).map((detail) => `, ${oneLine(detail)}`);
      const verb = step.status === "recovered" ? "failed" : step.status;
      return `${stepPrefix(step)} ${verb} in ${durationText(step.durationMs ?? 0)}${details.join("")}`;
    }
    case "call failed": {
      const { step, iteration, message } = change;
      if (iteration === undefined) return undefined;
      return `${stepPrefix(step)} item ${iteration} failed: ${oneLine(message)}`;
    }
    case "reissued":
      return `${stepPrefix(change.step)} runs again: ${change.reason}`;
    case "skipped":
      return `${indent(change.execution.depth)}step ${change.step} skipped: ${change.reason}`;
    default:
      return unreachable(change);
  }
}

function stepPrefix(step: StepProgress): string {
  return `${indent(step.execution.depth)}step ${stepName(step)}`;
}

function loopSize({ loop }: StepProgress): string {
  if (loop === undefined) return "";
  if (loop.isCursor === true) return ", rows of a cursor";
  return `, ${loop.total} ${loop.total === 1 ? "item" : "items"}`;
}

function indent(depth: number): string {
  return "  ".repeat(depth);
}

function oneLine(text: string): string {
  return text.trim().replace(/\s*\n\s*/g, " | ");
}
