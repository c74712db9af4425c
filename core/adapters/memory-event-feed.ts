// The feed of the log in memory: every append is a transaction of its own and over at once, so
// nothing ever holds readers back.

import { decodeEvent } from "#core/model/codec";
import { Fault } from "#core/model/fault";
import {
  comparePositions,
  encodePosition,
  otherTimeline,
  type Position,
  parsePosition,
  startOf,
} from "#core/model/position";
import type { EventFeed, FeedEntry, FeedPage, FeedQuery } from "#core/ports/event-feed";
import type { EventLog, Transition } from "#core/ports/event-log";

interface Stored {
  readonly place: Position;
  readonly type: string;
  readonly text: string;
  readonly digest: string;
}

/** Memory begins with the process: there is one history, and it is this one. */
const identity = { clusterId: "00000000-0000-0000-0000-000000000000", timeline: "memory-0" };

/**
 * The same log, and the feed of what is appended through it from now on.
 */
export function memoryEventFeed(log: EventLog): {
  readonly log: EventLog;
  readonly feed: EventFeed;
} {
  const stored: Stored[] = [];
  let transactions = 0;
  const note = (transitions: readonly Transition[]): void => {
    transactions += 1;
    const added = transitions.flatMap(({ row, events }) =>
      events.map(({ event, text, digest }): Stored => {
        const { timeline } = identity;
        const { executionId } = row;
        const place = { timeline, xid: String(transactions), executionId, seq: event.seq };
        return { place, type: event.type, text, digest };
      }),
    );
    added.sort((a, b) => comparePositions(a.place, b.place));
    for (const one of added) stored.push(one);
  };
  return {
    log: {
      ...log,
      append: async (transitions) => {
        const verdicts = await log.append(transitions);
        note(transitions.filter((_, index) => verdicts[index] !== "conflict"));
        return verdicts;
      },
    },
    feed: {
      identity: async () => identity,
      after: async (position, query) => pageOf(stored, placeAfter(stored, position), query),
      end: async () => encodePosition(stored.at(-1)?.place ?? startOf(identity.timeline)),
      lag: async () => ({ lagMs: 0 }),
    },
  };
}

/** Index of the first entry behind the position. */
function placeAfter(stored: readonly Stored[], position: string | undefined): number {
  if (position === undefined) return 0;
  const given = parsePosition(position);
  const last = stored.at(-1)?.place ?? startOf(identity.timeline);
  if (given.timeline !== identity.timeline || comparePositions(given, last) > 0) {
    throw otherTimeline(given, identity.timeline);
  }
  let [low, high] = [0, stored.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const one = stored[middle];
    if (one !== undefined && comparePositions(one.place, given) <= 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

function pageOf(stored: readonly Stored[], from: number, query: FeedQuery): FeedPage {
  const { limit, executionIds, types } = query;
  if (limit < 1) throw new Fault("invalid", `expected a limit of at least 1, found ${limit}`);
  const ids = executionIds === undefined ? undefined : new Set<string>(executionIds);
  const entries: FeedEntry[] = [];
  let at = from;
  for (; at < stored.length && entries.length < limit; at++) {
    const one = stored[at];
    if (one === undefined) break;
    if (ids?.has(one.place.executionId) === false) continue;
    if (types?.includes(one.type) === false) continue;
    const { text, digest } = one;
    entries.push({ position: encodePosition(one.place), event: decodeEvent(text), text, digest });
  }
  const last = stored[at - 1]?.place ?? startOf(identity.timeline);
  return {
    entries,
    next: encodePosition(last),
    timeline: identity.timeline,
    more: at < stored.length,
  };
}
