// The house rules, as a test: reads every file once and holds each rule of CONTRIBUTING.md that a
// program can hold. A finding names the file, the line, what was found and what to do instead.
import { expect, test } from "bun:test";
import { repositoryRoot } from "#scripts/install";
import { deadFileRule } from "#tests/tidy/dead-files";
import { adapterRule, floorRule, importFormRule } from "#tests/tidy/floors";
import { fileNameRule, identifierRule, purposeRule } from "#tests/tidy/names";
import { ownerRule } from "#tests/tidy/owners";
import { portRule, purityRule } from "#tests/tidy/purity";
import {
  fileLengthRule,
  functionLengthRule,
  lineLengthRule,
  longFunctions,
  parameterRule,
} from "#tests/tidy/sizes";
import { type Finding, formatFinding, type SourceFile, sourceFile } from "#tests/tidy/source";
import { readTree } from "#tests/tidy/tree";
import { codeWordRule, lockfileRule, skipRule, wordRule } from "#tests/tidy/words";

const texts = readTree(repositoryRoot);
const sources = texts.filter(({ path }) => /\.tsx?$/.test(path)).map(sourceFile);

function holds(findings: readonly Finding[]): void {
  if (findings.length > 0) throw new Error(findings.map(formatFinding).join("\n"));
}

const sourceRules: Readonly<Record<string, (file: SourceFile) => readonly Finding[]>> = {
  "imports go down a floor or stay level": floorRule,
  "imports across folders use an alias": importFormRule,
  "only entry files construct adapters": adapterRule,
  "a package is imported by its owner alone": (file) => ownerRule(file),
  "the pure line holds": purityRule,
  "ports hold types only": portRule,
  "identifiers say what a thing is": identifierRule,
  "every file opens with its purpose": purposeRule,
  "no file outgrows the cap": fileLengthRule,
  "no function outgrows the cap": (file) => functionLengthRule(file),
  "no function takes a row of arguments": parameterRule,
  "no line is wider than a screen": lineLengthRule,
  "no hole in the types and no focused test": codeWordRule,
  "a skipped test says why": skipRule,
};

for (const [name, rule] of Object.entries(sourceRules)) {
  test(name, () => holds(sources.flatMap((file) => rule(file))));
}

test("files are named after what they own", () => holds(texts.flatMap(fileNameRule)));

test("nothing speaks of markers, machines, registries or process", () =>
  holds(texts.flatMap(wordRule)));

test("the lockfile holds no address", () => holds(texts.flatMap(lockfileRule)));

test("every file is used", () => holds(deadFileRule(sources, texts)));

test("every exception to the function cap still exists", () => {
  const paths = new Set(sources.map(({ path }) => path));
  const gone = Object.keys(longFunctions).filter((key) => !paths.has(key.split("#")[0] ?? ""));
  expect(gone).toEqual([]);
});

test("the scanner follows every file to its end", () => {
  const lost = sources.filter(({ code }) => !balanced(code)).map(({ path }) => path);
  expect(lost).toEqual([]);
});

test("the tree was read", () => {
  expect(sources.map(({ path }) => path)).toContain("tests/tidy.test.ts");
});

/** Brackets outside of text and comments pair up, unless the scanner took one for the other. */
function balanced(code: string): boolean {
  const open: string[] = [];
  for (const [bracket] of code.matchAll(/[()[\]{}]/g)) {
    const closes = { ")": "(", "]": "[", "}": "{" }[bracket];
    if (closes === undefined) open.push(bracket);
    else if (open.pop() !== closes) return false;
  }
  return open.length === 0;
}
