// `noetl test FILE…`: runs the tests that stand beside playbooks, each in a house of its own whose
// time passes by itself. What is not a test is said with its place, and nothing is run.

import { dirname, resolve } from "node:path";
import type { PlaybookTest } from "#core/playbook/test-document";
import type { BuiltinToolOptions } from "#worker/registry";
import { type Arguments, UsageError } from "./arguments.ts";
import { exitFailed, exitOk, exitUsage } from "./exit-codes.ts";
import { readTestFile, type TestFile } from "./test-file.ts";
import { type RealTools, realTools } from "./test-real.ts";
import {
  countLine,
  type FileResult,
  reportOf,
  resultLines,
  unusedWarnings,
} from "./test-report.ts";
import type { TestResult } from "./test-run.ts";

/** @returns 0 when all passed, 1 when one failed, 2 for a file that is no test of playbooks. */
export async function test(args: Arguments): Promise<number> {
  const readings = await Promise.all(args.operands.map(readTestFile));
  const problems = readings.flatMap((reading) => (reading.ok ? [] : reading.problems));
  const warnings = readings.flatMap((reading) => (reading.ok ? reading.warnings : []));
  for (const line of [...problems, ...warnings]) console.error(line);
  if (problems.length > 0) return exitUsage;
  const files = readings.flatMap((reading) => (reading.ok ? [reading.test] : []));
  const chosen = chosenTests(files, args.text("filter"));
  const tools = realTools(embeddedSettings);
  try {
    const results: FileResult[] = [];
    for (const { file, tests } of chosen) results.push(await runFile(file, tests, { args, tools }));
    if (args.has("json")) console.log(JSON.stringify(reportOf(results), null, 2));
    else console.log(countLine(results));
    return results.every((result) => result.tests.every(({ ok }) => ok)) ? exitOk : exitFailed;
  } finally {
    await tools.close();
  }
}

interface Chosen {
  readonly file: TestFile;
  readonly tests: readonly PlaybookTest[];
}

/** @throws UsageError when there is nothing to run. */
function chosenTests(files: readonly TestFile[], filter: string | undefined): readonly Chosen[] {
  const chosen = files.map((file) => ({
    file,
    tests: file.document.tests.filter(({ name }) => filter === undefined || name.includes(filter)),
  }));
  if (chosen.some(({ tests }) => tests.length > 0)) return chosen;
  const names = files.flatMap(({ document }) => document.tests.map(({ name }) => name));
  throw new UsageError(
    `--filter ${filter ?? ""}: no test has it in its name (${names.join("; ")})`,
  );
}

interface Running {
  readonly args: Arguments;
  readonly tools: RealTools;
}

async function runFile(
  file: TestFile,
  tests: readonly PlaybookTest[],
  { args, tools }: Running,
): Promise<FileResult> {
  const { runTest } = await import("./test-run.ts");
  const { files, main } = file;
  const unmatched = args.has("real") ? "real" : file.document.unmatched;
  const document = { ...file.document, unmatched } as const;
  const fileRoots = [resolve(dirname(file.file)), process.cwd()];
  const policy = { shell: true, fileRoots };
  const isQuiet = args.has("json");
  const verbose = args.has("verbose");
  const results: TestResult[] = [];
  for (const each of tests) {
    const result = await runTest({
      ...{ document, files, main, policy },
      test: each,
      real: tools.tool,
    });
    results.push(result);
    if (isQuiet) continue;
    for (const line of resultLines({ file, result, verbose })) console.log(line);
  }
  const warnings = unusedWarnings(file, results);
  if (!isQuiet) for (const warning of warnings) console.log(warning);
  return { file: file.file, tests: results, warnings };
}

/** What this machine's settings say of tools; only tools with I/O ask for it. */
async function embeddedSettings(): Promise<BuiltinToolOptions> {
  const { configured, embeddedTools } = await import("./config.ts");
  return embeddedTools(configured());
}
