// Rows out of and into files within the worker's roots: CSV, JSON, one object a line, and Parquet
// by way of DuckDB. A file appears under its name only when all rows are in it.

import { randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import {
  copyFile,
  type FileHandle,
  mkdir,
  open,
  readFile,
  rename,
  rm,
  stat,
} from "node:fs/promises";
import { dirname, extname } from "node:path";

import { transferChunkBytesMax, transferJsonBytesMax } from "#core/model/data-tool-limits";
import { messageOf } from "#core/model/fault";
import type { JsonObject } from "#core/model/json";
import { configFailure, textField } from "./call-config.ts";
import { pathInRoots } from "./duckdb-path.ts";
import { jsonOrText } from "./exact-json.ts";
import { ToolFailure } from "./tool.ts";
import { type CsvReader, csvReader, linesOf, utf8Line } from "./transfer-csv.ts";
import {
  mappedColumns,
  type Sink,
  type SinkOptions,
  type Source,
  type SourceOptions,
  transferFailure,
} from "./transfer-ends.ts";
import { jsonSource, listAt, type PlacedRow, placedRows } from "./transfer-json.ts";
import {
  type Block,
  blocksOf,
  type Column,
  decodedRows,
  jsonValue,
  type TextRow,
} from "./transfer-rows.ts";

export type FileFormat = "csv" | "ndjson" | "json" | "parquet";

export interface TransferFile {
  readonly path: string;
  /** As the playbook wrote it. */
  readonly name: string;
  readonly format: FileFormat;
}

const formats: Readonly<Record<string, FileFormat>> = {
  csv: "csv",
  ndjson: "ndjson",
  jsonl: "ndjson",
  json: "json",
  parquet: "parquet",
};

/** The file of an end. @throws ToolFailure for one outside the roots or of no known format. */
export async function transferFile(
  end: "source" | "target",
  config: JsonObject,
  fileRoots: readonly string[],
): Promise<TransferFile> {
  const given = textField(config, "path", "uri");
  if (given === undefined) throw configFailure(`${end}.path: expected a file, found nothing`);
  const name = given.value.replace(/^file:\/\//, "");
  const asked = textField(config, "format")?.value ?? extname(name).slice(1).toLowerCase();
  const format = formats[asked];
  if (format === undefined) {
    throw configFailure(`${end}.format: expected csv, ndjson, json or parquet, found "${asked}"`);
  }
  return { path: await pathInRoots(`${end}.path`, name, fileRoots), name, format };
}

export function fileFailure(end: "source" | "target", name: string, error: unknown): ToolFailure {
  if (error instanceof ToolFailure) return error;
  const code = error instanceof Error ? Reflect.get(error, "code") : undefined;
  const reason = typeof code === "string" ? code : messageOf(error);
  return new ToolFailure({
    kind: "file",
    message: `${end}: cannot use ${name}: ${reason}`,
    retryable: code === "EMFILE" || code === "ENOSPC",
    ...(typeof code === "string" ? { code } : {}),
  });
}

export async function fileSource(file: TransferFile, options: SourceOptions): Promise<Source> {
  try {
    const { size } = await stat(file.path);
    if (file.format === "csv") return await csvSource(file, options);
    if (file.format === "ndjson") return await jsonSource(ndjsonRows(file, options), options);
    if (size > transferJsonBytesMax) throw tooLarge(file, size);
    const document = jsonOrText(await readFile(file.path, "utf8"));
    const path = textField(options.config, "data_path")?.value;
    return await jsonSource(placedRows(listAt(document, path, file.name)), options);
  } catch (error) {
    throw fileFailure("source", file.name, error);
  }
}

function tooLarge({ name }: TransferFile, size: number): ToolFailure {
  return transferFailure(
    "too_large",
    `source: ${name} has ${size} bytes, JSON may have ${transferJsonBytesMax}; use ndjson`,
  );
}

async function* bytesOf(file: TransferFile): AsyncGenerator<Uint8Array> {
  const stream = createReadStream(file.path, { highWaterMark: 262_144 });
  try {
    yield* stream;
  } catch (error) {
    throw fileFailure("source", file.name, error);
  } finally {
    stream.destroy();
  }
}

async function* ndjsonRows(file: TransferFile, options: SourceOptions): AsyncGenerator<PlacedRow> {
  for await (const { line, text } of linesOf(bytesOf(file))) {
    if (text.trim() === "") continue;
    const whole = utf8Line(text);
    const value = whole === undefined ? undefined : jsonOrText(whole);
    const place = `line ${line}`;
    // What is no object is told with its line by whoever takes the rows, or left out.
    yield { place, value: value === undefined ? null : value };
    options.deadline.signal.throwIfAborted();
  }
}

async function csvSource(file: TransferFile, options: SourceOptions): Promise<Source> {
  let skipped = 0;
  const delimiter = textField(options.config, "delimiter")?.value ?? ",";
  if (delimiter.length !== 1) throw configFailure("source.delimiter: expected one character");
  const bytes = bytesOf(file);
  const reader = await csvReader(bytes, {
    delimiter,
    encoding: encodingOf(textField(options.config, "encoding")?.value),
    bad: (problem) => {
      if (!options.skipsBadRows)
        throw transferFailure("bad_row", `source: ${file.name}, ${problem}`);
      skipped++;
    },
  });
  const own = reader.names.map((name): Column => ({ name, type: "text" }));
  const mapped = mappedColumns(own, options.mapping);
  return {
    columns: mapped.map(({ column }) => column),
    skipped: () => skipped,
    blocks: () => blocksOf(picked(reader, mapped), transferChunkBytesMax / 4),
    close: async () => void (await bytes.return(undefined)),
  };
}

async function* picked(
  reader: CsvReader,
  mapped: readonly { readonly from: number }[],
): AsyncGenerator<readonly TextRow[]> {
  const isWhole =
    mapped.length === reader.names.length && mapped.every(({ from }, at) => from === at);
  for await (const rows of reader.batches()) {
    yield isWhole ? rows : rows.map((row) => mapped.map(({ from }) => row[from] ?? null));
  }
}

function encodingOf(text: string | undefined): "utf8" | "latin1" {
  if (text === undefined || text === "utf8" || text === "utf-8") return "utf8";
  if (text === "latin1" || text === "iso-8859-1") return "latin1";
  throw configFailure(`source.encoding: expected utf8 or latin1, found "${text}"`);
}

// --- into ---------------------------------------------------------------------------------

/** A sink on a file beside the one that is meant, which takes its place at the end. */
export async function fileSink(file: TransferFile, options: SinkOptions): Promise<Sink> {
  const partial = `${file.path}.${randomUUID()}.partial`;
  if (options.mode === "upsert") throw configFailure("mode: upsert needs a database as target");
  const adds = options.mode === "append" && (await exists(file.path));
  if (adds && file.format === "json") {
    throw configFailure(`mode: append to ${file.name} needs csv or ndjson; json can be replaced`);
  }
  if (adds && file.format === "csv") await sameHeader(file, options.columns);
  const handle = await opened(file, partial, adds);
  const writer = fileWriter(file.format, options.columns);
  const put = async (text: string): Promise<void> => {
    try {
      if (text !== "") await handle.writeFile(text);
    } catch (error) {
      throw fileFailure("target", file.name, error);
    }
  };
  let begin = adds ? "" : writer.begin;
  const started = async (text: string): Promise<void> => {
    const before = begin;
    begin = "";
    await put(before + text);
  };
  let isOpen = true;
  return {
    name: file.name,
    write: (block) => started(writer.text(block)),
    commit: async () => {
      await started(writer.end);
      await handle.sync();
      isOpen = false;
      await handle.close();
      await rename(partial, file.path);
    },
    rollback: async () => {
      if (isOpen) await handle.close();
      isOpen = false;
      await rm(partial, { force: true });
    },
  };
}

/** The file that is written, with what is to be kept in it already. */
async function opened(file: TransferFile, partial: string, adds: boolean): Promise<FileHandle> {
  try {
    await mkdir(dirname(file.path), { recursive: true });
    if (adds) await copyFile(file.path, partial);
    return await open(partial, adds ? "a" : "wx");
  } catch (error) {
    await rm(partial, { force: true });
    throw fileFailure("target", file.name, error);
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

async function sameHeader(file: TransferFile, columns: readonly Column[]): Promise<void> {
  const bytes = bytesOf(file);
  const options = { delimiter: ",", encoding: "utf8", bad: () => undefined } as const;
  const { names } = await csvReader(bytes, options);
  await bytes.return(undefined);
  const wanted = columns.map(({ name }) => name);
  if (names.join("\n") === wanted.join("\n")) return;
  throw transferFailure(
    "missing_column",
    `target: ${file.name} has columns ${names.join(", ")}, the rows ${wanted.join(", ")}`,
  );
}

interface FileWriter {
  readonly begin: string;
  text(block: Block): string;
  readonly end: string;
}

function fileWriter(format: FileFormat, columns: readonly Column[]): FileWriter {
  if (format === "csv") {
    const line = (row: TextRow): string => `${row.map(csvField).join(",")}\n`;
    const lines = (block: Block): string => [...decodedRows(block)].map(line).join("");
    return { begin: line(columns.map(({ name }) => name)), text: lines, end: "" };
  }
  const objects = (block: Block): readonly string[] =>
    [...decodedRows(block)].map((row) => JSON.stringify(rowObject(row, columns)));
  if (format === "ndjson") {
    return { begin: "", end: "", text: (block) => `${objects(block).join("\n")}\n` };
  }
  let isFirst = true;
  return {
    begin: "[",
    end: "\n]\n",
    text: (block) => {
      const before = isFirst ? "\n" : ",\n";
      isFirst = false;
      return before + objects(block).join(",\n");
    },
  };
}

/** A row as an object, its values as playbooks read them. */
export function rowObject(row: TextRow, columns: readonly Column[]): JsonObject {
  return Object.fromEntries(
    columns.map((column, index) => [column.name, jsonValue(row[index] ?? null, column)]),
  );
}

function csvField(value: string | null): string {
  if (value === null) return "";
  return value === "" || /[",\n\r]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}
