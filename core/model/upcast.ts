// Older event versions to the current one, one function a step. The log itself is never
// rewritten: what is stored stays as it was hashed.

import { type Event, eventSchemaVersion } from "./event.ts";
import { Fault } from "./fault.ts";

type RawEvent = Readonly<Record<string, unknown>>;
type Upcaster = (event: RawEvent) => RawEvent;

/** By the version it starts from. */
const upcasters: ReadonlyMap<number, Upcaster> = new Map();

/**
 * Applies the upcasters from the event's version up to the current one.
 * @throws Fault `internal` for a version that this build doesn't know.
 */
export function upcast(event: unknown): Event {
  let raw = event as RawEvent;
  for (let version = raw.schema_version; version !== eventSchemaVersion; ) {
    const step = typeof version === "number" ? upcasters.get(version) : undefined;
    if (step === undefined) {
      throw new Fault(
        "internal",
        `event ${String(raw.event_id)} has schema version ${String(version)}, expected at most ${eventSchemaVersion}`,
      );
    }
    raw = step(raw);
    version = raw.schema_version;
  }
  return raw as unknown as Event;
}
