// DuckDB's types under the names that transfers use, and back: what a column is, how its text is
// made and how a value is made of text again.

import { quotedName } from "./transfer-ends.ts";
import type { Column, TypeName } from "./transfer-rows.ts";

const names: Readonly<Record<string, TypeName>> = {
  BOOLEAN: "bool",
  TINYINT: "int",
  SMALLINT: "int",
  INTEGER: "int",
  BIGINT: "int",
  UTINYINT: "int",
  USMALLINT: "int",
  UINTEGER: "int",
  FLOAT: "float",
  DOUBLE: "float",
  VARCHAR: "text",
  BLOB: "bytes",
  DATE: "date",
  TIME: "time",
  TIMESTAMP: "timestamp",
  TIMESTAMP_S: "timestamp",
  TIMESTAMP_MS: "timestamp",
  TIMESTAMP_NS: "timestamp",
  "TIMESTAMP WITH TIME ZONE": "timestamptz",
  JSON: "json",
  UUID: "uuid",
};

/** Digits that integers beyond 64 bits may have. */
const wideDigits: Readonly<Record<string, number>> = { UBIGINT: 20, HUGEINT: 39, UHUGEINT: 39 };

/** The column of a type as `DESCRIBE` writes it. */
export function columnOf(name: string, type: string): Column {
  const known = names[type];
  if (known !== undefined) return { name, type: known };
  const digits = wideDigits[type];
  if (digits !== undefined) return { name, type: "decimal", precision: digits, scale: 0 };
  const decimal = /^DECIMAL\((\d+),(\d+)\)$/.exec(type);
  if (decimal !== null) {
    return { name, type: "decimal", precision: Number(decimal[1]), scale: Number(decimal[2]) };
  }
  const item = listItem(type);
  if (item !== undefined) return { name, type: "list", element: columnOf(name, item).type };
  if (/^(STRUCT|MAP|UNION|VARIANT)\b/.test(type)) return { name, type: "json" };
  return { name, type: "text" };
}

/** The type of a list's or an array's items: `INTEGER[]`, `FLOAT[3]`. */
function listItem(type: string): string | undefined {
  return /^(.*)\[\d*\]$/s.exec(type)?.[1];
}

/** Brackets at the end of a nested list's type, each a level. */
function varcharList(type: string): string {
  let depth = 0;
  for (let item = listItem(type); item !== undefined; item = listItem(item)) depth++;
  return `VARCHAR${"[]".repeat(depth)}`;
}

/** The column's value in the text form of transfers. */
export function selected(source: string, type: string, column: Column): string {
  return `${textExpression(quotedName(source), type, column)} AS ${quotedName(column.name)}`;
}

function textExpression(own: string, type: string, column: Column): string {
  switch (column.type) {
    case "bytes":
      return `'\\x' || lower(hex(${own}))`;
    case "timestamptz": {
      // Without a zone of its own in the text, so that no calendar has to be loaded.
      const utc = `make_timestamp(epoch_us(${own}))::VARCHAR || '+00'`;
      return `CASE WHEN isfinite(${own}) THEN ${utc} ELSE ${own}::VARCHAR END`;
    }
    case "list":
      return `to_json(${own}::${varcharList(type)})::VARCHAR`;
    case "json":
      return type === "JSON" ? `${own}::VARCHAR` : `to_json(${own})::VARCHAR`;
    case "bool":
    case "int":
    case "float":
    case "decimal":
    case "text":
    case "date":
    case "time":
    case "timestamp":
    case "uuid":
      return `${own}::VARCHAR`;
  }
}

/** A value of the table's type out of the text of a column. */
export function valueExpression(text: string, column: Column, type: string): string {
  if (column.type === "bytes" && type === "BLOB") return `unhex(substr(${text}, 3))`;
  if (listItem(type) !== undefined) return `${text}::JSON::${type}`;
  return type === "VARCHAR" ? text : `CAST(${text} AS ${type})`;
}

/** True where this text becomes no value of the type. */
export function misfitCondition(text: string, column: Column, type: string): string {
  const isMissing = `TRY(${valueExpression(text, column, type)}) IS NULL`;
  return `${text} IS NOT NULL AND ${isMissing}`;
}

/** The most digits that a decimal of DuckDB has. */
const decimalDigitsMax = 38;

/** The type of a column that is made for these values; numbers of any size stay exact as text. */
export function duckdbType(column: Column): string {
  switch (column.type) {
    case "bool":
      return "BOOLEAN";
    case "int":
      return "BIGINT";
    case "float":
      return "DOUBLE";
    case "decimal": {
      const { precision, scale = 0 } = column;
      if (precision === undefined || precision > decimalDigitsMax) return "VARCHAR";
      return `DECIMAL(${precision},${scale})`;
    }
    case "bytes":
      return "BLOB";
    case "date":
      return "DATE";
    case "time":
      return "TIME";
    case "timestamp":
      return "TIMESTAMP";
    case "timestamptz":
      return "TIMESTAMPTZ";
    case "json":
      return "JSON";
    case "uuid":
      return "UUID";
    case "text":
      return "VARCHAR";
    case "list":
      return column.element === undefined || column.element === "list"
        ? "JSON"
        : `${duckdbType({ name: column.name, type: column.element })}[]`;
  }
}
