// Time and identity, passed in so that tests and the simulator own them.

import type { EventId, ExecutionId } from "#core/model/ids";

export interface Clock {
  /** Milliseconds since 1970. */
  nowMs(): number;
  /** Resolves after so many milliseconds, or at once when the signal aborts. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
}

export interface IdMint {
  executionId(): ExecutionId;
  /** Larger than every id this mint gave out before, and than `after` when given. */
  eventId(after?: EventId): EventId;
  catalogId(): string;
}
