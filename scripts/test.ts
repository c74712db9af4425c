// `bun run test [paths…] [bun test flags…]`: everything a fresh machine needs, then one `bun test`
// process, then one line that counts. It trusts neither the exit code nor the report alone: a file
// that never loaded, a process that left early and a run of nothing are failures.
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import { installDependencies, repositoryRoot } from "./install.ts";
import { ensureSystemPackages } from "./system-packages.ts";
import { type Counts, countLines, countReport, type TestReport } from "./test-report.ts";

const testTimeoutMs = 60_000;
const nothingRan: Counts = { passed: 0, failed: 1, skipped: 0 };

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

async function runTests(files: readonly string[], flags: readonly string[]): Promise<Counts> {
  const folder = mkdtempSync(join(tmpdir(), "noetl-test-"));
  const reportPath = join(folder, "report.xml");
  try {
    const ended = await spawnBunTest(files, [
      ...flags,
      "--reporter=junit",
      `--reporter-outfile=${reportPath}`,
    ]);
    if (!existsSync(reportPath)) return lostReport(ended);
    const report = countReport(readFileSync(reportPath, "utf8"));
    return judged({ files: flags.length === 0 ? files : [], report, exitCode: ended.exitCode });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

type Ended = { readonly exitCode: number; readonly output: string };

/** One process for all files; what it prints is passed on as it comes, and kept for the count. */
async function spawnBunTest(files: readonly string[], flags: readonly string[]): Promise<Ended> {
  const command = [process.execPath, "test", `--timeout=${testTimeoutMs}`, ...flags];
  const child = Bun.spawn([...command, ...files.map((file) => `./${file}`)], {
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
    process.stderr.write(bytes);
    pieces.push(decoder.decode(bytes, { stream: true }));
  }
  return { exitCode: await child.exited, output: pieces.join("") };
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
