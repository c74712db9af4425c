// The lines of an execution as server-sent events, from a position on, until the execution has
// ended and its last lines were sent. The bus says when to look; what counts is what is stored.

import type { ExecutionId } from "#core/model/ids";
import {
  stepLogHeartbeatMs,
  stepLogLateMs,
  stepLogLookMs,
  stepLogPageLinesMax,
} from "#core/model/limits";
import type { StepLogFilter, StoredLogLine } from "#core/ports/step-logs";
import { executionUpdate, stepLogLines } from "#core/wire/subjects";
import type { ControlContext } from "./context.ts";
import { shownLine } from "./step-logs.ts";

export interface StepLogStream {
  readonly id: ExecutionId;
  readonly wanted: Omit<StepLogFilter, "limit">;
  /** Aborted when nobody reads any more. */
  readonly closing: AbortController;
}

/**
 * Each line is an event `line` with its position as `id`; comments show that the stream is alive;
 * the last event is `end` with the status of the execution.
 */
export async function* stepLogFrames(
  context: ControlContext,
  { id, wanted, closing }: StepLogStream,
): AsyncGenerator<string, void> {
  const { clock, stepLogs } = context;
  const news = newsOf(context, id, closing.signal);
  let { afterPosition } = wanted;
  let saidAtMs = clock.nowMs();
  try {
    yield ": lines follow\n\n";
    while (!closing.signal.aborted) {
      const filter = { ...wanted, afterPosition, limit: stepLogPageLinesMax };
      // Asked before the lines: what was printed before the end can't come behind it.
      const end = await endOf(context, id);
      const page = await stepLogs.read(id, filter);
      afterPosition = page.at(-1)?.position ?? afterPosition;
      if (page.length > 0) {
        saidAtMs = clock.nowMs();
        yield page.map(lineFrame).join("");
        continue;
      }
      if (end?.isOver === true) {
        yield `event: end\ndata: ${JSON.stringify({ status: end.status })}\n\n`;
        return;
      }
      await news.wait();
      if (clock.nowMs() < saidAtMs + stepLogHeartbeatMs) continue;
      saidAtMs = clock.nowMs();
      yield ": still here\n\n";
    }
  } finally {
    news.close();
  }
}

function lineFrame(line: StoredLogLine): string {
  return `event: line\nid: ${line.position}\ndata: ${JSON.stringify(shownLine(line))}\n\n`;
}

/** How the execution ended, and whether its last lines have had the time to come. */
async function endOf({ log, clock }: ControlContext, id: ExecutionId) {
  const row = (await log.head(id))?.row;
  if (row === undefined || row.status === "running") return undefined;
  const isOver = clock.nowMs() >= (row.endedAtMs ?? 0) + stepLogLateMs;
  return { status: row.status, isOver };
}

interface News {
  /** Resolves when there may be something new, and at the latest when it is time to look. */
  wait(): Promise<void>;
  close(): void;
}

function newsOf({ bus, clock }: ControlContext, id: ExecutionId, closed: AbortSignal): News {
  let isNew = false;
  let wake = new AbortController();
  const heard = (): void => {
    isNew = true;
    wake.abort();
  };
  const subscriptions = [
    bus.subscribe(stepLogLines(id), heard),
    bus.subscribe(executionUpdate(id, "playbook.*"), heard),
  ];
  closed.addEventListener("abort", heard, { once: true });
  return {
    wait: async () => {
      if (!isNew) await clock.sleep(stepLogLookMs, wake.signal);
      isNew = false;
      wake = new AbortController();
    },
    close: () => {
      for (const subscription of subscriptions) subscription.close();
      closed.removeEventListener("abort", heard);
    },
  };
}
