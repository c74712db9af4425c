// `noetl validate FILE… [--json]`: says whether playbooks are fit to run, and everything that is
// wrong with them, in the form editors and terminals link to: `file:line:column: message`.

import type { Problem } from "#core/playbook/document";
import { parsePlaybook } from "#core/playbook/parse";
import { readText } from "./text-file.ts";

const exitOk = 0;
const exitInvalid = 2;
const usage = "usage: noetl validate FILE… [--json]   (- reads standard input)";

interface ReportedProblem extends Problem {
  readonly severity: "error" | "warning";
}

interface FileReport {
  readonly file: string;
  readonly ok: boolean;
  readonly problems: readonly ReportedProblem[];
}

/**
 * Checks the playbooks in the files named.
 * @returns 0 if all of them are fit to run (warnings allowed), else 2.
 */
export async function validate(argv: readonly string[]): Promise<number> {
  const files = argv.filter((argument) => argument === "-" || !argument.startsWith("-"));
  const unknown = argv.find((argument) => !files.includes(argument) && argument !== "--json");
  if (unknown !== undefined || files.length === 0) {
    const found = unknown === undefined ? "no file" : `unknown option ${unknown}`;
    console.error(`expected a file, found ${found}\n${usage}`);
    return exitInvalid;
  }
  const reports: FileReport[] = [];
  for (const file of files) reports.push(await reportOf(file));
  if (argv.includes("--json")) console.log(JSON.stringify({ files: reports }, null, 2));
  else for (const report of reports) print(report);
  return reports.every((report) => report.ok) ? exitOk : exitInvalid;
}

async function reportOf(file: string): Promise<FileReport> {
  const read = await readText(file);
  if ("unreadable" in read) {
    const problem = { message: read.unreadable, line: 1, column: 1, path: [] };
    return { file, ok: false, problems: [{ ...problem, severity: "error" }] };
  }
  const result = parsePlaybook(read.text);
  const problems = [
    ...(result.ok ? [] : result.problems).map((problem) => reported(problem, "error")),
    ...result.warnings.map((problem) => reported(problem, "warning")),
  ];
  problems.sort((a, b) => a.line - b.line || a.column - b.column);
  return { file, ok: result.ok, problems };
}

function reported(problem: Problem, severity: "error" | "warning"): ReportedProblem {
  return { ...problem, severity };
}

function print({ file, ok, problems }: FileReport): void {
  for (const { line, column, message, severity } of problems) {
    const said = severity === "warning" ? `warning: ${message}` : message;
    console.log(`${file}:${line}:${column}: ${said}`);
  }
  if (ok) console.log(`${file}: ok`);
}
