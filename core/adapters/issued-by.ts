// Which event issued a command: every store finds it in what the row keeps for the worker.

import { isJsonObject, type Json } from "#core/model/json";

/** The event's id; undefined for rows that don't say. */
export function issuedBy(payload: Json): string | undefined {
  const id = isJsonObject(payload) ? payload.event_id : undefined;
  return typeof id === "string" ? id : undefined;
}
