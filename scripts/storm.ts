// `bun run storm [--seconds N] [--seed S] [--scenario NAME] [--json]`: the distributed shape as real
// processes under a steady load, with kills and cuts chosen by a seed; with `--cursor`, under one queue
// that workers are killed over (docs/storm.md).

import { ensureDependencies } from "./install.ts";
import { ensureSystemPackages } from "./system-packages.ts";

ensureDependencies();
process.exitCode = ensureSystemPackages() ? await main() : 1;

async function main(): Promise<number> {
  const { stormMain } = await import("./storm-main.ts");
  return stormMain(process.argv.slice(2));
}
