// Reading the feed for a client: a page at once, a page as soon as there is something, or a stream.

import { Fault } from "#core/model/fault";
import type { ExecutionId } from "#core/model/ids";
import { feedWaitMsMax, streamHeartbeatMs } from "#core/model/limits";
import type { ControlContext } from "./context.ts";
import type { Envelopes, FeedEvent } from "./event-envelope.ts";
import { feedNews } from "./feed-news.ts";

export interface FeedRequest {
  /** A position, `end`, or the beginning. */
  readonly after?: string;
  readonly executionIds?: readonly ExecutionId[];
  readonly types?: readonly string[];
  readonly limit: number;
  /** Whose events; of all tenants without one. */
  readonly tenant?: string;
}

export interface FeedAnswer {
  readonly timeline: string;
  readonly events: FeedEvent[];
  readonly next: string;
  readonly more: boolean;
}

export interface FeedReader {
  readonly context: ControlContext;
  readonly wrap: Envelopes;
}

/** What the client may say instead of a position. */
const theEnd = "end";

async function startOf({ feed }: ControlContext, request: FeedRequest): Promise<FeedRequest> {
  return request.after === theEnd ? { ...request, after: await feed.end() } : request;
}

/** A page without what is another tenant's: it may be empty and not the last. */
async function readPage(
  { context, wrap }: FeedReader,
  { after, tenant, ...query }: FeedRequest,
): Promise<FeedAnswer> {
  const { entries, ...page } = await context.feed.after(after, query);
  const events = await wrap(entries);
  return {
    ...page,
    events: events.filter(({ tenant_id: own }) => tenant === undefined || own === tenant),
  };
}

/** @param waitMs how long an empty page may be withheld; ends early when `givenUp` aborts. */
export async function readFeed(
  reader: FeedReader,
  asked: FeedRequest,
  waiting: { readonly waitMs: number; readonly givenUp: AbortSignal },
): Promise<FeedAnswer> {
  const { context } = reader;
  const { clock } = context;
  const { givenUp } = waiting;
  const untilMs = clock.nowMs() + Math.min(waiting.waitMs, feedWaitMsMax);
  let request = await startOf(context, asked);
  let page = await readPage(reader, request);
  if (page.events.length > 0 || waiting.waitMs === 0) return page;
  const news = feedNews(context, request.executionIds, givenUp);
  try {
    // Looked at once more: what came before the subscription gave no hint.
    while (page.events.length === 0 && !givenUp.aborted) {
      request = { ...request, after: page.next };
      page = await readPage(reader, request);
      const leftMs = untilMs - clock.nowMs();
      if (page.events.length > 0 || leftMs <= 0) break;
      if (!page.more) await news.wait(leftMs);
    }
  } finally {
    news.close();
  }
  return page;
}

/**
 * Server-sent events: each an `event` with its position as `id`; comments show that the stream is
 * alive, and move the `id` past what didn't match. A stream whose log became another one says so
 * with a last event `timeline`.
 */
export async function feedFrames(
  reader: FeedReader,
  asked: FeedRequest,
  closed: AbortSignal,
): Promise<AsyncGenerator<string, void>> {
  const { context } = reader;
  const request = await startOf(context, asked);
  // A position that is refused is an answer of its own, not a stream.
  const first = await readPage(reader, request);
  return framesFrom(reader, { request, first, closed });
}

interface Streaming {
  readonly request: FeedRequest;
  readonly first: FeedAnswer;
  readonly closed: AbortSignal;
}

async function* framesFrom(
  reader: FeedReader,
  { request, first, closed }: Streaming,
): AsyncGenerator<string, void> {
  const { context } = reader;
  const { clock } = context;
  const news = feedNews(context, request.executionIds, closed);
  let page = first;
  let saidAtMs = clock.nowMs();
  try {
    yield `: events follow\n${idLine(page.next, page.events.length === 0)}\n`;
    while (!closed.aborted) {
      const { events } = page;
      const isSilent = clock.nowMs() >= saidAtMs + streamHeartbeatMs;
      if (events.length > 0) yield events.map(eventFrame).join("");
      else if (isSilent) yield `: still here\n${idLine(page.next, true)}\n`;
      if (events.length > 0 || isSilent) saidAtMs = clock.nowMs();
      if (!page.more) await news.wait(streamHeartbeatMs);
      page = await readPage(reader, { ...request, after: page.next });
    }
  } catch (thrown) {
    if (!(thrown instanceof Fault && thrown.code === "conflict")) throw thrown;
    yield `event: timeline\ndata: ${JSON.stringify(thrown.details)}\n\n`;
  } finally {
    news.close();
  }
}

const idLine = (position: string, isPast: boolean): string => (isPast ? `id: ${position}\n` : "");

function eventFrame(event: FeedEvent): string {
  return `event: event\nid: ${event.position}\ndata: ${JSON.stringify(event)}\n\n`;
}
