// What batches of events were answered with: kept for a while, so that a batch that comes again under
// its client's key is told the same. Never truth: the events themselves are in the log.

import type { ExecutionId } from "#core/model/ids";

export interface NewEventBatch {
  readonly requestId: string;
  readonly tenant: string;
  readonly executionId: ExecutionId;
  /** The client's own, of one execution. */
  readonly key?: string;
}

export interface EventBatch extends NewEventBatch {
  /** In the order of the batch's events; undefined until it has been worked on. */
  readonly eventIds?: readonly string[];
}

export interface EventBatches {
  /** Begins a batch, or finds the one that has its key already. */
  begin(batch: NewEventBatch): Promise<EventBatch>;
  /** Says what it came to. */
  finish(requestId: string, eventIds: readonly string[]): Promise<void>;
  get(requestId: string): Promise<EventBatch | undefined>;
  /** Removes those older than this, at most so many; returns how many. */
  purge(keptMs: number, limit: number): Promise<number>;
}
