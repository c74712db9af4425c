// The transfer tool: rows from one system into another, at the pace of the slower one. Unless it is
// resumable, a transfer into a database or a file happens whole or not at all.

import { transferMemoryBytesMax } from "#core/model/data-tool-limits";
import type { JsonObject } from "#core/model/json";
import type { Output } from "#core/model/outcome";
import { withDeadline } from "./call-config.ts";
import { duckdbOpener } from "./duckdb-database.ts";
import type { HttpToolOptions } from "./http.ts";
import { postgresPools } from "./postgres-pool.ts";
import { type Tool, ToolFailure } from "./tool.ts";
import { type TransferConfig, transferConfig } from "./transfer-config.ts";
import { duckdbQuery, duckdbSink, duckdbSource } from "./transfer-duckdb.ts";
import type { Sink, Source } from "./transfer-ends.ts";
import { fileSink, fileSource, transferFile } from "./transfer-file.ts";
import { httpSink, httpSource } from "./transfer-http.ts";
import { parquetSink, parquetSource } from "./transfer-parquet.ts";
import { postgresSink } from "./transfer-postgres-sink.ts";
import { postgresSource } from "./transfer-postgres-source.ts";
import { resumedTransfer } from "./transfer-resume.ts";
import {
  duckdbSession,
  progressLog,
  sinkOptions,
  sourceOptions,
  type Transfer,
  type Transferred,
  type TransferServices,
} from "./transfer-run.ts";

export interface TransferToolOptions {
  readonly http?: HttpToolOptions;
  /** As the duckdb tool's: SQL of a source may reach every file and host. */
  readonly externalAccess?: boolean;
}

/**
 * Data: `{direction, source_type, target_type, mode, rows_transferred, chunks_processed,
 * target_table, columns, skipped?, resumed_from?}` (language reference §2.2).
 */
export function transferTool(options: TransferToolOptions = {}): Tool {
  const services: TransferServices = {
    pools: postgresPools(),
    duckdb: duckdbOpener({
      externalAccess: options.externalAccess ?? false,
      extensions: undefined,
      memoryBytesMax: transferMemoryBytesMax,
    }),
    http: options.http ?? {},
  };
  return {
    kind: "transfer",
    run: (config, context) =>
      withDeadline(config, context, async (deadline) => {
        const read = transferConfig(config);
        const transfer: Transfer = { config: read, context, deadline, services };
        try {
          const done = await (read.orderBy === undefined ? whole : resumedTransfer)(transfer);
          return transferOutput(read, done);
        } catch (error) {
          // An abort ends reads and writes in many words; what counts is why.
          throw error instanceof ToolFailure ? error : (deadline.ended() ?? error);
        }
      }),
    close: () => services.pools.close(),
  };
}

function transferOutput({ source, target, mode }: TransferConfig, done: Transferred): Output {
  const { rows, chunks, skipped, columns, table, resumedFrom } = done;
  const data: JsonObject = {
    direction: `${source.type}_to_${target.type}`,
    source_type: source.type,
    target_type: target.type,
    mode,
    rows_transferred: rows,
    chunks_processed: chunks,
    target_table: table,
    columns,
    ...(skipped === 0 ? {} : { skipped }),
    ...(resumedFrom === undefined ? {} : { resumed_from: resumedFrom }),
  };
  return { status: "ok", data };
}

/** The transfer as one piece. */
async function whole(transfer: Transfer): Promise<Transferred> {
  const source = await openSource(transfer);
  try {
    const sink = await openSink(transfer, source);
    try {
      return await copied(transfer, source, sink);
    } catch (error) {
      await sink.rollback();
      throw error;
    }
  } finally {
    await source.close();
  }
}

async function copied(transfer: Transfer, source: Source, sink: Sink): Promise<Transferred> {
  const { deadline, config, context } = transfer;
  const progress = progressLog(context, config.chunkRows);
  let rows = 0;
  for await (const block of source.blocks()) {
    const ended = deadline.ended();
    if (ended !== undefined) throw ended;
    await sink.write(block);
    rows += block.rows;
    progress(rows);
  }
  await sink.commit();
  return {
    rows,
    chunks: Math.ceil(rows / config.chunkRows),
    skipped: source.skipped(),
    columns: source.columns.map(({ name }) => name),
    table: sink.name,
  };
}

// --- ends ---------------------------------------------------------------------------------

async function openSource(transfer: Transfer): Promise<Source> {
  const { services } = transfer;
  const options = sourceOptions(transfer);
  const { type } = transfer.config.source;
  switch (type) {
    case "postgres":
      return postgresSource(services.pools, options);
    case "duckdb": {
      const session = await duckdbSession(services, options);
      return duckdbSource(session, duckdbQuery(options), options);
    }
    case "http":
      return httpSource(services.http, options);
    case "file": {
      const file = await transferFile("source", options.config, options.context.policy.fileRoots);
      return file.format === "parquet"
        ? parquetSource(services.duckdb, file, options)
        : fileSource(file, options);
    }
    default:
      return type satisfies never;
  }
}

async function openSink(transfer: Transfer, source: Source): Promise<Sink> {
  const { services } = transfer;
  const options = sinkOptions(transfer, source);
  const { type } = transfer.config.target;
  switch (type) {
    case "postgres":
      return postgresSink(services.pools, options);
    case "duckdb":
      return duckdbSink(await duckdbSession(services, options), options);
    case "http":
      return httpSink(services.http, options);
    case "file": {
      const file = await transferFile("target", options.config, options.context.policy.fileRoots);
      return file.format === "parquet"
        ? parquetSink(services.duckdb, file, options)
        : fileSink(file, options);
    }
    default:
      return type satisfies never;
  }
}
