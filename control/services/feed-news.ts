// When to look at the feed again: at once when the bus says so, soon after while what it spoke of
// may still be held back, and now and then in any case, for the bus is a hint.

import type { ExecutionId } from "#core/model/ids";
import { feedPollMs } from "#core/model/limits";
import type { Subscription } from "#core/ports/bus";
import { allExecutionUpdates, executionUpdates } from "#core/wire/subjects";
import type { ControlContext } from "./context.ts";

export interface FeedNews {
  /** Resolves when it is time to look, at the latest after so long. */
  wait(mostMs: number): Promise<void>;
  close(): void;
}

/** A subscription for each execution, up to so many; all executions in one beyond that. */
const subscriptionsMax = 16;
/** First look after a hint that led to nothing; each later one waits twice as long. */
const soonMs = 5;

/** @param ended aborted when nobody waits any more; a wait ends then. */
export function feedNews(
  { bus, clock }: Pick<ControlContext, "bus" | "clock">,
  executionIds: readonly ExecutionId[] | undefined,
  ended: AbortSignal,
): FeedNews {
  let wake = new AbortController();
  let isNew = false;
  let pauseMs = feedPollMs;
  const heard = (): void => {
    isNew = true;
    wake.abort();
  };
  const few = executionIds !== undefined && executionIds.length <= subscriptionsMax;
  const patterns = few ? executionIds.map(executionUpdates) : [allExecutionUpdates];
  const subscriptions: readonly Subscription[] = patterns.map((pattern) =>
    bus.subscribe(pattern, heard),
  );
  ended.addEventListener("abort", heard, { once: true });
  return {
    wait: async (mostMs) => {
      if (!isNew && !ended.aborted) {
        await clock.sleep(Math.min(pauseMs, mostMs), wake.signal);
        pauseMs = Math.min(pauseMs * 2, feedPollMs);
      }
      if (isNew) pauseMs = soonMs;
      isNew = false;
      wake = new AbortController();
    },
    close: () => {
      for (const subscription of subscriptions) subscription.close();
      ended.removeEventListener("abort", heard);
    },
  };
}
