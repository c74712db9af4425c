// `bun run test [paths…] [bun test flags…]`: everything a fresh machine needs, then the tests, in a
// few processes side by side, then one line that counts. It trusts neither the exit code nor the
// report alone: a file that never loaded, a process that left early and a run of nothing are failures.
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import { installDependencies, repositoryRoot } from "./install.ts";
import { ensureSystemPackages } from "./system-packages.ts";
import { planned, testProcesses, timings } from "./test-plan.ts";
import { type Counts, countLines, countReport, sumOf, type TestReport } from "./test-report.ts";

/** A hang is told from a busy machine by minutes, not by seconds. */
const testTimeoutMs = 120_000;
const nothing: Counts = { passed: 0, failed: 0, skipped: 0 };
const nothingRan: Counts = { ...nothing, failed: 1 };

process.exitCode = await run(process.argv.slice(2));

async function run(argv: readonly string[]): Promise<number> {
  const firstFlag = argv.findIndex((argument) => argument.startsWith("-"));
  const paths = firstFlag === -1 ? argv : argv.slice(0, firstFlag);
  const flags = firstFlag === -1 ? [] : argv.slice(firstFlag);
  if (installDependencies() !== 0 || !ensureSystemPackages()) return close(nothingRan);
  const files = testFiles(paths);
  if (files === undefined) return close(nothingRan);
  const counts = await runTests(files, flags);
  return close(counts);
}

/** Prints the one closing line and answers the exit code that belongs to it. */
function close(counts: Counts): number {
  const { passed, failed, skipped } = counts;
  console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
  return failed === 0 && passed > 0 ? 0 : 1;
}

/**
 * The test files that paths name, relative to the root: a file, a folder, or a part of a path. No
 * paths means all of tests/. A path that names nothing is an error, so a typing mistake can't pass.
 */
function testFiles(paths: readonly string[]): readonly string[] | undefined {
  const all = [...new Bun.Glob("tests/**/*.test.{ts,tsx}").scanSync({ cwd: repositoryRoot })];
  if (paths.length === 0) return all.sort();
  const chosen = new Set<string>();
  for (const path of paths) {
    const matches = filesNamed(path, all);
    if (matches.length === 0) {
      console.error(`no test file is named by ${JSON.stringify(path)}: expected a file or folder`);
      return undefined;
    }
    for (const match of matches) chosen.add(match);
  }
  return [...chosen].sort();
}

function filesNamed(path: string, all: readonly string[]): readonly string[] {
  const asked = relative(repositoryRoot, resolve(path));
  const absolute = resolve(repositoryRoot, asked);
  if (!existsSync(absolute)) return all.filter((file) => file.includes(path));
  if (!statSync(absolute).isDirectory()) return [asked];
  return all.filter((file) => asked === "" || file.startsWith(`${asked}/`));
}

/**
 * Flags are the caller's own words to `bun test`, and mean what they say there only when one process
 * runs all of the files.
 */
async function runTests(files: readonly string[], flags: readonly string[]): Promise<Counts> {
  if (flags.length > 0) return runPart({ files, flags });
  const { shared, waiting, alone } = planned(files);
  const atOnce = await Promise.all([
    runPart({ files: shared, processes: Math.min(testProcesses, shared.length) }),
    runPart({ files: waiting, isHeldBack: shared.length > 0 }),
  ]);
  return sumOf([...atOnce, await runPart({ files: alone })]);
}

type Part = {
  readonly files: readonly string[];
  /** The caller's own; none of the files is missed then. */
  readonly flags?: readonly string[];
  readonly processes?: number;
  /** It says all at its end, so that what others say meanwhile can be read. */
  readonly isHeldBack?: boolean;
};

async function runPart(part: Part): Promise<Counts> {
  const { files, flags = [] } = part;
  if (files.length === 0) return nothing;
  const folder = mkdtempSync(join(tmpdir(), "noetl-test-"));
  const reportPath = join(folder, "report.xml");
  try {
    const ended = await spawnBunTest(part, [
      ...(flags.length > 0 ? flags : sharing(part, folder)),
      "--reporter=junit",
      `--reporter-outfile=${reportPath}`,
    ]);
    if (!existsSync(reportPath)) return lostReport(ended);
    const report = countReport(readFileSync(reportPath, "utf8"));
    return judged({ files: flags.length > 0 ? [] : files, report, exitCode: ended.exitCode });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Flags with which processes take one file after another, the longest first, until none is left. */
function sharing({ files, processes = 1 }: Part, folder: string): readonly string[] {
  if (processes === 1) return [];
  const path = join(folder, "timings.json");
  writeFileSync(path, timings(files));
  // Without the last one, the others begin only after the first has loaded its first file.
  return ["--no-isolate", `--parallel=${processes}`, `--timings=${path}`, "--parallel-delay=0"];
}

type Ended = { readonly exitCode: number; readonly output: string };

/** What the runner prints is passed on as it comes, or in one piece, and kept for the count. */
async function spawnBunTest(part: Part, flags: readonly string[]): Promise<Ended> {
  const command = [process.execPath, "test", `--timeout=${testTimeoutMs}`, ...flags];
  const child = Bun.spawn([...command, ...part.files.map((file) => `./${file}`)], {
    cwd: repositoryRoot,
    env: {
      ...process.env,
      PYTHONDONTWRITEBYTECODE: "1",
      ...(process.stderr.isTTY ? { FORCE_COLOR: "1" } : {}),
    },
    stdin: "ignore",
    stdout: "inherit",
    stderr: "pipe",
  });
  const decoder = new TextDecoder();
  const pieces: string[] = [];
  for await (const bytes of child.stderr) {
    if (part.isHeldBack !== true) process.stderr.write(bytes);
    pieces.push(decoder.decode(bytes, { stream: true }));
  }
  const output = pieces.join("");
  if (part.isHeldBack === true) process.stderr.write(output);
  return { exitCode: await child.exited, output };
}

/** A process that left without its report has failed once more than it had said until then. */
function lostReport(ended: Ended): Counts {
  console.error(`bun test ended with ${ended.exitCode} before its report was written`);
  const said = countLines(ended.output);
  return { ...said, failed: said.failed + 1 };
}

type Run = {
  readonly files: readonly string[];
  readonly report: TestReport;
  readonly exitCode: number;
};

/** Adds what the report leaves out: files that did not load, and errors outside of any test. */
function judged({ files, report, exitCode }: Run): Counts {
  const silent = files.filter((file) => !report.files.has(file));
  for (const file of silent) console.error(`${file}: did not load, or holds no test`);
  const failed = report.counts.failed + silent.length;
  const unexplained = exitCode !== 0 && failed === 0;
  if (unexplained) console.error(`bun test ended with ${exitCode}: an error outside of any test`);
  return { ...report.counts, failed: unexplained ? 1 : failed };
}
