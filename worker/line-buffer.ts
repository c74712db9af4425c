// Lines that wait to be sent, in their order and bounded: the oldest make room for new ones, and a
// line in their place says how many are missing. Each attempt may say so much and no more.

import type { WorkerCommand } from "#core/model/command";
import {
  logLineCharsMax,
  stepLogAttemptCharsMax,
  stepLogAttemptLinesMax,
  stepLogBatchCharsMax,
  stepLogBatchLinesMax,
  stepLogBufferCharsMax,
  stepLogLineBytes,
} from "#core/model/limits";
import type { StepLogLine } from "#core/ports/step-logs";
import type { ToolLine } from "./services.ts";

interface Waiting {
  readonly line: ToolLine;
  readonly timeMs: number;
}

interface Said {
  lines: number;
  chars: number;
}

export interface LineBuffer {
  add(line: ToolLine, timeMs: number): void;
  /** The oldest lines, as many as go into one request; they are gone from the buffer. */
  take(): readonly StepLogLine[];
  empty(): boolean;
}

export interface LineBufferBounds {
  readonly bufferCharsMax?: number;
  readonly attemptLinesMax?: number;
  readonly attemptCharsMax?: number;
}

export function lineBuffer(bounds: LineBufferBounds = {}): LineBuffer {
  const {
    bufferCharsMax = stepLogBufferCharsMax,
    attemptLinesMax = stepLogAttemptLinesMax,
    attemptCharsMax = stepLogAttemptCharsMax,
  } = bounds;
  let waiting: Waiting[] = [];
  /** Where the oldest line stands: taking lines from the front of a long list is slow. */
  let first = 0;
  let chars = 0;
  let seq = 0;
  /** An attempt is one command object; what it has said is forgotten with it. */
  const said = new WeakMap<WorkerCommand, Said>();
  /** Lines that had to go, by attempt, with the last of them. */
  const dropped = new Map<WorkerCommand, { count: number; last: Waiting }>();

  const shift = (): Waiting | undefined => {
    const oldest = waiting[first];
    if (oldest === undefined) return undefined;
    first += 1;
    chars -= sizeOf(oldest.line);
    if (first > 1_024 && first * 2 > waiting.length) {
      waiting = waiting.slice(first);
      first = 0;
    }
    return oldest;
  };

  const drop = (): void => {
    const oldest = shift();
    if (oldest === undefined) return;
    const { command } = oldest.line;
    const count = (dropped.get(command)?.count ?? 0) + 1;
    dropped.set(command, { count, last: oldest });
  };

  const push = (line: ToolLine, timeMs: number): void => {
    waiting.push({ line, timeMs });
    chars += sizeOf(line);
    while (chars > bufferCharsMax) drop();
  };

  const numbered = ({ line, timeMs }: Waiting): StepLogLine => {
    const { command, label, stream, text } = line;
    seq += 1;
    return {
      executionId: command.execution_id,
      commandId: command.command_id,
      attempt: command.attempt,
      step: command.step,
      label,
      stream,
      seq,
      timeMs,
      text: text.slice(0, logLineCharsMax),
    };
  };

  return {
    add: (line, timeMs) => {
      const before = said.get(line.command) ?? { lines: 0, chars: 0 };
      if (before.lines > attemptLinesMax || before.chars > attemptCharsMax) return;
      before.lines += 1;
      before.chars += line.text.length;
      said.set(line.command, before);
      const isOver = before.lines > attemptLinesMax || before.chars > attemptCharsMax;
      push(isOver ? cutLine(line, attemptLinesMax, attemptCharsMax) : line, timeMs);
    },
    take: () => {
      const batch = [...dropped.values()].slice(0, stepLogBatchLinesMax).map(missingLine);
      for (const { line } of batch) dropped.delete(line.command);
      let batchChars = 0;
      while (batch.length < stepLogBatchLinesMax && batchChars < stepLogBatchCharsMax) {
        const next = shift();
        if (next === undefined) break;
        batch.push(next);
        batchChars += sizeOf(next.line);
      }
      return batch.map(numbered);
    },
    empty: () => waiting.length === first && dropped.size === 0,
  };
}

/** What a line costs while it waits; an empty one is not free. */
function sizeOf({ text }: ToolLine): number {
  return text.length + stepLogLineBytes;
}

function cutLine({ command, label }: ToolLine, linesMax: number, charsMax: number): ToolLine {
  const text = `what this attempt prints beyond ${linesMax} lines or ${charsMax} characters is not kept`;
  return { command, label, stream: "log", text };
}

function missingLine({ count, last }: { readonly count: number; readonly last: Waiting }): Waiting {
  const { command, label } = last.line;
  const text = `${count} ${count === 1 ? "line is" : "lines are"} missing here: they could not be sent in time`;
  return { line: { command, label, stream: "log", text }, timeMs: last.timeMs };
}
