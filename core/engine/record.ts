// How an event enters the log: encoded once, its large values taken out, chained to the one before.
// A caller that keeps no log (a benchmark, a simulation) records events as they are instead.

import { chainDigest, decodeEvent, encodeEvent, type Sha256 } from "#core/model/codec";
import type { Event, LoggedEvent } from "#core/model/event";
import { externalize, type Put } from "./externalize.ts";

export interface Recorded {
  /** Its `event` is what the state is made of. */
  readonly logged: LoggedEvent;
  readonly puts: readonly Put[];
}

/** @param previous the digest of the event before this one. */
export type Recorder = (event: Event, previous: string, sha256: Sha256) => Recorded;

/** As the log has it: the decoded form is folded, so that a rebuilt state is made of the same values. */
export const encodedRecord: Recorder = (event, previous, sha256) => {
  const { event: inline, puts } = externalize(event, encodeEvent(event), sha256);
  const text = puts.length === 0 ? inline.text : encodeEvent(inline.value);
  const digest = chainDigest(previous, text, sha256);
  return { logged: { event: decodeEvent(text), text, digest }, puts };
};

/**
 * The event itself, without text or digest: never for a log that is kept. Values of any size stay
 * in the state, which shares them with the event.
 */
export const plainRecord: Recorder = (event, previous) => ({
  logged: { event, text: "", digest: previous },
  puts: [],
});
