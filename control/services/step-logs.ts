// What tools printed: taken in from workers, announced on the bus, read by page. Kept beside the
// log of the execution; nothing is decided by it.

import { Fault } from "#core/model/fault";
import { type ExecutionId, isSnowflake } from "#core/model/ids";
import { logLineCharsMax, stepLogBatchLinesMax, stepLogMessageCharsMax } from "#core/model/limits";
import type { StepLogLine, StoredLogLine } from "#core/ports/step-logs";
import type { ShownLogLine } from "#core/wire/api-step-logs";
import { stepLogLines } from "#core/wire/subjects";
import type { ControlContext } from "./context.ts";

/** The line in the words of the wire. */
export function shownLine(line: StoredLogLine): ShownLogLine {
  const { position, executionId, commandId, attempt, step, label, stream, timeMs, text } = line;
  return {
    position,
    execution_id: executionId,
    command_id: commandId,
    attempt,
    step,
    label,
    stream,
    time: new Date(timeMs).toISOString(),
    text,
  };
}

/**
 * Keeps lines of one worker and tells who listens.
 * @returns how many were kept: those sent before, and those there is no room for, are not.
 * @throws Fault `too_large` for more lines than a request may have, `invalid` for ids that aren't.
 */
export async function keepLines(
  context: ControlContext,
  worker: string,
  lines: readonly StepLogLine[],
): Promise<number> {
  if (lines.length > stepLogBatchLinesMax) {
    throw new Fault(
      "too_large",
      `expected at most ${stepLogBatchLinesMax} lines in a request, found ${lines.length}`,
    );
  }
  for (const { executionId: id } of lines) {
    if (!isSnowflake(id)) throw new Fault("invalid", "expected execution ids, found another text");
  }
  const kept = await context.stepLogs.append(worker, lines.map(cut));
  announce(context, kept);
  return kept.length;
}

function cut(line: StepLogLine): StepLogLine {
  if (line.text.length <= logLineCharsMax) return line;
  return { ...line, text: line.text.slice(0, logLineCharsMax) };
}

/** One message for each execution: its lines, or only that there are some. */
function announce({ bus }: ControlContext, kept: readonly StoredLogLine[]): void {
  for (const [id, lines] of Map.groupBy(kept, ({ executionId: of }) => of)) {
    const chars = lines.reduce((sum, { text }) => sum + text.length, 0);
    const isSmall = chars <= stepLogMessageCharsMax;
    const message = isSmall ? { lines: lines.map(shownLine) } : { lines: [], more: true };
    bus.publish(stepLogLines(id), JSON.stringify({ execution_id: id, ...message }));
  }
}

/** @throws Fault `not_found` for an execution that doesn't exist. */
export async function requireExecution(context: ControlContext, id: ExecutionId): Promise<void> {
  if ((await context.log.head(id)) === undefined) {
    throw new Fault("not_found", `execution ${id} does not exist`);
  }
}
