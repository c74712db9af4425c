// `noetl config`: the effective settings, where each comes from, and what is set to no purpose.

import type { Arguments } from "./arguments.ts";
import { readConfiguration } from "./config.ts";
import { exitOk } from "./exit-codes.ts";
import { tableLines } from "./table.ts";

export async function config(args: Arguments): Promise<number> {
  const { settings, warnings } = readConfiguration();
  for (const warning of warnings) console.error(`warning: ${warning}`);
  if (args.has("json")) {
    const shown = settings.map(({ name, shown: value, source }) => ({
      name,
      value: value ?? null,
      source,
    }));
    console.log(JSON.stringify({ settings: shown, warnings }, null, 2));
    return exitOk;
  }
  const rows = settings.map(({ name, shown, source }) => [name, shown ?? "-", source]);
  for (const line of tableLines(["SETTING", "VALUE", "FROM"], rows)) console.log(line);
  return exitOk;
}
