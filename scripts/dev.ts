// `bun run dev [flags of noetl dev]`: from a fresh clone to a running platform. It installs what
// is missing; the rest is `noetl dev`, in this same process.
import { ensureDependencies } from "./install.ts";

ensureDependencies();
const { main } = await import("#cli/main");
process.exitCode = await main(["dev", ...process.argv.slice(2)]);
