// Owns the caps on size: lines of a file, of a function, of a row, and parameters of a function.
// Exceptions are named with a number each, and the number may only shrink.
import { functionsOf } from "./functions.ts";
import type { Finding, SourceFile } from "./source.ts";

const fileLinesMax = 400;
const functionLinesMax = 50;
const lineColumnsMax = 120;
/** Three positional parameters, then one object of options. */
const parametersMax = 4;

/**
 * Functions that are longer than the cap, as `path#name` with the lines each has today. Shorter is
 * an error too: lower the number, so that what was won stays won.
 */
export const longFunctions: Readonly<Record<string, number>> = {};

const listBegins = /^\s*describe\b/;
const testBegins = /^\s*(?:test|it|describe)(?:\.\w+)*\(/;

/** The first row is the function's own: a test is no list of tests, but a `describe` is. */
function holdsTests(rows: readonly string[]): boolean {
  return listBegins.test(rows[0] ?? "") || rows.slice(1).some((row) => testBegins.test(row));
}

/** A file that outgrows the cap holds more than one thing. */
export function fileLengthRule({ path, text }: SourceFile): readonly Finding[] {
  const lines = text.split("\n").length - (text.endsWith("\n") ? 1 : 0);
  if (lines <= fileLinesMax) return [];
  const message = `found ${lines} lines, the cap is ${fileLinesMax}; split it by what it owns`;
  return [{ path, line: lines, rule: "file length", message }];
}

/** A row that can't be broken: an address, or the sentence that names a test. */
const unbreakable = /:\/\/|^\s*(?:test|it|describe)[\w.]*\((?:"|'|`)/;

/** Rows wider than a screen, other than those that can't be broken. */
export function lineLengthRule({ path, text }: SourceFile): readonly Finding[] {
  return text.split("\n").flatMap((row, index) => {
    if (row.length <= lineColumnsMax || unbreakable.test(row)) return [];
    const message = `found ${row.length} columns, the cap is ${lineColumnsMax}; break the line`;
    return [{ path, line: index + 1, rule: "line length", message }];
  });
}

/**
 * A function fits on a screen. One that holds tests (a `describe`, a contract suite) is a list of
 * them, not a function to understand: each test in it is measured by itself.
 */
export function functionLengthRule(
  file: SourceFile,
  exceptions: Readonly<Record<string, number>> = longFunctions,
): readonly Finding[] {
  const rows = file.text.split("\n");
  return functionsOf(file).flatMap(({ name, line, lastLine, ownLines }) => {
    if (holdsTests(rows.slice(line - 1, lastLine))) return [];
    const allowed = exceptions[`${file.path}#${name}`] ?? functionLinesMax;
    const finding = (message: string) => [
      { path: file.path, line, rule: "function length", message },
    ];
    if (ownLines > allowed) {
      return finding(`${name} has ${ownLines} lines, the cap is ${allowed}; give a part a name`);
    }
    if (allowed > functionLinesMax && ownLines < allowed) {
      return finding(`${name} shrank to ${ownLines} lines; lower its number from ${allowed}`);
    }
    return [];
  });
}

/** Positional arguments beyond the third are read wrongly at the call. */
export function parameterRule(file: SourceFile): readonly Finding[] {
  return functionsOf(file)
    .filter(({ parameters }) => parameters > parametersMax)
    .map(({ name, line, parameters }) => ({
      path: file.path,
      line,
      rule: "parameters",
      message: `${name} takes ${parameters}; three at most, then one readonly object of options`,
    }));
}
