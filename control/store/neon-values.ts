// What both ways to Neon share: how values of the database become values of ours, and what one of
// the driver's errors says for sure.

import { DatabaseError, NeonDbError, types } from "@neondatabase/serverless";
import type { SqlFailure } from "./sql.ts";

const asText = (value: string): string => value;

const bytea = 17;
/** int8, json, timestamp, timestamptz, numeric, jsonb: as the server writes them. */
const texts: ReadonlySet<number> = new Set([20, 114, 1114, 1184, 1700, 3802]);

/** Only the hexadecimal form is read: the driver's own bytes are of a class that is not ours. */
function bytesOf(value: string): Uint8Array {
  const bytes = new Uint8Array((value.length - 2) / 2);
  for (let at = 0; at < bytes.length; at++) {
    bytes[at] = Number.parseInt(value.slice(2 + at * 2, 4 + at * 2), 16);
  }
  return bytes;
}

/** How the driver reads a column, by the number of its type. */
export const neonTypes = {
  getTypeParser: (type: number, format?: "text" | "binary"): unknown => {
    if (type === bytea) return bytesOf;
    return texts.has(type) ? asText : types.getTypeParser(type, format);
  },
};

const sqlState = /^[0-9A-Z]{5}$/;

/**
 * As far as it may be told. Only the database itself names a severity beside its code; a proxy that
 * failed, a socket that closed or a reply that was no reply leave open what was done.
 */
export function neonFailure(thrown: unknown): SqlFailure {
  if (!(thrown instanceof NeonDbError || thrown instanceof DatabaseError)) return {};
  const { severity, code, table, constraint } = thrown;
  if (typeof severity !== "string" || code === undefined || !sqlState.test(code)) return {};
  return { sqlState: code, table, constraint };
}
