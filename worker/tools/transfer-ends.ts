// The two ends of a transfer as the middle sees them, and what an end is opened with.

import type { JsonObject } from "#core/model/json";
import type { Failure, Output } from "#core/model/outcome";
import type { Deadline } from "./call-config.ts";
import { type ToolContext, ToolFailure } from "./tool.ts";
import type { Block, Column } from "./transfer-rows.ts";

export type TransferMode = "append" | "replace" | "upsert";

/** Target column → source column, in order. */
export type Mapping = ReadonlyMap<string, string>;

export interface EndOptions {
  /** The fields of this end, with `auth` still to be resolved. */
  readonly config: JsonObject;
  readonly context: ToolContext;
  readonly deadline: Deadline;
}

export interface SourceOptions extends EndOptions {
  /** What is wanted of it and under which names; everything where undefined. */
  readonly mapping: Mapping | undefined;
  readonly skipsBadRows: boolean;
}

/** Where rows come from. Its columns are fixed when it is opened. */
export interface Source {
  readonly columns: readonly Column[];
  /** To be read once; the next block is made when it is asked for, or one ahead. */
  blocks(): AsyncIterable<Block>;
  /** Rows that could not be read and were left out. */
  skipped(): number;
  close(): Promise<void>;
}

/** Part of the rows: behind a mark, in order, at most so many. */
export interface Window {
  readonly orderBy: string;
  /** SQL for the mark; from the start where undefined. */
  readonly after: string | undefined;
  readonly rowsMax: number;
}

/** A source whose rows can be asked for piece by piece, each piece from a snapshot of its own. */
export interface WindowedSource {
  readonly columns: readonly Column[];
  /** The rows, and as last column the text of what they are ordered by. */
  window(window: Window): AsyncIterable<Block>;
  /** Ends a piece that was read to its end. */
  windowEnd(): Promise<void>;
  close(): Promise<void>;
}

export interface SinkOptions extends EndOptions {
  readonly mode: TransferMode;
  readonly keys: readonly string[];
  /** Whether a missing table is made of the source's columns. */
  readonly create: boolean;
  readonly columns: readonly Column[];
  /** Rows of a chunk, where the target is written chunk by chunk. */
  readonly chunkRows: number;
}

/** Where rows go. Nothing is to be seen there before `commit`, unless its kind says otherwise. */
export interface Sink {
  /** The target's name for people: a table, a file, an address without its query. */
  readonly name: string;
  write(block: Block): Promise<void>;
  commit(): Promise<void>;
  /** Undoes what was written, whatever state it is in. Called after any failure. */
  rollback(): Promise<void>;
}

export function transferFailure(code: string, message: string): ToolFailure {
  return new ToolFailure({ kind: "transfer", code, message, retryable: false });
}

/** A failure of one end says which end it was. */
export function failureAt(end: "source" | "target", failure: Failure): ToolFailure {
  return new ToolFailure({ ...failure, message: `${end}: ${failure.message}` });
}

/** The failure in an output that must have one. */
export function failureIn(output: Output): Failure {
  return output.error ?? { kind: "transfer", message: "unknown error", retryable: false };
}

/** A value that a column can't take, by its place and both types; never the value. */
export function misfit(options: {
  readonly row: number;
  readonly column: string;
  readonly from: string;
  readonly to: string;
}): ToolFailure {
  const { row, column, from, to } = options;
  return transferFailure(
    "bad_value",
    `row ${row}, column ${column}: a value of type ${from} does not fit ${to}`,
  );
}

/** The columns that a mapping makes of a source's own, under the target's names. */
export function mappedColumns(
  own: readonly Column[],
  mapping: Mapping | undefined,
): readonly { readonly from: number; readonly column: Column }[] {
  if (mapping === undefined) return own.map((column, from) => ({ from, column }));
  return [...mapping].map(([target, wanted]) => {
    const from = own.findIndex(({ name }) => name === wanted);
    const found = own[from];
    if (found === undefined) {
      const names = own.map(({ name }) => name).join(", ");
      throw transferFailure(
        "missing_column",
        `mapping.${target}: expected a column of the source (${names}), found ${wanted}`,
      );
    }
    return { from, column: { ...found, name: target } };
  });
}

/** Pairs the columns that arrive with the names that a table has for them. */
export function tableColumns(
  columns: readonly Column[],
  table: { readonly name: string; readonly columns: readonly string[] },
): readonly string[] {
  const paired = columns.map(({ name }) => {
    if (table.columns.includes(name)) return name;
    const folded = table.columns.filter((known) => known.toLowerCase() === name.toLowerCase());
    return folded.length === 1 ? folded[0] : undefined;
  });
  const missing = columns.filter((_, index) => paired[index] === undefined);
  if (missing.length > 0) {
    const names = missing.map(({ name }) => name).join(", ");
    throw transferFailure("missing_column", `table ${table.name} has no column ${names}`);
  }
  return paired.flatMap((name) => (name === undefined ? [] : [name]));
}

/** The parts of `schema.table`, as SQL reads them: only quoted ones keep their capitals. */
export function tableParts(text: string): readonly string[] {
  const parts = [...text.matchAll(/"((?:[^"]|"")+)"|([^."\s]+)/g)];
  return parts.map(
    ([, quoted, bare]) => quoted?.replaceAll('""', '"') ?? (bare ?? "").toLowerCase(),
  );
}

export function quotedName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

export function quotedText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** `schema.table` with every part quoted. */
export function quotedTable(text: string): string {
  return tableParts(text).map(quotedName).join(".");
}
