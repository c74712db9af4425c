// What `noetl test` says: a line for each test, why one failed, and how many did.

import type { MockDocument, Remark } from "#core/playbook/test-document";
import { durationText } from "./terminal-text.ts";
import type { TestFile } from "./test-file.ts";
import type { TestResult } from "./test-run.ts";

export interface FileResult {
  readonly file: string;
  readonly tests: readonly TestResult[];
  /** Of the file as a whole: mocks that no test used. */
  readonly warnings: readonly string[];
}

const indent = "     ";

/** `ok   retries twice, then stores (3 600 s in 12 ms)`, and under a failure what it was. */
export function resultLines({
  file,
  result,
  verbose,
}: {
  file: TestFile;
  result: TestResult;
  verbose: boolean;
}): readonly string[] {
  const { name, ok, problems, story, warnings, virtualMs, realMs } = result;
  const took = `(${secondsText(virtualMs)} s in ${durationText(realMs)})`;
  const place = file.document.tests.find((test) => test.name === name)?.place;
  const at = place === undefined ? file.file : `${file.file}:${place.line}:${place.column}`;
  const told = ok && !verbose ? [] : story;
  return [
    `${ok ? "ok  " : "FAIL"} ${name} ${took}`,
    ...(ok ? [] : [`${indent}${at}`]),
    ...problems.map((problem) => `${indent}${problem}`),
    ...warnings.map((remark) => `${indent}${remarkText(file.file, remark)}`),
    ...told.map((line) => `${indent}| ${line}`),
  ];
}

function remarkText(file: string, { place: { line, column }, message }: Remark): string {
  return `${file}:${line}:${column}: warning: ${message}`;
}

/** `0`, `2.5`, `3 600`. */
function secondsText(durationMs: number): string {
  const seconds = durationMs / 1_000;
  const [whole = "0", part] = String(Number(seconds.toFixed(seconds < 100 ? 1 : 0))).split(".");
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, " ");
  return part === undefined ? grouped : `${grouped}.${part}`;
}

/** A mock that no test of the file came to use stands there in vain, or for another call. */
export function unusedWarnings(
  { file, document }: TestFile,
  results: readonly TestResult[],
): readonly string[] {
  const unused = results.map((result) => new Set(result.unusedMocks));
  const isOfAll = (mock: MockDocument): boolean => unused.every((mocks) => mocks.has(mock));
  const shared = new Set(document.defaultMocks);
  const own = results.flatMap(({ unusedMocks }) => unusedMocks.filter((mock) => !shared.has(mock)));
  const wholly = results.length === document.tests.length;
  const inVain = [...own, ...(wholly ? document.defaultMocks.filter(isOfAll) : [])];
  return inVain.map(({ step, place }) =>
    remarkText(file, { place, message: `this mock of step ${step} was never used` }),
  );
}

/** `5 passed, 1 failed`. */
export function countLine(files: readonly FileResult[]): string {
  const results = files.flatMap(({ tests }) => tests);
  const failed = results.filter(({ ok }) => !ok).length;
  return `${results.length - failed} passed, ${failed} failed`;
}

export function reportOf(files: readonly FileResult[]) {
  return {
    files: files.map(({ file, tests, warnings }) => ({
      file,
      warnings,
      tests: tests.map(({ name, ok, problems, virtualMs, realMs, warnings: own }) => ({
        ...{ name, ok, problems, warnings: own.map((remark) => remarkText(file, remark)) },
        virtual_s: virtualMs / 1_000,
        ms: Math.round(realMs),
      })),
    })),
  };
}
