// Shows what the measuring of functions counts, and that each cap fires just above its number.
import { expect, test } from "bun:test";
import { functionsOf } from "./functions.ts";
import { fileLengthRule, functionLengthRule, lineLengthRule, parameterRule } from "./sizes.ts";
import { sourceFile } from "./source.ts";

const file = (text: string) => sourceFile({ path: "cli/x.ts", text });
const lines = (count: number) => "  go();\n".repeat(count);

test("finds declarations, methods and arrows, past types with braces", () => {
  const text = [
    "export async function first<T extends { a: 1 }>(a: T, b: number): Promise<{ c: T }> {",
    "  return b;",
    "}",
    "const second = ({ a, b }: { a: 1; b: 2 }): { c: 3 } | undefined => {",
    "  if (a) { b(); }",
    "};",
    "class Third {",
    "  #fourth(a: string, b = [1, 2]): asserts a is X {",
    "  }",
    "}",
    "function fifth(): { a: 1 } | Map<string, { b: 2 }> {",
    "  return a;",
    "}",
    "function overload(a: string): string;",
    "call(a, b);",
  ].join("\n");

  const seen = functionsOf(file(text)).map(
    ({ name, ownLines, parameters }) => `${name} ${ownLines} ${parameters}`,
  );

  expect(seen).toEqual(["first 3 2", "second 3 1", "#fourth 2 2", "fifth 3 0"]);
});

test("counts a closure for itself and not for the function around it", () => {
  const text = `function outer() {\n  const inner = () => {\n${lines(45)}  };\n${lines(20)}}\n`;

  const seen = functionsOf(file(text)).map(({ name, ownLines }) => `${name} ${ownLines}`);

  expect(seen).toEqual(["outer 22", "inner 47"]);
});

test("caps a function at fifty lines, callbacks included", () => {
  const rule = (text: string) => functionLengthRule(file(text), {}).map(({ message }) => message);

  expect(rule(`function f() {\n${lines(48)}}\n`)).toEqual([]);
  expect(rule(`function f() {\n${lines(49)}}\n`)).toEqual([
    "f has 51 lines, the cap is 50; give a part a name",
  ]);
  expect(rule(`run(() => {\n${lines(60)}});\n`).length).toBe(1);
  expect(rule(`describe("a", () => {\n${lines(60)}});\n`)).toEqual([]);
  expect(rule(`test("a", () => {\n${lines(60)}});\n`).length).toBe(1);
  expect(rule(`function suite() {\n  test("a", () => {\n  });\n${lines(60)}}\n`)).toEqual([]);
});

test("lets an exception shrink and never grow", () => {
  const rule = (count: number) =>
    functionLengthRule(file(`function f() {\n${lines(count)}}\n`), { "cli/x.ts#f": 60 }).length;

  expect([rule(57), rule(58), rule(59)]).toEqual([1, 0, 1]);
});

test("caps files, lines and rows of arguments", () => {
  expect(fileLengthRule(file("a\n".repeat(400)))).toEqual([]);
  expect(fileLengthRule(file("a\n".repeat(401))).length).toBe(1);
  expect(lineLengthRule(file("a".repeat(120)))).toEqual([]);
  expect(lineLengthRule(file("a".repeat(121))).length).toBe(1);
  expect(lineLengthRule(file(`// https://example.com/${"a".repeat(121)}`))).toEqual([]);
  expect(lineLengthRule(file(`  test("${"a ".repeat(60)}", () => {`))).toEqual([]);
  expect(parameterRule(file("function f(a, b, c, { d, e }) {}"))).toEqual([]);
  expect(parameterRule(file("function f(a, b, c, d, e) {}")).length).toBe(1);
  expect(parameterRule(file("const f = (a: Map<b, c>, d: (e: 1, f: 2) => 3) => {};"))).toEqual([]);
});
