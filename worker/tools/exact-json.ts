// Parses JSON that came from outside without losing digits: an integer that a double cannot hold
// becomes its decimal text instead of a neighbouring number.

import type { Json } from "#core/model/json";

/** What runs of this many digits may hide is worth the slower way of parsing. */
const longNumber = /\d{16}/;

function exact(_key: string, value: unknown, context: { readonly source?: string }): unknown {
  if (typeof value !== "number" || context.source === undefined) return value;
  if (Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value))) {
    return value;
  }
  return /^-?\d+$/.test(context.source) || !Number.isFinite(value) ? context.source : value;
}

/** The value of a JSON text; the text itself if it is not JSON. */
export function jsonOrText(text: string): Json {
  try {
    if (!longNumber.test(text) && !/[eE]/.test(text)) return JSON.parse(text) as Json;
    // TypeScript's own types do not know the third argument of a reviver yet.
    return JSON.parse(text, exact as (key: string, value: unknown) => unknown) as Json;
  } catch {
    return text;
  }
}
