// Values of Snowflake as JSON: the client gives every value as text, so that no digit is lost on
// the way; what kind of column it stands in says what becomes of it.

import type { Json } from "#core/model/json";
import { jsonOrText } from "./exact-json.ts";

export type ColumnKind = "number" | "json" | "other";

/** Digits that a double gives back as they were written. */
const exactDigitsMax = 15;

export function snowflakeValue(value: unknown, kind: ColumnKind): Json {
  if (value === null || value === undefined) return null;
  if (typeof value === "boolean") return value;
  // Of a column whose fields have types of their own the client has read the JSON already.
  const text = typeof value === "object" ? textOf(value) : String(value);
  switch (kind) {
    case "number":
      return exactNumber(text);
    case "json":
      return jsonOrText(text);
    case "other":
      return text;
    default:
      return kind satisfies never;
  }
}

function textOf(value: object): string {
  return value instanceof Date ? value.toISOString() : JSON.stringify(value);
}

/** A number while a double holds all of its digits, else its text. */
function exactNumber(text: string): Json {
  const [, sign = "", whole = "", fraction = "", exponent] =
    /^(-?)([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?$/.exec(text.trim()) ?? [];
  if (whole === "") return text;
  const number = Number(
    `${sign}${whole}${fraction === "" ? "" : `.${fraction}`}${exponent === undefined ? "" : `e${exponent}`}`,
  );
  if (!Number.isFinite(number)) return text;
  // With an exponent it was a double before it was a text.
  if (exponent !== undefined || Number.isSafeInteger(number)) return number;
  const digits = `${whole}${fraction}`.replace(/^0+/, "");
  return fraction !== "" && digits.length <= exactDigitsMax ? number : text;
}
