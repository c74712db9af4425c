// What the database tools share: reading statements and parameters from a config, and shaping the
// last statement's result into the data that playbooks read (language reference §2.4).

import type { Json, JsonObject } from "#core/model/json";
import {
  configFailure,
  type Field,
  field,
  flagField,
  numberField,
  objectField,
  wrongShape,
} from "./call-config.ts";
import { scriptText } from "./script-source.ts";
import { type ToolContext, ToolFailure } from "./tool.ts";

export interface SqlCall {
  /** At least one text; each may hold several statements. */
  readonly texts: readonly string[];
  /** Positional parameters; absent when none were given. */
  readonly params: readonly Json[] | undefined;
  readonly asObjects: boolean;
}

/** What one statement gave: rows for anything that returns rows, else how many it touched. */
export type SqlResult =
  | { readonly kind: "rows"; readonly columns: readonly string[]; readonly rows: readonly Row[] }
  | { readonly kind: "count"; readonly affectedRows: number };

export type Row = readonly Json[];

/**
 * Reads `command`, `query` or `commands` (text or a list of texts), or else `script`, and `params`
 * and `as_objects`.
 */
export async function sqlCall(config: JsonObject, context: ToolContext): Promise<SqlCall> {
  const given =
    field(config, "command", "query", "commands", "sql") ?? (await script(config, context));
  if (given === undefined) throw configFailure("command: expected SQL text, found nothing");
  const list: readonly Json[] = Array.isArray(given.value) ? given.value : [given.value as Json];
  const texts = list.map((text) => {
    if (typeof text !== "string") throw wrongShape(given.name, "SQL text", text);
    return text;
  });
  const params = paramsOf(config);
  if (params !== undefined && texts.length > 1) {
    throw configFailure(`params: expected one statement, found ${texts.length}`);
  }
  return { texts, params, asObjects: flagField(config, true, "as_objects") };
}

async function script(config: JsonObject, context: ToolContext): Promise<Field | undefined> {
  const given = objectField(config, "script");
  if (given === undefined) return undefined;
  return { name: "script", value: await scriptText(given.value, context, config) };
}

function paramsOf(config: JsonObject): readonly Json[] | undefined {
  const given = field(config, "params");
  if (given === undefined) return undefined;
  if (!Array.isArray(given.value)) throw wrongShape("params", "a list", given.value);
  const params: readonly Json[] = given.value;
  return params.length === 0 ? undefined : params;
}

/**
 * Data of a call: `{columns, rows, row_count}` or `{affected_rows}`, with `statement_count` when
 * there were several. Column names are made unique, so that no value is lost in an object.
 */
export function sqlData(
  last: SqlResult,
  options: { readonly statements: number; readonly asObjects: boolean },
): JsonObject {
  const count = options.statements > 1 ? { statement_count: options.statements } : {};
  if (last.kind === "count") return { affected_rows: last.affectedRows, ...count };
  const columns = uniqueNames(last.columns);
  // fromEntries defines own properties, so that a column called __proto__ stays a column.
  const asObject = (row: Row) =>
    Object.fromEntries(columns.map((name, index) => [name, row[index] ?? null]));
  const rows: readonly Json[] = options.asObjects ? last.rows.map(asObject) : last.rows;
  return { columns, rows, row_count: rows.length, ...count };
}

/** The names in order; a repeated one gets the suffix `_2`, `_3`, … */
function uniqueNames(names: readonly string[]): readonly string[] {
  const taken = new Set<string>(names);
  const seen = new Set<string>();
  return names.map((name) => {
    let unique = name;
    for (let number = 2; seen.has(unique); number++) {
      const next = `${name}_${number}`;
      unique = taken.has(next) ? unique : next;
    }
    seen.add(unique);
    return unique;
  });
}

/**
 * Bytes that the rows of one call may weigh: the tool's own limit, or less where whoever makes the
 * config on the worker asks for less (`row_bytes_max`, which is no field of the language).
 */
export function rowBytes(config: JsonObject, ownMax: number): number {
  const asked = numberField(config, "row_bytes_max")?.value ?? ownMax;
  if (asked <= 0) throw configFailure(`row_bytes_max: expected bytes above 0, found ${asked}`);
  return Math.min(asked, ownMax);
}

/** Adds up what rows weigh, and ends the call before they outgrow what a worker may store. */
export function rowBudget(bytesMax: number): (bytes: number) => void {
  let total = 0;
  return (bytes) => {
    total += bytes;
    if (total <= bytesMax) return;
    throw new ToolFailure({
      kind: "result",
      message: `the rows are larger than ${bytesMax} bytes; select fewer, or page with LIMIT`,
      retryable: false,
    });
  };
}

/** An integer as a number while a double holds it exactly, else its decimal text. */
export function exactInteger(value: bigint): Json {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : String(value);
}

/** A double as a number; NaN and the infinities, which JSON cannot say, as their text. */
export function exactDouble(value: number): Json {
  return Number.isFinite(value) ? value : String(value);
}

/** RFC 3339 in UTC, with as many fraction digits as it takes to say the microseconds. */
export function utcTimestamp(micros: bigint): string | undefined {
  const second = 1_000_000n;
  const fraction = ((micros % second) + second) % second;
  const date = new Date(Number((micros - fraction) / 1_000n));
  const year = date.getUTCFullYear();
  if (Number.isNaN(year) || year < 0 || year > 9_999) return undefined;
  const digits = fraction === 0n ? "" : `.${String(fraction).padStart(6, "0").replace(/0+$/, "")}`;
  return `${date.toISOString().slice(0, 19)}${digits}Z`;
}
