// Holds the scanner to what the rules rely on: code stays where it was, text and comments do not.
import { expect, test } from "bun:test";
import { scan } from "./scanner.ts";

const texts = (source: string) => scan(source).strings.map(({ text }) => text);

test("keeps every offset and every line", () => {
  const source = 'const a = "b"; // c\n/* d\n e */ const f = `g\n${h}`;\n';

  const { code } = scan(source);

  expect(code.length).toBe(source.length);
  expect(code.split("\n").length).toBe(source.split("\n").length);
  expect(code).toBe('const a = " ";     \n    \n      const f = ` \n${h}`;\n');
});

test("reads strings with escapes and templates with code inside", () => {
  expect(texts('f("a\\"b", \'c\')')).toEqual(['a\\"b', "c"]);
  expect(texts("`a${{ b: `c${d}e` }.b}f`")).toEqual(["a", "c", "e", "f"]);
  expect(scan("`a${ process }b`").code).toBe("` ${ process } `");
});

test("follows a string over a line end behind a backslash", () => {
  expect(texts('f("a\\\nb", "c")')).toEqual(["a\\\nb", "c"]);
  expect(texts('f("a\\\r\nb", "c")')).toEqual(["a\\\r\nb", "c"]);
});

test("takes no comment mark inside a string, and no quote inside a comment", () => {
  expect(scan('"// no" + 1').comments).toEqual([]);
  expect(scan("// it's\nDate").code).toBe("       \nDate");
});

test("tells a regular expression from a division", () => {
  expect(scan('a.replace(/"/g, x)').strings).toEqual([]);
  expect(scan("return /[/']/.test(a)").code).toBe("return /    /.test(a)");
  expect(scan('a / b / "c"').strings.map(({ text }) => text)).toEqual(["c"]);
  expect(scan("(a + b) / c // d").comments.map(({ text }) => text)).toEqual(["// d"]);
});

test("ends an open string at its line, so one mistake costs one line", () => {
  expect(scan("<p>don't</p>\nDate").code.endsWith("\nDate")).toBe(true);
});

test("treats the first line of a program as a comment", () => {
  expect(scan("#!/usr/bin/env bun\na").comments.length).toBe(1);
});
