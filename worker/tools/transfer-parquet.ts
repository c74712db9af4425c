// Parquet files at either end of a transfer, read and written by a DuckDB that lives for the call.

import { randomUUID } from "node:crypto";
import { rename, rm, stat } from "node:fs/promises";

import {
  parquetGroupBytesMax,
  parquetGroupRowsMax,
  parquetGroupRowsMin,
} from "#core/model/data-tool-limits";
import { configFailure } from "./call-config.ts";
import type { DuckdbOpener } from "./duckdb-database.ts";
import { duckdbSink, duckdbSource, duckdbTurn } from "./transfer-duckdb.ts";
import {
  quotedText,
  type Sink,
  type SinkOptions,
  type Source,
  type SourceOptions,
} from "./transfer-ends.ts";
import { fileFailure, type TransferFile } from "./transfer-file.ts";

export async function parquetSource(
  opener: DuckdbOpener,
  file: TransferFile,
  options: SourceOptions,
): Promise<Source> {
  try {
    await stat(file.path);
  } catch (error) {
    throw fileFailure("source", file.name, error);
  }
  const { session, close } = await opener.scratch(options.context);
  try {
    const query = `SELECT * FROM read_parquet(${quotedText(file.path)})`;
    const source = await duckdbSource(session, query, options);
    const closeBoth = async (): Promise<void> => {
      await source.close();
      await close();
    };
    return { ...source, close: closeBoth };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Rows gather in a table of DuckDB's, which is written out at the end. */
export async function parquetSink(
  opener: DuckdbOpener,
  file: TransferFile,
  options: SinkOptions,
): Promise<Sink> {
  if (options.mode === "upsert") throw configFailure("mode: upsert needs a database as target");
  if (options.mode === "append" && (await stat(file.path).then(Boolean, () => false))) {
    throw configFailure(
      `mode: append to ${file.name} needs csv or ndjson; parquet can be replaced`,
    );
  }
  const { session, close } = await opener.scratch(options.context);
  const partial = `${file.path}.${randomUUID()}.partial`;
  const table = { ...options.config, table: "rows" };
  try {
    const sink = await duckdbSink(session, {
      ...options,
      mode: "append",
      config: table,
      create: true,
    });
    let rows = 0;
    let bytes = 0;
    return {
      name: file.name,
      write: async (block) => {
        await sink.write(block);
        rows += block.rows;
        bytes += block.bytes.length;
      },
      commit: async () => {
        await sink.commit();
        const turn = await duckdbTurn(session, "target", options.deadline);
        const format = `FORMAT parquet, ROW_GROUP_SIZE ${groupRows(rows, bytes)}`;
        await turn.run(`COPY "rows" TO ${quotedText(partial)} (${format})`);
        turn.end();
        await rename(partial, file.path);
        await close();
      },
      rollback: async () => {
        await sink.rollback();
        await close();
        await rm(partial, { force: true });
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Rows of a group, each of which is in memory whole, for as many threads as write: fewer of wide ones. */
function groupRows(rows: number, bytes: number): number {
  const fitting = Math.floor(parquetGroupBytesMax / Math.max(1, bytes / Math.max(1, rows)));
  return Math.min(Math.max(fitting, parquetGroupRowsMin), parquetGroupRowsMax);
}
