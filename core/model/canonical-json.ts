// One text for each JSON value, whatever the order in which its keys were written: what checksums
// are made of, and by what two values are compared.

import { isJsonObject, type Json } from "./json.ts";

/** JSON without spaces, keys of maps sorted by code unit. */
export function canonicalJson(value: Json): string {
  return JSON.stringify(sorted(value));
}

function sorted(value: Json): Json {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isJsonObject(value)) return value;
  const keys = Object.keys(value).sort();
  return Object.fromEntries(keys.map((key) => [key, sorted(value[key] ?? null)]));
}
