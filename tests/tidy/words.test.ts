// Shows that the rules on words, names, owners and dead files fire on the word and not near it.
import { expect, test } from "bun:test";
import { deadFileRule } from "./dead-files.ts";
import { fileNameRule, identifierRule, purposeRule } from "./names.ts";
import { ownerRule } from "./owners.ts";
import { type Finding, formatFinding, sourceFile } from "./source.ts";
import { codeWordRule, lockfileRule, skipRule, wordRule } from "./words.ts";

const file = (text: string, path = "cli/x.ts") => sourceFile({ path, text });
const rules = (findings: readonly Finding[]) => findings.map(({ rule }) => rule);

test.each([
  ["// TODO later", "marker"],
  ["read /wo" + "rk/a", "machine path"],
  ["cd '/ro" + "ot/x'", "machine path"],
  ["https://registry." + "npmjs.org/bun", "registry address"],
  ["see issue 12", "process word"],
])("refuses the text %s", (text, rule) => {
  expect(rules(wordRule({ path: "README.md", text }))).toEqual([rule]);
});

test.each(["mastodons", "./work/a", "/api/work/a", "a session offers", "an issue arises"])(
  "lets the text %s stand",
  (text) => expect(wordRule({ path: "README.md", text })).toEqual([]),
);

test("reads code words in code and comment words in comments", () => {
  expect(rules(codeWordRule(file("const a = b as any;")))).toEqual(["any"]);
  expect(rules(codeWordRule(file('test.only("a", f);')))).toEqual(["focused test"]);
  expect(rules(codeWordRule(file("\n// @ts-ignore\n")))).toEqual(["silenced compiler"]);
  expect(codeWordRule(file("\n// @ts-ignore\n"))[0]?.line).toBe(2);
  expect(codeWordRule(file('// as any\nconst a = "as any";'))).toEqual([]);
});

test("asks a skipped test for its reason", () => {
  expect(rules(skipRule(file('test.skip("a", f);')))).toEqual(["skipped test"]);
  expect(rules(skipRule(file('test.skipIf(b)("a", f);')))).toEqual(["skipped test"]);
  expect(skipRule(file('// Needs a browser.\ntest.skip("a", f);'))).toEqual([]);
});

test("refuses drawers and other spellings as file names", () => {
  const named = (path: string) => fileNameRule({ path, text: "" }).length;

  const refused = ["core/utils/a.ts", "cli/string-helpers.ts", "core/types.ts", "cli/RunIt.ts"];
  const allowed = ["core/model/event.ts", "tests/tidy.test.ts", "README.md", "core/prototypes.ts"];

  expect(refused.map(named)).toEqual([1, 1, 1, 1]);
  expect(allowed.map(named)).toEqual([0, 0, 0, 0]);
});

test("refuses empty suffixes and the interface prefix", () => {
  expect(rules(identifierRule(file("class BusImpl {}")))).toEqual(["identifier"]);
  expect(rules(identifierRule(file("interface IBus {}")))).toEqual(["identifier"]);
  expect(identifierRule(file("type Input = 1; type IndexedRow = 2; const manager = 3;"))).toEqual(
    [],
  );
});

test("asks every file for its purpose, after the line that starts a program", () => {
  expect(purposeRule(file("const a = 1;")).length).toBe(1);
  expect(purposeRule(file("// Owns a.\nconst a = 1;"))).toEqual([]);
  expect(purposeRule(file("#!/usr/bin/env bun\n// Owns a.\n"))).toEqual([]);
});

test("lets a package be imported by its owner and by tests", () => {
  const table = { "@a/b": ["core/playbook/"], bun: ["cli/"] };
  const owned = (path: string, text: string) => ownerRule(file(text, path), table).length;

  expect(owned("core/playbook/parse.ts", 'import { c } from "@a/b/c";')).toBe(0);
  expect(owned("tests/unit/a.test.ts", 'import { c } from "@a/b";')).toBe(0);
  expect(owned("core/engine/a.ts", 'import { c } from "@a/b";')).toBe(1);
  expect(owned("tests/unit/a.test.ts", 'import { c } from "left-pad";')).toBe(1);
  expect(owned("worker/a.ts", 'import { join } from "node:path";')).toBe(0);
  expect(owned("worker/a.ts", 'import { Database } from "bun:sqlite";')).toBe(1);
});

test("refuses addresses in the lockfile alone", () => {
  const text = '"a": ["a@1.0.0", "https://example.com/a.tgz"]';

  expect(rules(lockfileRule({ path: "bun.lock", text }))).toEqual(["lockfile"]);
  expect(lockfileRule({ path: "README.md", text })).toEqual([]);
});

test("finds the file that nothing imports, starts or names", () => {
  const files = [
    file('import "#core/a";\nimport "./used.ts";', "cli/main.ts"),
    file("", "cli/used.ts"),
    file("", "core/a.ts"),
    file('new Worker(new URL("./thread.ts", import.meta.url));', "worker/main.ts"),
    file("", "worker/thread.ts"),
    file("", "scripts/run.ts"),
    file('import "./lonely.ts";', "core/lonely.ts"),
  ];
  const texts = [
    { path: "package.json", text: '{"run": "bun scripts/run.ts"}' },
    { path: "README.md", text: "core/lonely.ts" },
  ];

  expect(deadFileRule(files, texts).map(({ path }) => path)).toEqual(["core/lonely.ts"]);
});

test("prints a finding as a link for editors", () => {
  const finding = { path: "a.ts", line: 3, rule: "marker", message: "found b; do c" };

  expect(formatFinding(finding)).toBe("a.ts:3: marker: found b; do c");
});
