// How long it takes from a command to its first answer, and what an idle platform holds in memory.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readDevFile } from "#cli/dev-file";
import { preparedDatabase } from "#cli/prepared-database";
import type { Measurement } from "#scripts/bench-figure";
import { repositoryRoot } from "#scripts/install";

const pollMs = 5;
const startMsMax = 60_000;
/** How long a platform has had nothing to do before its memory is read. */
const idleMs = 3_000;
const kibibyte = 1_024;
const megabyte = 1_000_000;

/** Away from the caller's own settings, and with files of its own. */
function start(directory: string, argv: readonly string[]) {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith("NOETL_"));
  return Bun.spawn([process.execPath, ...argv], {
    cwd: repositoryRoot,
    env: { ...Object.fromEntries(own), DATABASE_URL: "", NOETL_DIRECTORY: directory },
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
  });
}

async function inDirectory<Result>(work: (directory: string) => Promise<Result>): Promise<Result> {
  const directory = mkdtempSync(join(tmpdir(), "noetl-bench-"));
  try {
    return await work(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function helloSeconds(directory: string): Promise<number> {
  const startedAtMs = performance.now();
  const child = start(directory, ["scripts/noetl.ts", "run", "examples/hello.yaml"]);
  const errors = await new Response(child.stderr).text();
  const exitCode = await child.exited;
  if (exitCode !== 0) throw new Error(`noetl run ended with ${exitCode}: ${errors.trim()}`);
  return (performance.now() - startedAtMs) / 1_000;
}

/** Starts a platform, hands it over once it is well, and stops it. */
async function withDev<Found>(
  directory: string,
  look: (seconds: number, pid: number) => Promise<Found>,
): Promise<Found> {
  const startedAtMs = performance.now();
  const dev = start(directory, ["scripts/dev.ts", "--port", "0"]);
  try {
    await answering(directory, dev, startedAtMs + startMsMax);
    return await look((performance.now() - startedAtMs) / 1_000, dev.pid);
  } finally {
    dev.kill("SIGTERM");
    await dev.exited;
  }
}

async function answering(
  directory: string,
  dev: ReturnType<typeof start>,
  deadlineMs: number,
): Promise<void> {
  while (performance.now() < deadlineMs) {
    if (dev.exitCode !== null) {
      throw new Error(`noetl dev ended: ${(await new Response(dev.stderr).text()).trim()}`);
    }
    const file = readDevFile(directory);
    if (file !== undefined && file.pid === dev.pid && (await isWell(file.url))) return;
    await Bun.sleep(pollMs);
  }
  throw new Error(`noetl dev does not answer within ${startMsMax} ms`);
}

async function isWell(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/api/health`)).ok;
  } catch {
    return false;
  }
}

function residentBytes(pid: number): number {
  let status: string;
  try {
    status = readFileSync(`/proc/${pid}/status`, "utf8");
  } catch {
    throw new Error("memory can be read where there is /proc, expected Linux");
  }
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
  if (kibibytes === undefined) throw new Error(`/proc/${pid}/status has no VmRSS`);
  return Number(kibibytes) * kibibyte;
}

/** First start, a later one on the same directory, and the memory of that one. */
async function devFound(directory: string, quick: boolean): Promise<readonly number[]> {
  await preparedDatabase();
  const first = await withDev(directory, async (seconds) => seconds);
  return withDev(directory, async (later, pid) => {
    await Bun.sleep(quick ? 0 : idleMs);
    return [first, later, residentBytes(pid) / megabyte];
  });
}

export const measurements: readonly Measurement[] = [
  {
    targets: [{ metric: "noetl run examples/hello.yaml", unit: "s", target: 0.6, better: "lower" }],
    runs: 7,
    take: () => inDirectory(async (directory) => [await helloSeconds(directory)]),
  },
  {
    targets: [
      { metric: "first noetl dev, until it answers", unit: "s", target: 3, better: "lower" },
      { metric: "later noetl dev, until it answers", unit: "s", target: 1.5, better: "lower" },
      { metric: "memory of an idle noetl dev", unit: "MB", target: 500, better: "lower" },
    ],
    runs: 3,
    take: (quick) => inDirectory((directory) => devFound(directory, quick)),
  },
];
