// What a transfer is asked to do, read from its config: both ends, the mode, the mapping of columns
// and where to go on after a failure. Nothing is opened here.

import { transferChunkRowsDefault, transferChunkRowsMax } from "#core/model/data-tool-limits";
import type { JsonObject } from "#core/model/json";
import { isJsonObject } from "#core/model/json";
import {
  configFailure,
  field,
  flagField,
  numberField,
  objectField,
  textField,
  wrongShape,
} from "./call-config.ts";
import type { Mapping, TransferMode } from "./transfer-ends.ts";

export type EndType = "postgres" | "duckdb" | "http" | "file";

export interface End {
  readonly type: EndType;
  readonly config: JsonObject;
}

export interface TransferConfig {
  readonly source: End;
  readonly target: End;
  readonly mode: TransferMode;
  readonly mapping: Mapping | undefined;
  readonly keys: readonly string[];
  readonly create: boolean;
  readonly chunkRows: number;
  readonly skipsBadRows: boolean;
  /** The column to go on by, where the transfer is to be resumed rather than begun anew. */
  readonly orderBy: string | undefined;
}

export function transferConfig(config: JsonObject): TransferConfig {
  const source = endOf(config, "source");
  const target = endOf(config, "target");
  const mode = modeOf(config);
  const keys = keysOf(target.config);
  if (mode === "upsert" && keys.length === 0) {
    throw configFailure("target.keys: expected the columns of a unique index for mode upsert");
  }
  if (field(target.config, "query") !== undefined) {
    throw configFailure("target.query: expected table, which rows are written to");
  }
  const orderBy = orderOf(config);
  for (const [name, { type }] of Object.entries({ source, target })) {
    if (orderBy === undefined || type === "postgres" || type === "duckdb") continue;
    throw configFailure(`resumable: expected a database as ${name}, found ${type}`);
  }
  return {
    source,
    target,
    mode,
    keys,
    orderBy,
    mapping: mappingOf(config, target.config),
    create: flagField(target.config, false, "create"),
    chunkRows: chunkRowsOf(config),
    skipsBadRows: skipsBadRows(config),
  };
}

const types: Readonly<Record<string, EndType>> = {
  postgres: "postgres",
  postgresql: "postgres",
  duckdb: "duckdb",
  http: "http",
  file: "file",
};

function endOf(config: JsonObject, name: "source" | "target"): End {
  const given = objectField(config, name);
  if (given === undefined) throw configFailure(`${name}: expected an object, found nothing`);
  const text = textField(given.value, "type", "kind", "tool")?.value;
  if (text === undefined) throw configFailure(`${name}.type: expected a kind, found nothing`);
  if (text === "snowflake") {
    throw configFailure(`${name}.type: snowflake is not supported; use snowflake and a file`);
  }
  const type = types[text];
  if (type === undefined) {
    throw configFailure(`${name}.type: expected postgres, duckdb, http or file, found "${text}"`);
  }
  // Those fields say which tool, and would be read as fields of that tool.
  const { type: _type, kind: _kind, tool: _tool, ...rest } = given.value;
  return { type, config: rest };
}

function modeOf(config: JsonObject): TransferMode {
  const mode = textField(config, "mode")?.value ?? "append";
  if (mode === "append" || mode === "replace" || mode === "upsert") return mode;
  throw configFailure(`mode: expected append, replace or upsert, found "${mode}"`);
}

function keysOf(target: JsonObject): readonly string[] {
  const given = field(target, "keys", "key");
  if (given === undefined) return [];
  const list = Array.isArray(given.value) ? given.value : [given.value];
  return list.map((key: unknown) => {
    if (typeof key !== "string") throw configFailure("target.keys: expected names of columns");
    return key;
  });
}

function mappingOf(config: JsonObject, target: JsonObject): Mapping | undefined {
  const given = objectField(target, "mapping") ?? objectField(config, "mapping");
  if (given === undefined) return undefined;
  const entries = Object.entries(given.value).map(([column, from]): [string, string] => {
    if (typeof from !== "string") throw wrongShape(`mapping.${column}`, "a column's name", from);
    return [column, from];
  });
  return entries.length === 0 ? undefined : new Map(entries);
}

function chunkRowsOf(config: JsonObject): number {
  const rows = numberField(config, "chunk_size")?.value ?? transferChunkRowsDefault;
  if (Number.isInteger(rows) && rows >= 1 && rows <= transferChunkRowsMax) return rows;
  throw configFailure(`chunk_size: expected 1 to ${transferChunkRowsMax} rows, found ${rows}`);
}

function skipsBadRows(config: JsonObject): boolean {
  const given = textField(config, "on_bad_row")?.value ?? "fail";
  if (given === "fail" || given === "skip") return given === "skip";
  throw configFailure(`on_bad_row: expected fail or skip, found "${given}"`);
}

function orderOf(config: JsonObject): string | undefined {
  const given = field(config, "resumable");
  if (given === undefined || given.value === false) return undefined;
  const by = isJsonObject(given.value) ? textField(given.value, "order_by")?.value : undefined;
  if (by === undefined) throw configFailure("resumable: expected {order_by: a column}");
  return by;
}
