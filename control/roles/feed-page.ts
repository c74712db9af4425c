// Reading the feed on from a cursor that is kept in the very database that the log is in.

import { Fault } from "#core/model/fault";
import { encodePosition, isSameCopy, parsePosition } from "#core/model/position";
import type { EventFeed, FeedPage } from "#core/ports/event-feed";

export interface RolePage extends FeedPage {
  /** The log is another one than the position was of: this page is its first. */
  readonly restarted: boolean;
}

/**
 * Reads on. When the server's timeline has changed, cursor and log went back together and the
 * cursor still holds. In another copy it doesn't: reading starts over.
 */
export async function pageAfter(
  feed: EventFeed,
  position: string | undefined,
  limit: number,
): Promise<RolePage> {
  try {
    return { ...(await feed.after(position, { limit })), restarted: false };
  } catch (thrown) {
    const isOther = thrown instanceof Fault && thrown.code === "conflict";
    if (!isOther || position === undefined) throw thrown;
    const { timeline } = await feed.identity();
    const held = parsePosition(position);
    if (held.timeline === timeline || !isSameCopy(held.timeline, timeline)) {
      return { ...(await feed.after(undefined, { limit })), restarted: true };
    }
    return pageAfter(feed, encodePosition({ ...held, timeline }), limit);
  }
}
