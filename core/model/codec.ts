// Events as text, and the chain of digests over it. The text is what is stored, hashed and
// verified; the decoded form is what the engine folds, so a cached state and a rebuilt one are
// made of the same values.

import { type Event, eventSchemaVersion } from "./event.ts";
import { upcast } from "./upcast.ts";

/** SHA-256 of UTF-8 text, hexadecimal; passed in because hashing is the runtime's business. */
export type Sha256 = (text: string) => string;

/** The digest before the first event of every execution. */
export const genesisDigest = "0".repeat(64);

/** Encodes an event to the text that the log keeps, always with the same order of fields. */
export function encodeEvent(event: Event): string {
  return JSON.stringify(event);
}

/**
 * Decodes a text from the log and brings it to the current schema.
 * @throws Error when the text isn't an event or comes from a newer schema.
 */
export function decodeEvent(text: string): Event {
  const raw = JSON.parse(text) as Event;
  return raw.schema_version === eventSchemaVersion ? raw : upcast(raw);
}

/** The digest of an event on top of the one before it. */
export function chainDigest(previous: string, text: string, sha256: Sha256): string {
  return sha256(previous + text);
}
