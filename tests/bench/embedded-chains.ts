// What a step costs in the embedded shape on PGlite: alone, and in a crowd of chains.

import { join } from "node:path";
import type { Measurement } from "#scripts/bench-figure";
import { repositoryRoot } from "#scripts/install";
import type { ChainsFound } from "./chains-process.ts";

const program = join(repositoryRoot, "tests/bench/chains-process.ts");
const megabyte = 1_000_000;

async function take(quick: boolean): Promise<readonly number[]> {
  const command = [process.execPath, program, ...(quick ? ["--quick"] : [])];
  const child = Bun.spawn(command, { stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const [out, errors] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  const exitCode = await child.exited;
  if (exitCode !== 0) throw new Error(`the process ended with ${exitCode}: ${lastLine(errors)}`);
  // The program's own last line, in the shape that it exports.
  const found = JSON.parse(lastLine(out)) as ChainsFound;
  return [found.msPerStep, found.stepsPerSecond, found.residentBytesMax / megabyte];
}

function lastLine(text: string): string {
  return text.trimEnd().split("\n").at(-1) ?? "";
}

export const measurements: readonly Measurement[] = [
  {
    targets: [
      { metric: "step of a 10-step chain, one by one", unit: "ms", target: 1.5, better: "lower" },
      { metric: "64 chains at once", unit: "steps/s", target: 2_000, better: "higher" },
      { metric: "memory at most, under these chains", unit: "MB", target: 800, better: "lower" },
    ],
    runs: 3,
    take,
  },
];
