// Rows on their way through a transfer: columns with declared types, and blocks of CSV in one
// dialect that PostgreSQL, DuckDB and this file all write and read alike. Every value is text, so
// that nothing is rounded; NULL is `\N` outside of quotes and nothing else is.

import type { Json } from "#core/model/json";
import { isJsonObject } from "#core/model/json";
import { jsonOrText } from "./exact-json.ts";

/** What a value is, whatever the system it comes from calls it. */
export type TypeName =
  | "bool"
  | "int"
  | "float"
  | "decimal"
  | "text"
  | "bytes"
  | "date"
  | "time"
  | "timestamp"
  | "timestamptz"
  | "json"
  | "uuid"
  | "list";

/**
 * A column's values as text: `true`/`false`, decimal digits, `\x` and hex digits for bytes, ISO
 * dates and times (those with a zone in UTC), JSON for json and lists, whose items are all text.
 */
export interface Column {
  readonly name: string;
  readonly type: TypeName;
  /** Digits in all, and of these after the point; decimals that declare none may have any. */
  readonly precision?: number;
  readonly scale?: number;
  /** What the items of a list are. */
  readonly element?: TypeName;
}

export type TextRow = readonly (string | null)[];

/** Whole rows as CSV, without a header. */
export interface Block {
  readonly bytes: Uint8Array;
  readonly rows: number;
}

export const nullText = "\\N";

const mustQuote = /[",\n\r\\]/;

function encodedField(value: string | null): string {
  if (value === null) return nullText;
  if (value !== "" && !mustQuote.test(value)) return value;
  return `"${value.replaceAll('"', '""')}"`;
}

export function encodedRow(row: TextRow): string {
  let text = "";
  for (let index = 0; index < row.length; index++) {
    text += (index === 0 ? "" : ",") + encodedField(row[index] ?? null);
  }
  return `${text}\n`;
}

/** The rows of a block; the dialect leaves nothing to be unsure of. */
export function* decodedRows({ bytes }: Block): Generator<TextRow> {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
  let at = 0;
  let row: (string | null)[] = [];
  while (at < text.length) {
    if (text[at] === '"') {
      const { value, end } = quotedField(text, at);
      row.push(value);
      at = end;
    } else {
      const end = bareEnd(text, at);
      const value = text.slice(at, end);
      row.push(value === nullText ? null : value);
      at = end;
    }
    if (text[at] === "\n") {
      yield row;
      row = [];
    }
    at++;
  }
}

function quotedField(text: string, start: number): { value: string; end: number } {
  let value = "";
  let from = start + 1;
  for (;;) {
    const quote = text.indexOf('"', from);
    // Blocks hold whole rows; one that did not must not hold up the worker.
    if (quote === -1) throw new Error("expected whole rows, found a quote that is never closed");
    value += text.slice(from, quote);
    if (text[quote + 1] !== '"') return { value, end: quote + 1 };
    value += '"';
    from = quote + 2;
  }
}

function bareEnd(text: string, start: number): number {
  let end = start;
  while (end < text.length && text[end] !== "," && text[end] !== "\n") end++;
  return end;
}

const quoteByte = 0x22;
const lineByte = 0x0a;

/** Cuts bytes of the dialect, which may break anywhere, into blocks of whole rows. */
export async function* wholeRows(parts: AsyncIterable<Uint8Array>): AsyncGenerator<Block> {
  let rest: Uint8Array = new Uint8Array();
  let isQuoted = false;
  for await (const part of parts) {
    let rows = 0;
    let end = 0;
    for (let at = 0; at < part.length; at++) {
      const byte = part[at];
      if (byte === quoteByte) isQuoted = !isQuoted;
      else if (byte === lineByte && !isQuoted) {
        rows++;
        end = at + 1;
      }
    }
    if (rows > 0) yield { bytes: Buffer.concat([rest, part.subarray(0, end)]), rows };
    rest = rows > 0 ? part.slice(end) : Buffer.concat([rest, part]);
  }
  if (rest.length > 0) yield { bytes: rest, rows: 1 };
}

/** Gathers rows into blocks of about `bytesMax`. */
export async function* blocksOf(
  batches: AsyncIterable<readonly TextRow[]>,
  bytesMax: number,
): AsyncGenerator<Block> {
  let lines: string[] = [];
  let chars = 0;
  const taken = (): Block => {
    const block = { bytes: Buffer.from(lines.join("")), rows: lines.length };
    lines = [];
    chars = 0;
    return block;
  };
  for await (const batch of batches) {
    for (const row of batch) {
      const line = encodedRow(row);
      lines.push(line);
      chars += line.length;
      if (chars >= bytesMax) yield taken();
    }
  }
  if (lines.length > 0) yield taken();
}

/** A value as playbooks read it; integers that JSON cannot say exactly stay text. */
export function jsonValue(text: string | null, column: Column): Json {
  if (text === null) return null;
  switch (column.type) {
    case "bool":
      return text === "true" || text === "t"
        ? true
        : text === "false" || text === "f"
          ? false
          : text;
    case "int": {
      const number = Number(text);
      return Number.isSafeInteger(number) && text.trim() !== "" ? number : text;
    }
    case "float": {
      const number = Number(text);
      return Number.isFinite(number) && text.trim() !== "" ? number : text;
    }
    case "json":
    case "list":
      return jsonOrText(text);
    case "bytes":
      return text.startsWith("\\x") ? Buffer.from(text.slice(2), "hex").toString("base64") : text;
    case "decimal":
    case "text":
    case "date":
    case "time":
    case "timestamp":
    case "timestamptz":
    case "uuid":
      return text;
  }
}

/** The text of a JSON value. */
export function textOfJson(value: Json | undefined): string | null {
  if (value === undefined || value === null) return null;
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** What all these values are: the narrowest type that holds every one. */
export function typeOfValues(values: readonly (Json | undefined)[]): TypeName {
  const kinds = new Set<TypeName>();
  for (const value of values) if (value !== null && value !== undefined) kinds.add(typeOf(value));
  const [only] = kinds;
  if (only === undefined) return "text";
  if (kinds.size === 1) return only;
  if (kinds.size === 2 && kinds.has("int") && kinds.has("float")) return "float";
  return kinds.has("json") ? "json" : "text";
}

function typeOf(value: Json): TypeName {
  if (typeof value === "string") return "text";
  if (typeof value === "boolean") return "bool";
  if (Array.isArray(value) || isJsonObject(value)) return "json";
  return Number.isSafeInteger(value) ? "int" : "float";
}
