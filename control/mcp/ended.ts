// Waiting for the end of an execution: told of it by messages, and looked for in the log besides.

import type { ControlContext } from "#control/services/context";
import type { ExecutionStatus } from "#core/model/event";
import type { ExecutionId } from "#core/model/ids";
import { mcpLookMs } from "#core/model/mcp-limits";
import { executionUpdates } from "#core/wire/subjects";

export interface EndWait {
  readonly waitMs: number;
  /** Nobody waits any more. */
  readonly signal: AbortSignal;
  /** Told of every step that has ended. */
  readonly onStep?: () => void;
}

/** The status in which it ended; undefined when the time was over before. */
export async function endOf(
  { bus, clock, log }: ControlContext,
  id: ExecutionId,
  { waitMs, signal, onStep }: EndWait,
): Promise<ExecutionStatus | undefined> {
  const stepSuffix = ".step.exit";
  let told = Promise.withResolvers<void>();
  const subscription = bus.subscribe(executionUpdates(id), ({ subject }) => {
    if (subject.endsWith(stepSuffix)) onStep?.();
    else if (subject.includes(".playbook.")) told.resolve();
  });
  const untilMs = clock.nowMs() + waitMs;
  try {
    for (;;) {
      const status = (await log.head(id))?.row.status;
      if (status !== undefined && status !== "running") return status;
      const leftMs = untilMs - clock.nowMs();
      if (leftMs <= 0 || signal.aborted) return undefined;
      const looked = new AbortController();
      const over = AbortSignal.any([signal, looked.signal]);
      await Promise.race([told.promise, clock.sleep(Math.min(mcpLookMs, leftMs), over)]);
      looked.abort();
      told = Promise.withResolvers<void>();
    }
  } finally {
    subscription.close();
  }
}
