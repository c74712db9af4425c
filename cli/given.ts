// Reads what operands and flags give: ids, whole numbers, lengths of time, JSON. What is not as
// expected is a mistake of the command line, told with the name of the flag.

import { isSnowflake } from "#core/model/ids";
import { isJsonObject, type Json, type JsonObject } from "#core/model/json";
import { parseJsonExactly } from "#core/wire/problem";
import { type Arguments, UsageError } from "./arguments.ts";

export type Given<Fields> = {
  readonly [Name in keyof Fields]?: Exclude<Fields[Name], undefined>;
};

/** The fields that have a value: what nobody gave is not sent. */
export function given<Fields extends object>(fields: Fields): Given<Fields> {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Given<Fields>;
}

/** The operand at a place that must be an execution's id. */
export function idOf(args: Arguments, place = 0): string {
  const id = args.operands[place] ?? "";
  if (isSnowflake(id)) return id;
  throw new UsageError(`expected an execution id, found ${JSON.stringify(id.slice(0, 80))}`);
}

/** @throws UsageError for what is no whole number from `min` on. */
export function wholeNumber(args: Arguments, flag: string, min = 1): number | undefined {
  const text = args.text(flag);
  if (text === undefined) return undefined;
  const value = Number(text);
  if (/^\d{1,15}$/.test(text) && value >= min) return value;
  throw new UsageError(
    `--${flag}: expected a whole number from ${min}, found ${JSON.stringify(text.slice(0, 80))}`,
  );
}

const unitSeconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };

/** `90`, `30s`, `15m`, `1h` or `7d` as seconds. */
export function seconds(text: string, flag: string): number {
  const [, count = "", unit = ""] = /^(\d{1,9})([smhd]?)$/.exec(text) ?? [];
  const factor = unitSeconds[unit === "" ? "s" : unit];
  if (count !== "" && factor !== undefined) return Number(count) * factor;
  throw new UsageError(
    `--${flag}: expected a time such as 30s, 15m, 1h or 7d, found ${JSON.stringify(text.slice(0, 80))}`,
  );
}

/** A moment as RFC 3339: given so, or as how long ago it was. */
export function moment(args: Arguments, flag: string): string | undefined {
  const text = args.text(flag);
  if (text === undefined) return undefined;
  if (/^\d{1,9}[smhd]?$/.test(text)) {
    return new Date(Date.now() - seconds(text, flag) * 1_000).toISOString();
  }
  const ms = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(ms)) return new Date(ms).toISOString();
  throw new UsageError(
    `--${flag}: expected a time such as 2026-03-01T09:00:00Z or 1h, found ${JSON.stringify(text.slice(0, 80))}`,
  );
}

/** One of a few words. */
export function oneOf<const Word extends string>(
  args: Arguments,
  flag: string,
  words: readonly Word[],
): Word | undefined {
  const text = args.text(flag);
  if (text === undefined) return undefined;
  const found = words.find((word) => word === text);
  if (found !== undefined) return found;
  throw new UsageError(
    `--${flag}: expected one of ${words.join(", ")}, found ${JSON.stringify(text.slice(0, 80))}`,
  );
}

/** @param what whose JSON it is, for the message. */
export function jsonIn(text: string, what: string): Json {
  try {
    return parseJsonExactly(text) as Json;
  } catch {
    throw new UsageError(`${what}: expected JSON`);
  }
}

export function jsonMap(text: string, what: string): JsonObject {
  const value = jsonIn(text, what);
  if (isJsonObject(value)) return value;
  throw new UsageError(`${what}: expected a JSON map`);
}
