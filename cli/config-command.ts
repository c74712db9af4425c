// `noetl config`: the effective settings of every process, where each comes from, and what is set
// to no purpose.

import type { Arguments } from "./arguments.ts";
import { configurationOf, processes } from "./config.ts";
import { exitOk } from "./exit-codes.ts";
import { tableLines } from "./table.ts";

export async function config(args: Arguments): Promise<number> {
  const read = processes.map((one) => ({ ...one, ...configurationOf(one.settings) }));
  const warnings = read[0]?.warnings ?? [];
  for (const warning of warnings) console.error(`warning: ${warning}`);
  const rows = read.flatMap(({ process, shown }) => shown.map((one) => ({ process, ...one })));
  if (args.has("json")) {
    const settings = rows.map(({ name, shown: value, source, process }) => ({
      name,
      value: value ?? null,
      source,
      process,
    }));
    console.log(JSON.stringify({ settings, warnings }, null, 2));
    return exitOk;
  }
  const cells = rows.map(({ name, shown, source, process }) => [
    name,
    shown ?? "-",
    source,
    process,
  ]);
  for (const line of tableLines(["SETTING", "VALUE", "FROM", "OF"], cells)) console.log(line);
  return exitOk;
}
