// Where the events of a followed execution come from: the stores of this process, woken by the
// bus, or the pages of a server, asked again and again.

import type { ApiClient } from "#core/adapters/api-client";
import type { Event } from "#core/model/event";
import { Fault } from "#core/model/fault";
import { type ExecutionId, executionId } from "#core/model/ids";
import { pageSizeMax } from "#core/model/limits";
import type { Bus } from "#core/ports/bus";
import type { EventLog } from "#core/ports/event-log";
import type { Api } from "#core/wire/api";
import type { RouteAnswer } from "#core/wire/route";
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
        const page = await client.executionEvents({
          params: { id },
          query: { after: afterSeq, limit: pageSizeMax },
        });
        answeredAtMs = performance.now();
        return page.events.map(eventOf);
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

type EventView = RouteAnswer<Api["executionEvents"]["parts"]>["events"][number];

/** The event as the log has it: the envelope of the API holds each of its fields once. */
function eventOf(view: EventView): Event {
  const { event_type, event_time, worker_id, duration, result, context, ...rest } = view;
  const { status: _status, digest: _digest, error: _error, ...envelope } = rest;
  return {
    ...envelope,
    ...context,
    execution_id: executionId(view.execution_id),
    type: event_type,
    time: Date.parse(event_time),
    ...(worker_id === undefined ? {} : { worker: worker_id }),
    ...(duration === undefined ? {} : { duration_ms: duration * 1_000 }),
    ...(result === undefined ? {} : { output: outputOf(result) }),
    // The server built the view from an event of this very shape.
  } as unknown as Event;
}

function outputOf(result: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { status, reference, context } = result;
  return {
    status,
    ...(reference === undefined ? {} : { ref: reference }),
    ...(typeof context === "object" ? context : {}),
  };
}
