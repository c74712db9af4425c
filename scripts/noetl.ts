// `bun run noetl …`: the command line from a checkout. It owns nothing but the first second of a
// fresh clone; the command itself is cli/main.ts, run in this same process.
import { ensureDependencies } from "./install.ts";

ensureDependencies();
const { main } = await import("#cli/main");
process.exitCode = await main(process.argv.slice(2));
