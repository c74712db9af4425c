// `bun run simulate [--seeds N] [--seed S] [--json] …`: runs the product in virtual time under faults
// chosen by a seed (docs/simulation.md). The simulator stands with the tests, as a program.

import { ensureDependencies, repositoryRoot } from "./install.ts";

ensureDependencies();
const simulator = Bun.spawn(
  [process.execPath, "tests/simulation/main.ts", ...process.argv.slice(2)],
  { cwd: repositoryRoot, stdio: ["ignore", "inherit", "inherit"] },
);
process.exitCode = await simulator.exited;
