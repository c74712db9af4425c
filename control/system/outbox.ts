// Events for publishers outside of the product, as from an outbox: what a consumer took and has not
// marked comes again. There is no table of its own: rows are entries of the log after the consumer's
// cursor, and the cursor keeps what is under way beyond it.
//
// O1  An entry is given to nobody while it is under way, and to somebody again once that time is up.
// O2  The cursor moves over an entry only when it, and all before it, were marked as published.

import type { ControlContext } from "#control/services/context";
import { envelopes, type FeedEvent } from "#control/services/event-envelope";
import { Fault } from "#core/model/fault";
import type { JsonObject } from "#core/model/json";
import {
  outboxFlightMs,
  outboxOpenMax,
  outboxPendingMax,
  outboxRetryMs,
} from "#core/model/secret-limits";
import type { HeldCursor } from "#core/ports/cursor-store";
import type { EventFeed, FeedEntry } from "#core/ports/event-feed";
import { executionUpdate } from "#core/wire/subjects";

export interface OutboxRow {
  readonly outbox_id: string;
  readonly event_id: string;
  readonly execution_id: string;
  readonly subject: string;
  readonly payload: JsonObject;
  readonly payload_codec: "json";
  readonly attempts: number;
}

export interface Outbox {
  claim(consumer: string, limit: number): Promise<readonly OutboxRow[]>;
  /** Of how many it was true: those that were under way. */
  markPublished(consumer: string, ids: readonly string[]): Promise<number>;
  /** Milliseconds until it comes again; undefined for what is not under way. */
  markFailed(consumer: string, failed: FailedRow): Promise<number | undefined>;
  /** Counted up to a limit. */
  pending(consumer: string): Promise<number>;
}

export interface FailedRow {
  readonly id: string;
  readonly attempts?: number;
  readonly delayMsMax: number;
}

/** An entry beyond the cursor that was given to somebody, in the order of the log. */
interface Open {
  readonly id: string;
  readonly position: string;
  readonly attempts: number;
  /** It comes again from then on; undefined once it was published. */
  readonly untilMs?: number;
}

/** What the position of the consumer's cursor says. */
interface Place {
  readonly after?: string;
  readonly open: readonly Open[];
}

const lockMs = 5_000;
const lockTriesMax = 100;
const lockRetryMs = 20;

export function outboxOf(context: ControlContext): Outbox {
  const { clock, feed } = context;
  const wrap = envelopes(context.log);
  return {
    claim: (consumer, limit) =>
      changed(context, consumer, async (place) => {
        const entries = await entriesAfter(feed, place.after, place.open.length + limit);
        const nowMs = clock.nowMs();
        const { open, given } = taken(place.open, entries, { limit, nowMs });
        const rows = rowsOf(await wrap(given.map(({ entry }) => entry)), given);
        // Of an execution that was removed meanwhile there is nothing left to publish.
        const told = new Set(rows.map(({ outbox_id: id }) => id));
        const gone = given.filter(({ entry }) => !told.has(entry.event.event_id));
        const ids = new Set(gone.map(({ entry }) => entry.event.event_id as string));
        return { place: published({ ...place, open }, ids), answer: rows };
      }),
    markPublished: (consumer, ids) =>
      changed(context, consumer, async (place) => {
        const wanted = new Set(ids);
        const marked = place.open.filter((one) => wanted.has(one.id) && one.untilMs !== undefined);
        return { place: published(place, wanted), answer: marked.length };
      }),
    markFailed: (consumer, { id, attempts, delayMsMax }) =>
      changed<number | undefined>(context, consumer, async (place) => {
        const found = place.open.find((one) => one.id === id && one.untilMs !== undefined);
        if (found === undefined) return { answer: undefined };
        const doubled = outboxRetryMs * 2 ** Math.min((attempts ?? found.attempts) - 1, 30);
        const delayMs = Math.max(outboxRetryMs, Math.min(doubled, delayMsMax));
        const again = { ...found, untilMs: clock.nowMs() + delayMs };
        const open = place.open.map((one) => (one === found ? again : one));
        return { place: { ...place, open }, answer: delayMs };
      }),
    pending: async (consumer) => {
      const name = nameOf(consumer);
      const known = (await context.cursors.list()).find((one) => one.name === name);
      const { after, open } = placeIn(known?.position);
      const done = open.filter(({ untilMs }) => untilMs === undefined).length;
      const entries = await entriesAfter(feed, after, outboxPendingMax + done);
      return Math.max(0, entries.length - done);
    },
  };
}

