// Transfers that go on where they stopped: every chunk is a transaction of its own, which also says
// how far the transfer is. The next attempt of the same call reads on behind that mark.

import { transferChunkBytesMax } from "#core/model/data-tool-limits";
import type { Failure } from "#core/model/outcome";
import { ToolFailure } from "./tool.ts";
import {
  duckdbQuery,
  duckdbTable,
  duckdbTurn,
  duckdbWindows,
  duckdbWriter,
} from "./transfer-duckdb.ts";
import {
  quotedText,
  type SinkOptions,
  transferFailure,
  type WindowedSource,
} from "./transfer-ends.ts";
import { postgresCall } from "./transfer-postgres-call.ts";
import { preparedTable, tableWriter } from "./transfer-postgres-sink.ts";
import { postgresWindows } from "./transfer-postgres-source.ts";
import { type Block, decodedRows, encodedRow, type TextRow } from "./transfer-rows.ts";
import {
  duckdbSession,
  progressLog,
  sinkOptions,
  sourceOptions,
  type Transfer,
  type Transferred,
} from "./transfer-run.ts";

/** How far a transfer is. */
interface Mark {
  readonly chunk: number;
  readonly last: string | undefined;
  readonly rows: number;
}

/** A target that takes a chunk and the mark behind it in one transaction. */
interface MarkedTarget {
  readonly label: string;
  /** What an earlier attempt left; undefined if there was none. */
  readonly begun: Mark | undefined;
  write(block: Block, mark: Mark): Promise<void>;
  close(): Promise<void>;
}

