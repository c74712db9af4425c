// A test file with the playbooks that it tests: read, checked, and checked against each other.
// Everything that is wrong is said at once, each at its place.

import { dirname, join } from "node:path";
import type { Problem } from "#core/playbook/document";
import {
  type ParsedTest,
  parsePlaybookTest,
  type TestDocument,
} from "#core/playbook/test-document";
import { catalogPath, neighbours, type PlaybookFile, readPlaybookFile } from "./playbook-files.ts";
import { readText } from "./text-file.ts";

export interface TestFile {
  readonly file: string;
  readonly document: TestDocument;
  readonly main: PlaybookFile;
  /** In the order in which they are registered; `main` is the last. */
  readonly files: readonly PlaybookFile[];
}

export type TestReading =
  | { readonly ok: true; readonly test: TestFile; readonly warnings: readonly string[] }
  /** Every problem as `file:line:column: message`. */
  | { readonly ok: false; readonly problems: readonly string[] };

export async function readTestFile(file: string): Promise<TestReading> {
  const read = await readText(file);
  if ("unreadable" in read) {
    const why = read.unreadable.replace("a playbook file", "a test of playbooks");
    return { ok: false, problems: [`${file}:1:1: ${why}`] };
  }
  const place = ({ line, column, message }: Problem) => `${file}:${line}:${column}: ${message}`;
  const parsed = parsePlaybookTest(read.text);
  const warnings = parsed.warnings.map((problem) => place(problem).replace(": ", ": warning: "));
  if (!parsed.ok) return { ok: false, problems: [...parsed.problems.map(place), ...warnings] };
  const playbooks = readPlaybooks(file, parsed.document);
  if (!playbooks.ok) return { ok: false, problems: [...playbooks.problems, ...warnings] };
  const problems = namesIn(parsed, playbooks).map(place);
  if (problems.length > 0) return { ok: false, problems: [...problems, ...warnings] };
  const { main, files } = playbooks;
  const test = { file, document: parsed.document, main, files };
  return { ok: true, test, warnings: [...warnings, ...playbooks.warnings] };
}

interface Playbooks {
  readonly main: PlaybookFile;
  readonly files: readonly PlaybookFile[];
}

function readPlaybooks(
  testFile: string,
  { playbook, playbooks }: TestDocument,
):
  | (Playbooks & { readonly ok: true; readonly warnings: readonly string[] })
  | { readonly ok: false; readonly problems: readonly string[] } {
  const readings = [...playbooks, playbook].map((name) =>
    readPlaybookFile(join(dirname(testFile), name)),
  );
  const problems = readings.flatMap((reading) => (reading.ok ? [] : reading.problems));
  const read = readings.flatMap((reading) => (reading.ok ? [reading.playbook] : []));
  const main = read.at(-1);
  if (problems.length > 0 || main === undefined) return { ok: false, problems };
  // The same as `noetl run` finds them: those that are named come after, and win.
  const beside = read.flatMap(neighbours).filter(({ file }) => !isOneOf(read, file));
  const files = [...new Map(beside.map((each) => [each.file, each])).values(), ...read];
  const warnings = readings.flatMap((reading) => (reading.ok ? reading.warnings : []));
  return { ok: true, main, files, warnings };
}

function isOneOf(files: readonly PlaybookFile[], file: string): boolean {
  return files.some((known) => known.file === file);
}

function namesIn({ against }: ParsedTest, { main, files }: Playbooks): readonly Problem[] {
  const byPath = new Map(files.map(({ document }) => [catalogPath(document), document]));
  return against({ main: main.document, byPath });
}