/** So many, unless the log ends before. */
async function entriesAfter(
  feed: Pick<EventFeed, "after">,
  position: string | undefined,
  limit: number,
): Promise<readonly FeedEntry[]> {
  const entries: FeedEntry[] = [];
  let from = position;
  for (;;) {
    const page = await feed.after(from, { limit: limit - entries.length });
    entries.push(...page.entries);
    from = page.next;
    if (!page.more || entries.length >= limit) return entries;
  }
}

interface Given {
  readonly entry: FeedEntry;
  readonly attempts: number;
}

interface Taking {
  readonly limit: number;
  readonly nowMs: number;
}

/** What is due, in the order of the log, and what is under way afterwards: O1. */
function taken(
  before: readonly Open[],
  entries: readonly FeedEntry[],
  { limit, nowMs }: Taking,
): { readonly open: readonly Open[]; readonly given: readonly Given[] } {
  const known = new Map(before.map((one) => [one.id, one]));
  const open: Open[] = [];
  const given: Given[] = [];
  for (const entry of entries) {
    const { event_id: id } = entry.event;
    const one = known.get(id);
    const isDue = one === undefined || (one.untilMs !== undefined && one.untilMs <= nowMs);
    const hasRoom = given.length < limit && (one !== undefined || open.length < outboxOpenMax);
    if (isDue && hasRoom) {
      const attempts = (one?.attempts ?? 0) + 1;
      given.push({ entry, attempts });
      open.push({ id, position: entry.position, attempts, untilMs: nowMs + outboxFlightMs });
    } else if (one !== undefined) {
      open.push(one);
    }
    known.delete(id);
  }
  // Those that lie beyond what was read.
  return { open: [...open, ...known.values()], given };
}

/** Marks them, and moves the cursor over those at its beginning: O2. */
function published({ after, open }: Place, ids: ReadonlySet<string>): Place {
  const marked = open.map((one): Open => {
    const { untilMs, ...done } = one;
    return untilMs === undefined || ids.has(one.id) ? done : one;
  });
  const waiting = marked.findIndex(({ untilMs }) => untilMs !== undefined);
  const passed = waiting < 0 ? marked.length : waiting;
  const reached = marked[passed - 1]?.position ?? after;
  return { ...(reached === undefined ? {} : { after: reached }), open: marked.slice(passed) };
}

function rowsOf(events: readonly FeedEvent[], given: readonly Given[]): readonly OutboxRow[] {
  const attempts = new Map(given.map((one) => [one.entry.event.event_id as string, one]));
  return events.flatMap((event) => {
    const one = attempts.get(event.event_id);
    if (one === undefined) return [];
    const { execution_id: id, type } = one.entry.event;
    return [
      {
        outbox_id: event.event_id,
        event_id: event.event_id,
        execution_id: id,
        subject: executionUpdate(id, type),
        // Envelopes are JSON, spelled as a type.
        payload: event as unknown as JsonObject,
        payload_codec: "json" as const,
        attempts: one.attempts,
      },
    ];
  });
}

const nameOf = (consumer: string): string => `outbox:${consumer}`;

function placeIn(position: string | undefined): Place {
  // Written by `changed` alone, from a value of this type.
  return position === undefined ? { open: [] } : (JSON.parse(position) as Place);
}

interface Change<Answer> {
  /** Without one nothing is written. */
  readonly place?: Place;
  readonly answer: Answer;
}

/** One change at a time, over all replicas: each takes the cursor for as long as it needs. */
async function changed<Answer>(
  { cursors, clock, ids }: ControlContext,
  consumer: string,
  change: (place: Place) => Promise<Change<Answer>>,
): Promise<Answer> {
  const owner = `outbox-${ids.eventId()}`;
  const held = await heldBy({ cursors, clock }, nameOf(consumer), owner);
  try {
    const { place, answer } = await change(placeIn(held.position));
    if (place !== undefined && !(await cursors.advance(held, JSON.stringify(place)))) {
      throw new Fault("unavailable", `consumer ${consumer} took too long, try again`);
    }
    return answer;
  } finally {
    await cursors.release(held);
  }
}

async function heldBy(
  { cursors, clock }: Pick<ControlContext, "cursors" | "clock">,
  name: string,
  owner: string,
): Promise<HeldCursor> {
  for (let tries = 0; tries < lockTriesMax; tries++) {
    const held = await cursors.take(name, owner, lockMs);
    if (held !== undefined) return held;
    await clock.sleep(lockRetryMs);
  }
  throw new Fault("unavailable", `${name} is in use by others, try again`);
}
