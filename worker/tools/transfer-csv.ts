// Reads CSV as it comes from outside, piece by piece: what is wrong with a row is said with its
// line, and either ends the reading or leaves the row out. An empty field is NULL, `""` empty text.

import { isUtf8 } from "node:buffer";

import { csvRowBytesMax } from "#core/model/data-tool-limits";
import { transferFailure } from "./transfer-ends.ts";
import type { TextRow } from "./transfer-rows.ts";

export interface CsvOptions {
  readonly delimiter: string;
  readonly encoding: "utf8" | "latin1";
  /** Told of a row that can't be read; throws if that ends the reading. */
  readonly bad: (message: string) => void;
}

interface FoundRecord {
  readonly values: TextRow;
  readonly end: number;
  /** Lines of the file that it takes. */
  readonly lines: number;
  /** What is wrong with it. */
  readonly problem?: string;
}

interface CsvRecord extends FoundRecord {
  /** The line it begins in, from 1 on. */
  readonly line: number;
}

/** The header's names, and the rows after it in batches. */
export interface CsvReader {
  readonly names: readonly string[];
  batches(): AsyncGenerator<readonly TextRow[]>;
}

/**
 * Text is held one byte a character while it is cut, so that places in it are places in the file;
 * only fields with bytes beyond ASCII are decoded.
 */
export async function csvReader(
  parts: AsyncIterable<Uint8Array>,
  options: CsvOptions,
): Promise<CsvReader> {
  const batches = recordsOf(parts, options);
  const first = await batches.next();
  const [header] = first.done === true ? [] : first.value;
  if (first.done === true || header === undefined) {
    throw transferFailure("no_header", "source: the file has no header");
  }
  if (header.problem !== undefined) throw badHeader(header.problem, header.line);
  const names = header.values.map((value) => value ?? "");
  const repeated = names.find((name, index) => names.indexOf(name) < index || name === "");
  if (repeated !== undefined) {
    const problem = repeated === "" ? "a name is empty" : `${repeated} is there twice`;
    throw badHeader(problem, header.line);
  }
  const rowsOf = (records: readonly CsvRecord[]): readonly TextRow[] => {
    const rows: TextRow[] = [];
    for (const { values, line, problem = problemOf(values, names) } of records) {
      if (problem === undefined) rows.push(values);
      else if (problem !== "") options.bad(`line ${line}: ${problem}`);
    }
    return rows;
  };
  return {
    names,
    batches: async function* () {
      yield rowsOf(first.value.slice(1));
      for await (const records of batches) yield rowsOf(records);
    },
  };
}

function badHeader(problem: string, line: number) {
  return transferFailure("bad_header", `source: line ${line}, the header: ${problem}`);
}

/** Empty for a line that is empty, which is no row. */
function problemOf(values: TextRow, names: readonly string[]): string | undefined {
  if (values.length === 1 && values[0] === null && names.length > 1) return "";
  if (values.length !== names.length) {
    return `expected ${names.length} fields, found ${values.length}`;
  }
  const isHeader = values.every((value, index) => value === names[index]);
  return isHeader ? "expected a row, found the header again" : undefined;
}

/** Never an empty batch. */
async function* recordsOf(
  parts: AsyncIterable<Uint8Array>,
  options: CsvOptions,
): AsyncGenerator<readonly CsvRecord[]> {
  let text = "";
  let at = 0;
  let offset = 0;
  let line = 1;
  const take = (isLast: boolean): readonly CsvRecord[] => {
    const records: CsvRecord[] = [];
    const from = { ...options, isLast, offset };
    while (at < text.length) {
      const record = recordAt(text, at, from);
      if (record === undefined) break;
      records.push({ ...record, line });
      line += record.lines;
      at = record.end;
    }
    // What is left over is the beginning of a row; places are counted from the file's own start.
    text = text.slice(at);
    offset += at;
    at = 0;
    if (text.length > csvRowBytesMax) {
      const problem = `the row has over ${csvRowBytesMax} bytes`;
      throw transferFailure("row_too_long", `source: line ${line}: ${problem}`);
    }
    return records;
  };
  let isFirst = true;
  for await (const part of parts) {
    text += latin1(part);
    if (isFirst && text.length < byteOrderMark.length) continue;
    if (isFirst && text.startsWith(byteOrderMark)) at = byteOrderMark.length;
    isFirst = false;
    const records = take(false);
    if (records.length > 0) yield records;
  }
  const records = take(true);
  if (records.length > 0) yield records;
}

/** As it looks one byte a character. */
const byteOrderMark = "\u00ef\u00bb\u00bf";

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}

