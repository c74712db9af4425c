// The log of all executions as one sequence, read on from a position. Readers come as they like and
// as often as they like; nothing is kept about them.
//
// F1  Entries have one total order, which never changes within a timeline.
// F2  Nothing comes to stand before a position that was ever given out: reading on skips nothing.
// F3  Within an execution entries come in the order of `seq`.
// F4  A position of another timeline, or ahead of this one, is refused and never guessed at.

import type { Event } from "#core/model/event";
import type { ExecutionId } from "#core/model/ids";
import type { Timeline } from "#core/model/position";

export interface FeedEntry {
  /** Where this entry stands; reading on from it gives the next. */
  readonly position: string;
  readonly event: Event;
  readonly text: string;
  readonly digest: string;
}

export interface FeedQuery {
  /** At least 1. */
  readonly limit: number;
  /** Only these executions. */
  readonly executionIds?: readonly ExecutionId[];
  /** Only events of these types. */
  readonly types?: readonly string[];
}

export interface FeedPage {
  readonly entries: readonly FeedEntry[];
  /** Read on from here: it may lie beyond the last entry, for what didn't match is not read again. */
  readonly next: string;
  readonly timeline: Timeline;
  /** Reading on at once may give more. */
  readonly more: boolean;
}

/** Which database this is, and the history that its positions are counted in. */
export interface LogIdentity {
  readonly clusterId: string;
  readonly timeline: Timeline;
}

/** A transaction that has begun to write and has not ended holds all readers back. */
export interface FeedLag {
  /** Age of the oldest such transaction; 0 when there is none. */
  readonly lagMs: number;
  /** Who has it, as far as the database tells. */
  readonly holder?: { readonly pid?: number; readonly application: string; readonly state: string };
}

export interface EventFeed {
  identity(): Promise<LogIdentity>;
  /**
   * Entries after the position, or from the beginning, in order.
   * @throws Fault `invalid` for text that is no position; `conflict`, with the timeline in its
   * details, for a position of another one: start over.
   */
  after(position: string | undefined, query: FeedQuery): Promise<FeedPage>;
  /** The position of the last entry that can be read now. */
  end(): Promise<string>;
  lag(): Promise<FeedLag>;
}