export async function resumedTransfer(transfer: Transfer): Promise<Transferred> {
  const { config, context, deadline } = transfer;
  const orderBy = config.orderBy ?? "";
  const source = await openWindows(transfer);
  try {
    const target = await openTarget(transfer, sinkOptions(transfer, source));
    try {
      const progress = progressLog(context, config.chunkRows);
      let mark: Mark = target.begun ?? { chunk: 0, last: undefined, rows: 0 };
      for (let isLast = false; !isLast; ) {
        const ended = deadline.ended();
        if (ended !== undefined) throw ended;
        const chunk = await chunkAfter(source, { orderBy, last: mark.last }, config.chunkRows);
        isLast = chunk.isLast;
        if (chunk.rows === 0) break;
        mark = { chunk: mark.chunk + 1, last: chunk.last, rows: mark.rows + chunk.rows };
        await target.write({ bytes: chunk.bytes, rows: chunk.rows }, mark);
        progress(mark.rows);
      }
      return {
        rows: mark.rows,
        chunks: mark.chunk,
        skipped: 0,
        columns: source.columns.map(({ name }) => name),
        table: target.label,
        ...(target.begun === undefined ? {} : { resumedFrom: target.begun.rows }),
      };
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

interface Chunk extends Block {
  readonly last: string;
  readonly isLast: boolean;
}

/** The rows behind a mark, up to the chunk's size; one more is read to see where it may end. */
async function chunkAfter(
  source: WindowedSource,
  { orderBy, last }: { readonly orderBy: string; readonly last: string | undefined },
  chunkRows: number,
): Promise<Chunk> {
  const after = last === undefined ? undefined : quotedText(last);
  const lines: string[] = [];
  let mark: string | undefined;
  let next: string | undefined;
  let chars = 0;
  try {
    for await (const block of source.window({ orderBy, after, rowsMax: chunkRows + 1 })) {
      for (const row of decodedRows(block)) {
        const at = orderOf(row, orderBy);
        if (next !== undefined) continue;
        if (lines.length >= chunkRows || chars > transferChunkBytesMax) {
          next = at;
          continue;
        }
        mark = at;
        const line = encodedRow(row.slice(0, -1));
        lines.push(line);
        chars += line.length;
      }
    }
    await source.windowEnd();
  } catch (error) {
    throw changed(error);
  }
  if (next !== undefined && next === mark) {
    throw transferFailure(
      "order_not_unique",
      `resumable: expected values of ${orderBy} to differ, found one twice where a chunk ends`,
    );
  }
  const bytes = Buffer.from(lines.join(""));
  return { bytes, rows: lines.length, last: mark ?? "", isLast: next === undefined };
}

function orderOf(row: TextRow, orderBy: string): string {
  const value = row.at(-1);
  if (value !== undefined && value !== null) return value;
  throw transferFailure(
    "order_not_unique",
    `resumable: expected a value in ${orderBy}, found NULL`,
  );
}

/** Errors that mean that columns or tables are not what they were when the transfer began. */
const gone: readonly (string | number)[] = [
  "42703",
  "42P01",
  "42804",
  "Binder Error",
  "Catalog Error",
];

function changed(error: unknown): unknown {
  if (!(error instanceof ToolFailure)) return error;
  const failure: Failure = error.failure;
  if (failure.code === undefined || !gone.includes(failure.code)) return error;
  const message = `${failure.message} (the source has changed since the transfer began)`;
  return new ToolFailure({ ...failure, kind: "transfer", code: "source_changed", message });
}

async function openWindows(transfer: Transfer): Promise<WindowedSource> {
  const { services, config } = transfer;
  const options = sourceOptions(transfer);
  if (config.source.type === "postgres") return postgresWindows(services.pools, options);
  const session = await duckdbSession(services, options);
  return duckdbWindows(session, duckdbQuery(options), options);
}

function openTarget(transfer: Transfer, options: SinkOptions): Promise<MarkedTarget> {
  return transfer.config.target.type === "postgres"
    ? postgresTarget(transfer, options)
    : duckdbTarget(transfer, options);
}

const markTable = `CREATE TABLE IF NOT EXISTS noetl_transfer
  (key text PRIMARY KEY, chunk integer NOT NULL, last text NOT NULL, rows bigint NOT NULL)`;

function markQuery(key: string): string {
  return `SELECT chunk::text, last, rows::text FROM noetl_transfer WHERE key = ${quotedText(key)}`;
}

function markInsert(key: string, { chunk, last = "", rows }: Mark): string {
  const values = `${quotedText(key)}, ${chunk}, ${quotedText(last)}, ${rows}`;
  return `INSERT INTO noetl_transfer (key, chunk, last, rows) VALUES (${values})
    ON CONFLICT (key) DO UPDATE SET chunk = EXCLUDED.chunk, last = EXCLUDED.last, rows = EXCLUDED.rows`;
}

function markOf(row: readonly unknown[] | undefined): Mark | undefined {
  if (row === undefined) return undefined;
  const [chunk, last, rows] = row;
  return { chunk: Number(chunk), last: String(last), rows: Number(rows) };
}

function labelOf({ config }: SinkOptions): string {
  const table = config["table"];
  if (typeof table === "string" && table !== "") return table;
  throw transferFailure("no_table", "target.table: expected a table, found nothing");
}

async function postgresTarget(transfer: Transfer, options: SinkOptions): Promise<MarkedTarget> {
  const key = transfer.context.idempotencyKey;
  const label = labelOf(options);
  const call = await postgresCall(transfer.services.pools, "target", options);
  const close = () => call.release({ reusable: false });
  try {
    await call.begin("");
    await call.query(markTable);
    const begun = markOf((await call.query(markQuery(key)))[0]);
    const table = await preparedTable(call, label, options);
    await call.query("COMMIT");
    return {
      label,
      begun,
      close,
      write: async (block, mark) => {
        await call.begin("");
        if (options.mode === "replace" && mark.chunk === 1)
          await call.query(`TRUNCATE ${table.name}`);
        const writer = await tableWriter(call, table, options);
        await writer.write(block);
        await writer.end();
        await call.query(markInsert(key, mark));
        await call.query("COMMIT");
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function duckdbTarget(transfer: Transfer, options: SinkOptions): Promise<MarkedTarget> {
  const key = transfer.context.idempotencyKey;
  const label = labelOf(options);
  const session = await duckdbSession(transfer.services, options);
  const within = async <Result>(work: (turn: Turn) => Promise<Result>): Promise<Result> => {
    const turn = await duckdbTurn(session, "target", options.deadline);
    try {
      await turn.run("BEGIN");
      const result = await work(turn);
      await turn.run("COMMIT");
      return result;
    } catch (error) {
      await turn.connection.run("ROLLBACK").catch(() => undefined);
      throw error;
    } finally {
      turn.end();
    }
  };
  const { begun, table } = await within(async (turn) => {
    await turn.run(markTable);
    const rows = await turn.rows(markQuery(key));
    return { begun: markOf(rows[0]), table: await duckdbTable(turn, label, options) };
  });
  return {
    label,
    begun,
    close: async () => undefined,
    write: (block, mark) =>
      within(async (turn) => {
        if (options.mode === "replace" && mark.chunk === 1)
          await turn.run(`DELETE FROM ${table.name}`);
        const writer = await duckdbWriter({ session, turn, table }, options);
        try {
          await writer.write(block);
          await writer.end();
        } finally {
          await writer.drop();
        }
        await turn.run(markInsert(key, mark));
      }),
  };
}

type Turn = Awaited<ReturnType<typeof duckdbTurn>>;
