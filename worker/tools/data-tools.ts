// The tools that move data between stores, by kind; each is loaded when its kind is first needed.

import type { DuckdbToolOptions } from "./duckdb.ts";
import type { HttpToolOptions } from "./http.ts";
import type { ToolLoaders } from "./tool.ts";

/** What the operator of a worker says about these tools. */
export interface DataToolOptions {
  /** As for the http tool: transfers from and to web services go through it. */
  readonly http?: HttpToolOptions | undefined;
  /** As for the duckdb tool: transfers, DuckLakes and Parquet files go through it. */
  readonly duckdb?: DuckdbToolOptions | undefined;
}

export function dataTools(options: DataToolOptions = {}): ToolLoaders {
  const { http = {}, duckdb = {} } = options;
  const { externalAccess = false } = duckdb;
  const egress = http.egress === undefined ? {} : { egress: http.egress };
  return {
    nats: async () => (await import("./nats.ts")).natsTool(),
    ducklake: async () => (await import("./ducklake.ts")).ducklakeTool(duckdb),
    s3: async () => (await import("./object.ts")).objectTool("s3", egress),
    gcs: async () => (await import("./object.ts")).objectTool("gcs", egress),
    file: async () => (await import("./object.ts")).objectTool("file"),
    transfer: async () => (await import("./transfer.ts")).transferTool({ http, externalAccess }),
  };
}
