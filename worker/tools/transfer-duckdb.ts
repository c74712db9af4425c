// Rows out of and into DuckDB, through CSV files in a folder that only the database sees: its own
// reader and writer are the fastest way in and out, and whole columns fail or pass.

import { randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { type FileHandle, mkdir, open, readdir, rm } from "node:fs/promises";
import { join } from "node:path";

import { csvRowBytesMax, transferFileBytesMax } from "#core/model/data-tool-limits";
import type { Json } from "#core/model/json";
import { configFailure, type Deadline, textField } from "./call-config.ts";
import { duckdbFailure, interruptOnAbort } from "./duckdb.ts";
import type { DuckdbSession } from "./duckdb-database.ts";
import { ToolFailure } from "./tool.ts";
import {
  columnOf,
  duckdbType,
  misfitCondition,
  selected,
  valueExpression,
} from "./transfer-duckdb-types.ts";
import {
  failureAt,
  mappedColumns,
  misfit,
  quotedName,
  quotedTable,
  quotedText,
  type Sink,
  type SinkOptions,
  type Source,
  type SourceOptions,
  tableColumns,
  transferFailure,
  type WindowedSource,
} from "./transfer-ends.ts";
import { type Block, type Column, wholeRows } from "./transfer-rows.ts";

type Connection = Parameters<Parameters<DuckdbSession["inTurn"]>[0]>[0];

/** One end's use of a connection, for as long as its turn lasts. */
export interface DuckdbTurn {
  readonly connection: Connection;
  run(sql: string): Promise<void>;
  rows(sql: string): Promise<readonly (readonly Json[])[]>;
  failure(error: unknown): ToolFailure;
  /** Ends the turn. */
  end(): void;
}

/** Resolves when it is this end's turn; the turn lasts until it is ended. */
export async function duckdbTurn(
  session: DuckdbSession,
  end: "source" | "target",
  deadline: Deadline,
): Promise<DuckdbTurn> {
  const over = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<Connection>();
  session
    .inTurn(async (connection) => {
      begun.resolve(connection);
      await over.promise;
    })
    .catch(begun.reject);
  const connection = await begun.promise;
  const failure = (error: unknown): ToolFailure =>
    deadline.ended() ??
    (error instanceof ToolFailure ? error : failureAt(end, duckdbFailure(error).failure));
  const calmly = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    const calm = interruptOnAbort(connection, deadline);
    try {
      return await work();
    } catch (error) {
      throw failure(error);
    } finally {
      calm();
    }
  };
  return {
    connection,
    failure,
    run: (sql) => calmly(async () => void (await connection.run(sql))),
    rows: (sql) =>
      calmly(async () => (await connection.runAndReadAll(sql)).getRowsJson() as Json[][]),
    end: () => over.resolve(),
  };
}

const dialect = "FORMAT csv, HEADER false, NULLSTR '\\N'";

/** A source on what a query gives; it is written out whole when it is opened, as one snapshot. */
export async function duckdbSource(
  session: DuckdbSession,
  query: string,
  options: SourceOptions,
): Promise<Source> {
  const turn = await duckdbTurn(session, "source", options.deadline);
  const folder = join(await session.exchange(), randomUUID());
  const close = () => rm(folder, { recursive: true, force: true });
  try {
    const { columns, list } = await described(turn, query, options);
    await exported(turn, `SELECT ${list} FROM (${query})`, folder);
    return { columns, skipped: () => 0, blocks: () => wholeRows(filesIn(folder)), close };
  } catch (error) {
    await close();
    throw error;
  } finally {
    turn.end();
  }
}

