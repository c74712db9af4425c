// Which hints a transition sends: one for each row that waits for a claim, but no more to one pool
// than could wake somebody. They are built after the append, and only when there are any.

import type { CommandPayload } from "#core/engine/assemble";
import { hintsPerTransitionMax } from "#core/model/bus-limits";
import type { LoggedEvent } from "#core/model/event";
import type { EventId } from "#core/model/ids";
import type { CommandPointer } from "#core/ports/bus";
import type { NewCommandRow } from "#core/ports/event-log";

export interface Hint {
  readonly pool: string;
  readonly pointer: CommandPointer;
}

/**
 * @param rows what waits for a claim after the append, in its order.
 * @param events those of the same append: they say which event made the attempt.
 */
export function hintsOf(
  rows: readonly NewCommandRow[],
  events: readonly LoggedEvent[],
  serverUrl: string | undefined,
): readonly Hint[] {
  if (rows.length === 0) return [];
  const made = madeBy(events);
  const counts = new Map<string, number>();
  const hints: Hint[] = [];
  for (const row of rows) {
    const count = (counts.get(row.pool) ?? 0) + 1;
    counts.set(row.pool, count);
    const eventId = made.get(row.commandId);
    if (count > hintsPerTransitionMax || eventId === undefined) continue;
    hints.push({ pool: row.pool, pointer: pointerTo(row, eventId, serverUrl) });
  }
  return hints;
}

/** The last event wins: an attempt is made once, and the row is of the last one. */
function madeBy(events: readonly LoggedEvent[]): ReadonlyMap<string, EventId> {
  const made = new Map<string, EventId>();
  for (const { event } of events) {
    if (event.type === "command.issued" || event.type === "command.reissued") {
      made.set(event.command_id, event.event_id);
    }
  }
  return made;
}

function pointerTo(
  row: NewCommandRow,
  eventId: EventId,
  serverUrl: string | undefined,
): CommandPointer {
  // A tool row's payload is made by `commandPayload`; the port knows it as JSON.
  const { step } = row.payload as unknown as Pick<CommandPayload, "step">;
  return {
    execution_id: row.executionId,
    event_id: eventId,
    command_id: row.commandId,
    attempt: row.attempt,
    step,
    ...(serverUrl === undefined ? {} : { server_url: serverUrl }),
  };
}
