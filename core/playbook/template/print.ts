// Values as text, the way Python prints them: True, None, 1e-07, ['a', 1]. The text is bounded in
// size and nesting, and data that contains itself is refused.

import { templateDepthMax } from "#core/model/limits";
import { isRecord } from "./access.ts";
import { plain } from "./contract.ts";
import { admitChars, fail, type Run, spend } from "./run.ts";
import { tooDeep } from "./values.ts";

/** The text of a value where it is printed, joined or asked for as a string. */
export function textOf(value: unknown, run: Run): string {
  if (typeof value === "string") return value;
  const inner = plain(value);
  if (typeof inner === "string") return inner;
  if (inner === undefined) return "";
  return scalarText(inner) ?? repr(inner, run);
}

/** The text of a value inside a printed list or dict: strings stand in quotes. */
export function repr(value: unknown, run: Run): string {
  const text = reprWithin(value, run, 0);
  admitChars(run, text.length);
  return text;
}

function reprWithin(value: unknown, run: Run, depth: number): string {
  const inner = plain(value);
  if (typeof inner === "string") return quote(inner);
  if (inner === undefined) return "Undefined";
  const scalar = scalarText(inner);
  if (scalar !== undefined) return scalar;
  if (depth >= templateDepthMax) tooDeep(run);
  const parts: string[] = [];
  let chars = 0;
  const add = (part: string): void => {
    chars += part.length;
    spend(run, 1);
    parts.push(part);
  };
  if (Array.isArray(inner)) {
    for (const item of inner) add(reprWithin(item, run, depth + 1));
  } else if (isRecord(inner)) {
    for (const key of Object.keys(inner)) {
      add(`${quote(key)}: ${reprWithin(inner[key], run, depth + 1)}`);
    }
  } else {
    fail(run, "type", "a foreign value can't be printed");
  }
  admitChars(run, chars);
  const joined = parts.join(", ");
  return Array.isArray(inner) ? `[${joined}]` : `{${joined}}`;
}

function scalarText(value: unknown): string | undefined {
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "number") return numberText(value);
  return typeof value === "bigint" ? value.toString() : undefined;
}

/** A number as Python prints it, save that a whole number has no `.0`. */
export function numberText(value: number): string {
  if (Number.isSafeInteger(value)) return value === 0 ? "0" : `${value}`;
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  const size = Math.abs(value);
  if (size >= 1e-4) return `${value}`;
  const [mantissa = "", exponent = ""] = value.toExponential().split("e-");
  return `${mantissa}e-${exponent.padStart(2, "0")}`;
}

const escapeByCharacter: ReadonlyMap<string, string> = new Map([
  ["\\", "\\\\"],
  ["\n", "\\n"],
  ["\r", "\\r"],
  ["\t", "\\t"],
]);

/** A string in Python's quotes: single, unless only double ones spare escapes. */
export function quote(text: string): string {
  const mark = text.includes("'") && !text.includes('"') ? '"' : "'";
  const escaped = text.replace(/[\\\n\r\t']|(?! )[\p{C}\p{Z}]/gu, (character) => {
    if (character === "'") return mark === "'" ? "\\'" : "'";
    return escapeByCharacter.get(character) ?? escapeCode(character.codePointAt(0) ?? 0);
  });
  return mark + escaped + mark;
}

function escapeCode(code: number): string {
  if (code <= 0xff) return `\\x${code.toString(16).padStart(2, "0")}`;
  if (code <= 0xffff) return `\\u${code.toString(16).padStart(4, "0")}`;
  return `\\U${code.toString(16).padStart(8, "0")}`;
}