/** A source whose rows are asked for piece by piece, in order. */
export async function duckdbWindows(
  session: DuckdbSession,
  query: string,
  options: SourceOptions,
): Promise<WindowedSource> {
  const exchange = await session.exchange();
  const inTurn = async <Result>(work: (turn: DuckdbTurn) => Promise<Result>): Promise<Result> => {
    const turn = await duckdbTurn(session, "source", options.deadline);
    try {
      return await work(turn);
    } finally {
      turn.end();
    }
  };
  const { columns, list, types } = await inTurn((turn) => described(turn, query, options));
  return {
    columns,
    windowEnd: async () => undefined,
    close: async () => undefined,
    window: async function* ({ orderBy, after, rowsMax }) {
      const folder = join(exchange, randomUUID());
      const by = quotedName(orderBy);
      const type = types.find(({ name }) => name === orderBy)?.type ?? "VARCHAR";
      const where = after === undefined ? "" : ` WHERE ${by} > CAST(${after} AS ${type})`;
      const sql = `SELECT ${list}, ${by}::VARCHAR FROM (${query})${where}
        ORDER BY ${by} NULLS FIRST LIMIT ${rowsMax}`;
      try {
        await inTurn((turn) => exported(turn, sql, folder));
        yield* wholeRows(filesIn(folder));
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
  };
}

async function described(turn: DuckdbTurn, query: string, { mapping }: SourceOptions) {
  const rows = await turn.rows(`DESCRIBE ${query}`);
  const types = rows.map(([name, type]) => ({ name: String(name), type: String(type) }));
  const own = types.map(({ name, type }) => columnOf(name, type));
  const mapped = mappedColumns(own, mapping);
  const list = mapped.map(({ from, column }) => {
    const type = types[from];
    return selected(type?.name ?? "", type?.type ?? "", column);
  });
  return { columns: mapped.map(({ column }) => column), list: list.join(", "), types };
}

/** Writes the rows of a query into files of a folder. */
async function exported(turn: DuckdbTurn, query: string, folder: string): Promise<void> {
  await mkdir(folder, { mode: 0o700 });
  const size = `FILE_SIZE_BYTES ${transferFileBytesMax}, OVERWRITE_OR_IGNORE true`;
  await turn.run(`COPY (${query}) TO ${quotedText(folder)} (${dialect}, FORCE_QUOTE *, ${size})`);
}

async function* filesIn(folder: string): AsyncGenerator<Uint8Array> {
  const names = (await readdir(folder)).sort((left, right) => numberIn(left) - numberIn(right));
  for (const name of names) {
    yield* createReadStream(join(folder, name), { highWaterMark: 1_048_576 });
    await rm(join(folder, name));
  }
}

function numberIn(name: string): number {
  return Number(/(\d+)/.exec(name)?.[1] ?? 0);
}

/** The query of a source's `query`, or of its `table`. */
export function duckdbQuery({ config }: SourceOptions): string {
  const query = textField(config, "query", "command");
  if (query !== undefined) return query.value.trim().replace(/;\s*$/, "");
  const table = textField(config, "table");
  if (table === undefined) throw configFailure("source.query: expected query or table");
  return `SELECT * FROM ${quotedTable(table.value)}`;
}

// --- into ---------------------------------------------------------------------------------

export interface DuckdbTable {
  readonly name: string;
  readonly label: string;
  readonly columns: readonly { readonly name: string; readonly type: string }[];
}

export async function duckdbSink(session: DuckdbSession, options: SinkOptions): Promise<Sink> {
  const label = textField(options.config, "table")?.value;
  if (label === undefined) throw configFailure("target.table: expected a table, found nothing");
  const turn = await duckdbTurn(session, "target", options.deadline);
  let isOver = false;
  const undo = async (): Promise<void> => {
    if (isOver) return;
    isOver = true;
    await turn.connection.run("ROLLBACK").catch(() => undefined);
    turn.end();
  };
  try {
    await turn.run("BEGIN");
    const table = await duckdbTable(turn, label, options);
    if (options.mode === "replace") await turn.run(`DELETE FROM ${table.name}`);
    const writer = await duckdbWriter({ session, turn, table }, options);
    return {
      name: label,
      write: writer.write,
      commit: async () => {
        await writer.end();
        await turn.run("COMMIT");
        isOver = true;
        turn.end();
      },
      rollback: async () => {
        await writer.drop();
        await undo();
      },
    };
  } catch (error) {
    await undo();
    throw error;
  }
}

export async function duckdbTable(
  turn: DuckdbTurn,
  label: string,
  { columns, create }: Pick<SinkOptions, "columns" | "create">,
): Promise<DuckdbTable> {
  const name = quotedTable(label);
  if (create) {
    const made = columns.map((column) => `${quotedName(column.name)} ${duckdbType(column)}`);
    await turn.run(`CREATE TABLE IF NOT EXISTS ${name} (${made.join(", ")})`);
  }
  const described = await turn.rows(`DESCRIBE SELECT * FROM ${name}`).catch((error) => {
    if (!(error instanceof ToolFailure) || error.failure.code !== "Catalog Error") throw error;
    throw transferFailure("no_table", `target: no table ${label}; create: true makes it`);
  });
  const known = described.map(([column, type]) => ({ name: String(column), type: String(type) }));
  const wanted = tableColumns(columns, {
    name: label,
    columns: known.map((column) => column.name),
  });
  const written = wanted.flatMap((column) => known.filter(({ name: own }) => own === column));
  return { name, label, columns: written };
}

export interface DuckdbWriter {
  write(block: Block): Promise<void>;
  end(): Promise<void>;
  /** Removes what was not loaded. */
  drop(): Promise<void>;
}

export interface DuckdbTarget {
  readonly session: DuckdbSession;
  readonly turn: DuckdbTurn;
  readonly table: DuckdbTable;
}

/** Writes rows within the transaction that is open, a file at a time. */
export async function duckdbWriter(
  target: DuckdbTarget,
  options: SinkOptions,
): Promise<DuckdbWriter> {
  const folder = await target.session.exchange();
  let file: { readonly path: string; readonly handle: FileHandle } | undefined;
  let bytes = 0;
  let longest = 0;
  let rowsBefore = 0;
  let rows = 0;
  const drop = async (): Promise<void> => {
    const dropped = file;
    file = undefined;
    if (dropped === undefined) return;
    await dropped.handle.close();
    await rm(dropped.path, { force: true });
  };
  const load = async (): Promise<void> => {
    if (file === undefined) return;
    await loadFile(target, options, { path: file.path, rowsBefore, longest });
    await drop();
    rowsBefore += rows;
    rows = 0;
    bytes = 0;
    longest = 0;
  };
  return {
    drop,
    end: load,
    write: async (block) => {
      if (file === undefined) {
        const path = join(folder, `${randomUUID()}.csv`);
        file = { path, handle: await open(path, "wx", 0o600) };
      }
      await file.handle.writeFile(block.bytes);
      bytes += block.bytes.length;
      longest = Math.max(longest, block.bytes.length);
      rows += block.rows;
      if (bytes >= transferFileBytesMax) await load();
    },
  };
}

interface RowsFile {
  readonly path: string;
  readonly longest: number;
  readonly rowsBefore: number;
}

async function loadFile(target: DuckdbTarget, options: SinkOptions, file: RowsFile): Promise<void> {
  const { turn, table } = target;
  const from = readCsv(file, options.columns);
  const list = table.columns.map(({ name }) => quotedName(name)).join(", ");
  const values = options.columns.map((column, index) =>
    valueExpression(`c${index}`, column, table.columns[index]?.type ?? "VARCHAR"),
  );
  const insert = `INSERT INTO ${table.name} (${list}) SELECT ${values.join(", ")} FROM ${from}`;
  try {
    await turn.run(options.mode === "upsert" ? insert + onConflict(table, options.keys) : insert);
  } catch (error) {
    throw (await misfitIn(target, options, file)) ?? error;
  }
}

/** What DuckDB takes a row to be at most, where no block says that one may be longer. */
const lineBytesMin = 2 * 1_048_576;

/** @param longest bytes that no row is longer than; memory is set aside for such rows. */
function readCsv({ path, longest }: RowsFile, columns: readonly Column[]): string {
  const names = columns.map((_, index) => `'c${index}': 'VARCHAR'`).join(", ");
  const line = Math.min(Math.max(longest, lineBytesMin), csvRowBytesMax);
  const buffer = `max_line_size = ${line}, buffer_size = ${2 * line}`;
  return `read_csv(${quotedText(path)}, columns = {${names}}, auto_detect = false, header = false,
    delim = ',', quote = '"', escape = '"', nullstr = '\\N', allow_quoted_nulls = false, ${buffer})`;
}

function onConflict(table: DuckdbTable, keys: readonly string[]): string {
  const rest = table.columns.map(({ name }) => name).filter((name) => !keys.includes(name));
  const set = rest.map((name) => `${quotedName(name)} = EXCLUDED.${quotedName(name)}`).join(", ");
  const action = rest.length === 0 ? "DO NOTHING" : `DO UPDATE SET ${set}`;
  return ` ON CONFLICT (${keys.map(quotedName).join(", ")}) ${action}`;
}

/** DuckDB's own message shows the value; this one its place. */
async function misfitIn(
  { turn, table }: DuckdbTarget,
  options: SinkOptions,
  file: RowsFile,
): Promise<ToolFailure | undefined> {
  await turn.connection.run("ROLLBACK").catch(() => undefined);
  const from = `(SELECT row_number() OVER () AS n, * FROM ${readCsv(file, options.columns)})`;
  for (const [index, column] of options.columns.entries()) {
    const type = table.columns[index]?.type ?? "VARCHAR";
    const where = misfitCondition(`c${index}`, column, type);
    const found = await turn
      .rows(`SELECT min(n)::VARCHAR FROM ${from} WHERE ${where}`)
      .catch(() => []);
    const row = found[0]?.[0];
    if (row === undefined || row === null) continue;
    const place = { row: file.rowsBefore + Number(row), column: column.name };
    return misfit({ ...place, from: column.type, to: type });
  }
  return undefined;
}
