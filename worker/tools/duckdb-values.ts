// DuckDB values to JSON without losing anything: what JSON cannot say exactly becomes text.
// Follows the column's type, because a value alone does not tell JSON from text, or a map's keys.

import type * as Api from "@duckdb/node-api";
import type {
  DuckDBArrayType,
  DuckDBListType,
  DuckDBMapType,
  DuckDBStructType,
  DuckDBType,
  DuckDBUnionType,
  DuckDBValue,
} from "@duckdb/node-api";

import type { Json } from "#core/model/json";
import { configFailure } from "./call-config.ts";
import { jsonOrText } from "./exact-json.ts";
import { exactDouble, exactInteger, utcTimestamp } from "./sql-call.ts";

export type DuckdbApi = typeof Api;
export type ValueReader = (value: DuckDBValue, type: DuckDBType) => Json;

/** What a scalar weighs beside its text, when rows are added up. */
const scalarBytes = 8;

/**
 * A reader for the values of one result; `spend` is told the weight of each. Timestamps with a
 * zone become RFC 3339 in UTC, blobs base64, maps with text keys objects and other maps lists of
 * `{key, value}`, unions `{tag, value}`.
 */
export function valueReader(api: DuckdbApi, spend: (bytes: number) => void): ValueReader {
  const id = api.DuckDBTypeId;
  const text = (value: string): Json => {
    spend(value.length + scalarBytes);
    return value;
  };
  const nested = (value: DuckDBValue, type: DuckDBType): Json | undefined => {
    // The type id says which class the type is; the library's own union does not narrow by it.
    switch (type.typeId) {
      case id.LIST:
        return itemsOf(value, (type as DuckDBListType).valueType);
      case id.ARRAY:
        return itemsOf(value, (type as DuckDBArrayType).valueType);
      case id.STRUCT:
        return structOf(value, type as DuckDBStructType);
      case id.MAP:
        return mapOf(value, type as DuckDBMapType);
      case id.UNION:
        return unionOf(value, type as DuckDBUnionType);
      default:
        return undefined;
    }
  };
  const itemsOf = (value: DuckDBValue, item: DuckDBType): Json | undefined =>
    value instanceof api.DuckDBListValue || value instanceof api.DuckDBArrayValue
      ? value.items.map((part) => read(part, item))
      : undefined;
  const structOf = (value: DuckDBValue, type: DuckDBStructType): Json | undefined => {
    if (!(value instanceof api.DuckDBStructValue)) return undefined;
    // The client keys entries by name, so equal or missing names would lose all but the last.
    if (new Set(type.entryNames).size < type.entryNames.length) {
      throw configFailure("command: a struct in the result has unnamed fields; name them");
    }
    const entries = type.entryNames.map((name, index): [string, Json] => {
      const entryType = type.entryTypes[index];
      const entry = value.entries[name];
      return [name, entry === undefined || !entryType ? null : read(entry, entryType)];
    });
    return Object.fromEntries(entries);
  };
  const mapOf = (value: DuckDBValue, type: DuckDBMapType): Json | undefined => {
    if (!(value instanceof api.DuckDBMapValue)) return undefined;
    const entries = value.entries.map((entry) => ({
      key: read(entry.key, type.keyType),
      value: read(entry.value, type.valueType),
    }));
    const textKeys = type.keyType.typeId === id.VARCHAR || type.keyType.typeId === id.ENUM;
    return textKeys
      ? Object.fromEntries(entries.map((entry) => [String(entry.key), entry.value]))
      : entries;
  };
  const unionOf = (value: DuckDBValue, type: DuckDBUnionType): Json | undefined => {
    if (!(value instanceof api.DuckDBUnionValue)) return undefined;
    const member = type.memberTypes[type.memberTags.indexOf(value.tag)];
    return { tag: value.tag, value: member === undefined ? null : read(value.value, member) };
  };
  const read = (value: DuckDBValue, type: DuckDBType): Json => {
    if (value === null) return null;
    switch (typeof value) {
      case "boolean":
        spend(scalarBytes);
        return value;
      case "number":
        spend(scalarBytes);
        return exactDouble(value);
      case "bigint":
        spend(scalarBytes);
        return exactInteger(value);
      case "string":
        spend(value.length + scalarBytes);
        return type.alias === "JSON" ? jsonOrText(value) : value;
    }
    if (value instanceof api.DuckDBBlobValue || value instanceof api.DuckDBGeometryValue) {
      return text(Buffer.from(value.bytes).toString("base64"));
    }
    if (value instanceof api.DuckDBTimestampTZValue) {
      return text((value.isFinite ? utcTimestamp(value.micros) : undefined) ?? String(value));
    }
    if (value instanceof api.DuckDBVariantValue) return variantOf(value);
    return nested(value, type) ?? text(isoText(String(value), type, id));
  };
  const variantOf = (value: Api.DuckDBVariantValue): Json =>
    read(value.value, value.type ?? api.VARCHAR);
  return read;
}

/** A timestamp as ISO 8601; the text of every other type as it is. */
function isoText(text: string, type: DuckDBType, id: DuckdbApi["DuckDBTypeId"]): string {
  const isTimestamp =
    type.typeId === id.TIMESTAMP ||
    type.typeId === id.TIMESTAMP_S ||
    type.typeId === id.TIMESTAMP_MS ||
    type.typeId === id.TIMESTAMP_NS;
  return isTimestamp ? text.replace(" ", "T") : text;
}
