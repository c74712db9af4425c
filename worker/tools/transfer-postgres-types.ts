// PostgreSQL's types under the names that transfers use, and back: what a column is, how it is
// selected so that its text means the same everywhere, and how a table is made for it.

import { quotedName } from "./transfer-ends.ts";
import type { Column, TypeName } from "./transfer-rows.ts";

/** A column as the catalog describes it. */
export interface PostgresColumn {
  readonly name: string;
  /** The type's own name, a domain's base type's: `int4`, `_text`. */
  readonly typname: string;
  readonly modifier: number;
  readonly isArray: boolean;
}

const names: Readonly<Record<string, TypeName>> = {
  bool: "bool",
  int2: "int",
  int4: "int",
  int8: "int",
  oid: "int",
  float4: "float",
  float8: "float",
  numeric: "decimal",
  bytea: "bytes",
  date: "date",
  time: "time",
  timestamp: "timestamp",
  timestamptz: "timestamptz",
  json: "json",
  jsonb: "json",
  uuid: "uuid",
};

export function columnOf({ name, typname, modifier, isArray }: PostgresColumn): Column {
  if (isArray) {
    const element = names[typname.replace(/^_/, "")] ?? "text";
    return { name, type: "list", element };
  }
  const type = names[typname] ?? "text";
  // A numeric's modifier holds its precision and scale, four bytes above what it counts from.
  if (type !== "decimal" || modifier < 4) return { name, type };
  const bits = modifier - 4;
  const scale = bits & 0x7ff;
  const precision = (bits >> 16) & 0xffff;
  return scale <= precision ? { name, type, precision, scale } : { name, type };
}

/** The column's value in the text form of transfers. */
export function selected(source: string, { name, type }: Column): string {
  const own = quotedName(source);
  const value =
    type === "list" ? `to_json(${own}::text[])::text` : type === "bool" ? `${own}::text` : own;
  return `${value} AS ${quotedName(name)}`;
}

/** Types whose text may be empty or look like NULL, and is quoted so that it never does. */
export function mayBeAnything({ type }: Column): boolean {
  return type === "text" || type === "json" || type === "list";
}

/** The type of a column that is made for these values. */
export function postgresType(column: Column): string {
  switch (column.type) {
    case "bool":
      return "boolean";
    case "int":
      return "bigint";
    case "float":
      return "double precision";
    case "decimal":
      return column.precision === undefined
        ? "numeric"
        : `numeric(${column.precision},${column.scale ?? 0})`;
    case "bytes":
      return "bytea";
    case "json":
      return "jsonb";
    case "list":
      return column.element === undefined || column.element === "list"
        ? "jsonb"
        : `${postgresType({ name: column.name, type: column.element })}[]`;
    case "date":
    case "time":
    case "timestamp":
    case "timestamptz":
    case "uuid":
    case "text":
      return column.type;
  }
}
