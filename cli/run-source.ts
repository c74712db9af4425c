// Where the events of a followed execution come from: the stores of this process, woken by the
// bus, or the pages of a server, asked again and again.

import type { ApiClient } from "#core/adapters/api-client";
import { decodeEvent } from "#core/model/codec";
import { Fault } from "#core/model/fault";
import { type ExecutionId, executionId } from "#core/model/ids";
import { pageSizeMax } from "#core/model/limits";
import type { Bus } from "#core/ports/bus";
import type { EventLog } from "#core/ports/event-log";
import { executionUpdates } from "#core/wire/subjects";
import type { EventSource } from "./follow.ts";

/** A message may be lost, so the log is looked at this often without one. */
const lookMs = 500;

export interface LocalSource extends EventSource {
  close(): void;
}

export function localSource(log: EventLog, bus: Bus): LocalSource {
  let news = new Set<ExecutionId>();
  let wake: (() => void) | undefined;
  // Every execution of this process belongs to the run: sub-playbooks are followed as well.
  const subscription = bus.subscribe(executionUpdates(executionId("*")), ({ subject }) => {
    const [, , id = ""] = subject.split(".");
    news.add(executionId(id));
    wake?.();
  });
  return {
    read: async (id, afterSeq) =>
      (await log.events(id, afterSeq, pageSizeMax)).map(({ event }) => event),
    wait: async () => {
      if (news.size === 0) {
        const { promise, resolve } = Promise.withResolvers<void>();
        wake = resolve;
        const timer = setTimeout(resolve, lookMs);
        await promise;
        clearTimeout(timer);
        wake = undefined;
      }
      const seen = news;
      news = new Set();
      return seen.size === 0 ? undefined : seen;
    },
    close: () => subscription.close(),
  };
}

const firstDelayMs = 20;
const delayMsMax = 1_000;

/** A server that is restarted is waited for this long. */
const outageMsMax = 60_000;

/** @throws (from `read`) Fault of a server that refuses, or that has not answered for a minute. */
export function remoteSource(client: ApiClient): EventSource {
  let answeredAtMs = performance.now();
  return {
    read: async (id, afterSeq) => {
      try {
        const { lines } = await client.executionLog({
          params: { id },
          query: { after: afterSeq, limit: pageSizeMax },
        });
        answeredAtMs = performance.now();
        return lines.map(({ text }) => decodeEvent(text));
      } catch (thrown) {
        const mayCome = thrown instanceof Fault && thrown.retryable;
        if (!mayCome || performance.now() > answeredAtMs + outageMsMax) throw thrown;
        return [];
      }
    },
    wait: async (quietLooks) => {
      await Bun.sleep(Math.min(firstDelayMs * 1.5 ** quietLooks, delayMsMax));
      return undefined;
    },
  };
}
