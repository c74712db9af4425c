// A process of its own that moves `large.csv` of a folder into DuckDB, and tells the most memory it
// had on the way.

import { residentBytesMaxOf } from "#scripts/process-usage";
import { toolContext } from "#tests/tools/context";
import { outcomeOf } from "#tests/tools/outcome-of";
import { transferTool } from "#worker/tools/transfer";

const root = process.argv[2] ?? "";
const tool = transferTool();
const context = toolContext({ policy: { shell: false, fileRoots: [root] }, timeoutMs: 120_000 });
const output = await outcomeOf(
  tool,
  {
    source: { type: "file", path: "large.csv" },
    target: { type: "duckdb", database: "large.duckdb", table: "large", create: true },
  },
  context,
);
await context.closeResources();
await tool.close?.();
const data = output.data as { readonly rows_transferred?: number } | undefined;
const told = {
  rows: data?.rows_transferred ?? 0,
  error: output.error ?? null,
  // The system's own count of a child's usage begins with what its parent held.
  maxRssBytes: residentBytesMaxOf(process.pid),
};
process.stdout.write(JSON.stringify(told));
