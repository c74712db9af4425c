// JSON text and back, bounded like every other text a template makes; and the JSON-safe form of
// values that hold integers beyond 2^53.

import { templateDepthMax } from "#core/model/limits";
import { isRecord, setOwn } from "./access.ts";
import { plain } from "./contract.ts";
import { admitChars, fail, type Run, spend } from "./run.ts";
import { tooDeep } from "./values.ts";

/**
 * Plain JSON text: compact, keys in the order of the data, nothing escaped for HTML. Undefined and
 * numbers that JSON lacks are null, as JSON.stringify has it. With `indent`, one item a line.
 */
export function jsonText(value: unknown, indent: number, run: Run): string {
  const newline = indent > 0 ? "\n" : "";
  const write = (part: unknown, depth: number): string => {
    const inner = plain(part);
    if (typeof inner === "string") return JSON.stringify(inner);
    if (typeof inner === "boolean") return inner ? "true" : "false";
    if (typeof inner === "bigint") return inner.toString();
    if (typeof inner === "number") return Number.isFinite(inner) ? `${inner}` : "null";
    if (inner === undefined || inner === null) return "null";
    if (depth >= templateDepthMax) tooDeep(run);
    const list = Array.isArray(inner);
    if (!list && !isRecord(inner)) return fail(run, "type", "a foreign value has no JSON text");
    const parts = list
      ? inner.map((item) => write(item, depth + 1))
      : Object.keys(inner).map((key) => {
          const text = write(inner[key], depth + 1);
          return `${JSON.stringify(key)}:${indent > 0 ? " " : ""}${text}`;
        });
    spend(run, parts.length);
    const [open, close] = list ? ["[", "]"] : ["{", "}"];
    if (parts.length === 0) return open + close;
    const margin = newline + " ".repeat(indent * (depth + 1));
    const end = newline + " ".repeat(indent * depth);
    return open + margin + joined(parts, `,${margin}`, run) + end + close;
  };
  const text = write(value, 0);
  admitChars(run, text.length);
  return text;
}

function joined(parts: readonly string[], separator: string, run: Run): string {
  let chars = 0;
  for (const part of parts) chars += part.length + separator.length;
  admitChars(run, chars);
  return parts.join(separator);
}

/** The value of a JSON text. */
export function jsonValue(text: string, run: Run): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return fail(run, "type", "the text is not JSON");
  }
}

/** The value with each integer beyond 2^53 as decimal text, which is how JSON can carry it. */
export function narrowed(value: unknown, run: Run, depth = 0): unknown {
  const inner = plain(value);
  if (typeof inner === "bigint") return inner.toString();
  if (typeof inner !== "object" || inner === null) return inner;
  if (depth >= templateDepthMax) tooDeep(run);
  if (Array.isArray(inner)) return inner.map((item) => narrowed(item, run, depth + 1));
  if (!isRecord(inner)) return inner;
  const copy: Record<string, unknown> = {};
  for (const key of Object.keys(inner)) setOwn(copy, key, narrowed(inner[key], run, depth + 1));
  return copy;
}
