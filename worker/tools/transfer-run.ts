// One transfer on its way: what it was asked to do, what its ends are opened with, and how far it is.

import { transferProgressMs } from "#core/model/data-tool-limits";
import { refuseCredential } from "./auth.ts";
import { type Deadline, textField } from "./call-config.ts";
import type { DuckdbOpener } from "./duckdb-database.ts";
import type { HttpToolOptions } from "./http.ts";
import type { PostgresPools } from "./postgres-pool.ts";
import type { ToolContext } from "./tool.ts";
import type { TransferConfig } from "./transfer-config.ts";
import type { EndOptions, SinkOptions, Source, SourceOptions } from "./transfer-ends.ts";

/** What the ends of transfers share while the tool lives. */
export interface TransferServices {
  readonly pools: PostgresPools;
  readonly duckdb: DuckdbOpener;
  readonly http: HttpToolOptions;
}

/** One transfer on its way. */
export interface Transfer {
  readonly config: TransferConfig;
  readonly context: ToolContext;
  readonly deadline: Deadline;
  readonly services: TransferServices;
}

/** What a transfer came to. */
export interface Transferred {
  readonly rows: number;
  readonly chunks: number;
  readonly skipped: number;
  readonly columns: readonly string[];
  readonly table: string;
  /** Rows that earlier attempts had moved. */
  readonly resumedFrom?: number;
}

/** Logs how far the transfer is, once in a while. */
export function progressLog(context: ToolContext, chunkRows: number): (rows: number) => void {
  let toldAtMs = performance.now();
  return (rows) => {
    const nowMs = performance.now();
    if (nowMs - toldAtMs < transferProgressMs) return;
    toldAtMs = nowMs;
    const chunks = Math.ceil(rows / chunkRows);
    context.log("log", `transferred ${thousands(rows)} rows, ${thousands(chunks)} chunks`);
  };
}

function thousands(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ",");
}

export function sourceOptions({ config, context, deadline }: Transfer): SourceOptions {
  const { mapping, skipsBadRows, source } = config;
  return { config: source.config, context, deadline, mapping, skipsBadRows };
}

export function sinkOptions(transfer: Transfer, source: Pick<Source, "columns">): SinkOptions {
  const { config, context, deadline } = transfer;
  const { mode, keys, create, chunkRows, target } = config;
  const { columns } = source;
  return { config: target.config, context, deadline, mode, keys, create, columns, chunkRows };
}

/** The database of an end in DuckDB. */
export async function duckdbSession({ duckdb }: TransferServices, options: EndOptions) {
  await refuseCredential("duckdb", options.config, options.context);
  const database = textField(options.config, "database", "db_path")?.value ?? ":memory:";
  return duckdb.session(database, options.context);
}
