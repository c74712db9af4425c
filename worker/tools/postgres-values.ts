// PostgreSQL's text output to JSON by type, losing nothing: what JSON cannot say exactly stays
// text. Reads arrays of every element type; unknown types are their text, never null.

import type { Json } from "#core/model/json";
import { jsonOrText } from "./exact-json.ts";
import { exactDouble, exactInteger, utcTimestamp } from "./sql-call.ts";

export type TextReader = (text: string) => Json;

/** How the element of an array type is read; boxes are delimited by `;`, all else by `,`. */
interface ArrayType {
  readonly element: number;
  readonly delimiter: string;
}

const oid = {
  bool: 16,
  bytea: 17,
  int8: 20,
  int2: 21,
  int4: 23,
  oid: 26,
  json: 114,
  text: 25,
  float4: 700,
  float8: 701,
  bpchar: 1042,
  varchar: 1043,
  date: 1082,
  numeric: 1700,
  uuid: 2950,
  timestamp: 1114,
  timestamptz: 1184,
  jsonb: 3802,
  xid: 28,
  cid: 29,
} as const;

const double: TextReader = (text) => exactDouble(Number(text));
const integer: TextReader = (text) => Number(text);

const scalarReaders: ReadonlyMap<number, TextReader> = new Map<number, TextReader>([
  [oid.bool, (text) => text === "t"],
  [oid.int2, integer],
  [oid.int4, integer],
  [oid.oid, integer],
  [oid.xid, integer],
  [oid.cid, integer],
  [oid.int8, (text) => exactInteger(BigInt(text))],
  [oid.float4, double],
  [oid.float8, double],
  [oid.json, jsonOrText],
  [oid.jsonb, jsonOrText],
  [oid.bytea, byteaBase64],
  [oid.timestamp, (text) => text.replace(" ", "T")],
  [oid.timestamptz, timestamptz],
]);

/** Built-in array types that occur every day: array type → element type. */
const builtInArrays: ReadonlyMap<number, number> = new Map([
  [1000, oid.bool],
  [1001, oid.bytea],
  [1005, oid.int2],
  [1007, oid.int4],
  [1016, oid.int8],
  [1021, oid.float4],
  [1022, oid.float8],
  [199, oid.json],
  [3807, oid.jsonb],
  [1115, oid.timestamp],
  [1185, oid.timestamptz],
  [1009, oid.text],
  [1014, oid.bpchar],
  [1015, oid.varchar],
  [1182, oid.date],
  [1231, oid.numeric],
  [2951, oid.uuid],
]);

/** What the catalog of one server says about types that are not built in, by their oid. */
export interface TypeCatalog {
  /** The type itself for most; a domain's base type. */
  baseOf(type: number): number;
  /** The element of an array type. */
  arrayOf(type: number): ArrayType | undefined;
}

export const builtInTypes: TypeCatalog = {
  baseOf: (type) => type,
  arrayOf: (type) => {
    const element = builtInArrays.get(type);
    return element === undefined ? undefined : { element, delimiter: "," };
  },
};

/** True if the built-in table is enough to read values of this type. */
export function isReadable(type: number): boolean {
  return scalarReaders.has(type) || builtInArrays.has(type) || plainTextTypes.has(type);
}

/** Common types that are their own text; asking the catalog about them would be a wasted trip. */
const plainTextTypes: ReadonlySet<number> = new Set([
  18, 19, 25, 142, 600, 650, 705, 790, 829, 869, 1042, 1043, 1082, 1083, 1186, 1266, 1560, 1562,
  1700, 2249, 2950, 3614, 3904, 3906, 3908, 3910, 3912, 3926,
]);

/** The reader for values of a type, given what the server's catalog says. */
export function readerOf(type: number, catalog: TypeCatalog): TextReader {
  const base = catalog.baseOf(type);
  const scalar = scalarReaders.get(base);
  if (scalar !== undefined) return scalar;
  const array = catalog.arrayOf(base);
  if (array === undefined) return (text) => text;
  const element = readerOf(array.element, catalog);
  return (text) => arrayValue(text, element, array.delimiter);
}

function byteaBase64(text: string): Json {
  return Buffer.from(text.slice(2), "hex").toString("base64");
}

const zoned =
  /^(\d{4,6})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)(?:\.(\d+))?([+-])(\d\d)(?::(\d\d))?(?::(\d\d))?$/;

/** RFC 3339 in UTC with its microseconds; years beyond four digits, BC and infinity stay text. */
function timestamptz(text: string): Json {
  const parts = zoned.exec(text);
  if (parts === null) return text;
  const number = (index: number) => Number(parts[index] ?? 0);
  const offsetS = (number(9) * 60 + number(10)) * 60 + number(11);
  const local = new Date(0);
  local.setUTCFullYear(number(1), number(2) - 1, number(3));
  local.setUTCHours(number(4), number(5), number(6));
  const utcS = local.getTime() / 1_000 - (parts[8] === "-" ? -offsetS : offsetS);
  const micros = Number((parts[7] ?? "").padEnd(6, "0"));
  return utcTimestamp(BigInt(utcS) * 1_000_000n + BigInt(micros)) ?? text;
}

/**
 * The value of an array's text form: nested lists, NULLs, quoted elements. Bounds other than 1
 * (`[0:1]={a,b}`) are not kept. Text that is no array comes back as it is.
 */
export function arrayValue(text: string, element: TextReader, delimiter: string): Json {
  const start = text.indexOf("{");
  if (start === -1) return text;
  let at = start;
  const list = (): Json => {
    const items: Json[] = [];
    at++;
    while (at < text.length && text[at] !== "}") {
      items.push(text[at] === "{" ? list() : item());
      if (text[at] === delimiter) at++;
    }
    at++;
    return items;
  };
  const item = (): Json => {
    if (text[at] === '"') return element(quotedItem());
    const from = at;
    while (at < text.length && text[at] !== delimiter && text[at] !== "}") at++;
    const bare = text.slice(from, at);
    return bare === "NULL" ? null : element(bare);
  };
  const quotedItem = (): string => {
    let value = "";
    for (at++; at < text.length && text[at] !== '"'; at++) {
      if (text[at] === "\\") at++;
      value += text[at] ?? "";
    }
    at++;
    return value;
  };
  return list();
}

// --- parameters ---------------------------------------------------------------------------

/** True for values whose text depends on what the statement wants: a list is an array or JSON. */
export function needsType(value: Json): boolean {
  return Array.isArray(value);
}

/**
 * A parameter as text, for the server to read as whatever type the statement wants there. Lists
 * are arrays where it wants an array (`type` ends in `[]`), else JSON; objects are JSON.
 */
export function parameterText(value: Json, type: string | undefined): string | null {
  if (value === null) return null;
  if (Array.isArray(value) && type?.endsWith("[]")) return arrayText(value);
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** A list as the text of an array, nested lists as its further dimensions. */
export function arrayText(items: readonly Json[]): string {
  const parts = items.map((item) => {
    if (item === null) return "NULL";
    if (Array.isArray(item)) return arrayText(item);
    const text = typeof item === "object" ? JSON.stringify(item) : String(item);
    return `"${text.replaceAll(/["\\]/g, "\\$&")}"`;
  });
  return `{${parts.join(",")}}`;
}