/** Newlines of a quoted field. */
function linesIn(value: string): number {
  let lines = 0;
  for (let at = value.indexOf("\n"); at !== -1; at = value.indexOf("\n", at + 1)) lines++;
  return lines;
}

interface RecordOptions extends CsvOptions {
  /** Nothing comes after the text. */
  readonly isLast: boolean;
  /** Where in the file the text begins. */
  readonly offset: number;
}

const newline = 10;
const carriageReturn = 13;

/** The record that begins here; undefined if its end has not come yet. */
function recordAt(text: string, start: number, options: RecordOptions): FoundRecord | undefined {
  const values: (string | null)[] = [];
  const delimiter = options.delimiter.charCodeAt(0);
  let problem: string | undefined;
  let lines = 1;
  let at = start;
  for (;;) {
    const isQuoted = text[at] === '"';
    const field = isQuoted ? quoted(text, at) : bare(text, at, delimiter);
    if (field.end >= text.length && !options.isLast) return undefined;
    problem ??= field.problem;
    if (isQuoted) lines += linesIn(field.value ?? "");
    const value = field.value === null ? null : decoded(field.value, options);
    if (value === undefined) {
      const place = options.offset + at + firstBad(field.value ?? "");
      problem ??= `byte ${place} of the file is not UTF-8`;
    }
    values.push(value ?? null);
    at = field.end;
    const code = text.charCodeAt(at);
    if (code === delimiter) {
      at++;
      continue;
    }
    if (code === carriageReturn && at + 1 >= text.length && !options.isLast) return undefined;
    if (code === carriageReturn && text.charCodeAt(at + 1) === newline) at++;
    if (at >= text.length || text.charCodeAt(at) === newline) break;
    // Something follows a closing quote: the rest of the line belongs to the bad row.
    problem ??= "expected a delimiter after a closing quote";
    const end = text.indexOf("\n", at);
    at = end === -1 ? text.length : end;
    break;
  }
  if (at >= text.length && !options.isLast) return undefined;
  const end = Math.min(at + 1, text.length);
  return problem === undefined ? { values, end, lines } : { values, end, lines, problem };
}

interface CsvField {
  readonly value: string | null;
  readonly end: number;
  readonly problem?: string;
}

function quoted(text: string, start: number): CsvField {
  let value = "";
  let from = start + 1;
  for (;;) {
    const quote = text.indexOf('"', from);
    if (quote === -1) return { value, end: text.length, problem: "a quote is never closed" };
    value += text.slice(from, quote);
    if (text[quote + 1] !== '"') return { value, end: quote + 1 };
    value += '"';
    from = quote + 2;
  }
}

function bare(text: string, start: number, delimiter: number): CsvField {
  let end = start;
  for (; end < text.length; end++) {
    const code = text.charCodeAt(end);
    if (code === delimiter || code === newline) break;
  }
  const isLineEnd = text.charCodeAt(end) === newline || end === text.length;
  const hasReturn = isLineEnd && end > start && text.charCodeAt(end - 1) === carriageReturn;
  const value = text.slice(start, hasReturn ? end - 1 : end);
  return { value: value === "" ? null : value, end };
}

const beyondAscii = /[\u0080-\u00ff]/;

/** The text of bytes; undefined if they are none. */
function decoded(value: string, { encoding }: CsvOptions): string | undefined {
  if (encoding === "latin1" || !beyondAscii.test(value)) return value;
  const bytes = Buffer.from(value, "latin1");
  return isUtf8(bytes) ? bytes.toString("utf8") : undefined;
}

/** Where the first byte that is no UTF-8 stands, as far as what decodes before it tells. */
function firstBad(value: string): number {
  const shown = new TextDecoder("utf-8", { ignoreBOM: true }).decode(Buffer.from(value, "latin1"));
  const before = shown.slice(0, shown.indexOf("\ufffd"));
  return Buffer.byteLength(before);
}

/** Lines of text, with their numbers from 1 on; the last one needs no newline. */
export async function* linesOf(parts: AsyncIterable<Uint8Array>) {
  let text = "";
  let line = 1;
  for await (const part of parts) {
    text += latin1(part);
    let from = 0;
    for (let end = text.indexOf("\n"); end !== -1; end = text.indexOf("\n", from)) {
      yield { line: line++, text: text.slice(from, end) };
      from = end + 1;
    }
    text = text.slice(from);
    if (text.length > csvRowBytesMax) {
      throw transferFailure(
        "row_too_long",
        `source: line ${line} has over ${csvRowBytesMax} bytes`,
      );
    }
  }
  if (text !== "") yield { line, text };
}

/** Text that was cut one byte a character; undefined if it is not UTF-8. */
export function utf8Line(text: string): string | undefined {
  return decoded(text, { delimiter: ",", encoding: "utf8", bad: () => undefined });
}
