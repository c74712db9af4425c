// `bun run dev:distributed [--port N]`: the distributed shape on this machine, as `noetl dev` is the
// embedded one: two control planes and two workers over PostgreSQL and NATS, until it is told to
// stop. Everything it stored is gone then.

import { ensureDependencies } from "./install.ts";
import { ensureSystemPackages } from "./system-packages.ts";

ensureDependencies();
process.exitCode = ensureSystemPackages() ? await main(process.argv.slice(2)) : 1;

async function main([flag, given, ...rest]: readonly string[]): Promise<number> {
  const port = flag === undefined ? 8082 : Number(given);
  if ((flag !== undefined && flag !== "--port") || rest.length > 0 || !Number.isInteger(port)) {
    console.error("usage: bun run dev:distributed [--port N]");
    return 2;
  }
  const { runDistributed } = await import("./run-distributed.ts");
  return runDistributed(port);
}
