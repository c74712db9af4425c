// A process of its own that makes transfers one after the other within a folder, and tells the most
// memory it had on the way. Arguments: the folder, and the configs as JSON.

import type { JsonObject } from "#core/model/json";
import { residentBytesMaxOf } from "#scripts/process-usage";
import { toolContext } from "#tests/tools/context";
import { outcomeOf } from "#tests/tools/outcome-of";
import { transferTool } from "#worker/tools/transfer";

const [, , root = "", configs = "[]"] = process.argv;
const tool = transferTool();
const rows: number[] = [];
let error: unknown = null;
// The test wrote them.
for (const config of JSON.parse(configs) as readonly JsonObject[]) {
  const context = toolContext({ policy: { shell: false, fileRoots: [root] }, timeoutMs: 120_000 });
  const output = await outcomeOf(tool, config, context);
  await context.closeResources();
  const data = output.data as { readonly rows_transferred?: number } | undefined;
  rows.push(data?.rows_transferred ?? 0);
  error ??= output.error ?? null;
}
await tool.close?.();
// The system's own count of a child's usage begins with what its parent held.
process.stdout.write(JSON.stringify({ rows, error, maxRssBytes: residentBytesMaxOf(process.pid) }));
