// The summary that a reference keeps of its value (`extracted`, language reference §5): enough
// for most templates, small enough for every event.

import { isJsonObject, type Json, type JsonObject } from "./json.ts";
import { extractedBytesMax, extractedDepthMax, extractedStringCharsMax } from "./limits.ts";

/**
 * Scalars are kept, long strings become `{_len}`, lists keep their first element, maps too deep
 * become `{_count, _keys}`; `_truncated` says that fields were left out for size.
 */
export function summarise(value: Json): Json {
  const summary = summaryOf(value, 0);
  if (sizeOf(summary) <= extractedBytesMax) return summary;
  return isJsonObject(summary) ? truncated(summary) : { _truncated: true };
}

function summaryOf(value: Json, depth: number): Json {
  if (typeof value === "string") {
    return value.length > extractedStringCharsMax ? { _len: value.length } : value;
  }
  if (Array.isArray(value)) {
    const [first] = value;
    return first === undefined || depth >= extractedDepthMax ? [] : [summaryOf(first, depth + 1)];
  }
  if (!isJsonObject(value)) return value;
  const keys = Object.keys(value);
  if (depth >= extractedDepthMax) return { _count: keys.length, _keys: keys.slice(0, 16) };
  const summary: Record<string, Json> = {};
  let room = extractedBytesMax;
  for (const key of keys) {
    const part = summaryOf(value[key] ?? null, depth + 1);
    room -= sizeOf(part) + key.length;
    if (room < 0) {
      summary._truncated = true;
      break;
    }
    summary[key] = part;
  }
  return summary;
}

/** Scalars first: a template that asks for one of them needs no fetch. */
function truncated(summary: JsonObject): JsonObject {
  const kept: Record<string, Json> = { _truncated: true };
  let room = extractedBytesMax;
  for (const [key, part] of Object.entries(summary)) {
    if (typeof part === "object" && part !== null) continue;
    room -= sizeOf(part) + key.length + 4;
    if (room < 0) break;
    kept[key] = part;
  }
  return kept;
}

function sizeOf(value: Json): number {
  return JSON.stringify(value).length;
}
