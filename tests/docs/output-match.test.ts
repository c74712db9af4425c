// The comparison itself: what it lets pass and what it does not.
import { describe, expect, test } from "bun:test";
import { matchesShown, normalised } from "./output-match.ts";

const matches = (shown: string, output: string): boolean => matchesShown(shown, output, new Map());

describe("what a page shows", () => {
  test("matches another run of the same command", () => {
    const shown = 'execution 382775374263619584 completed in 68 ms\nresult: {"a":1}';
    const output = 'execution 482775374263619501 completed in 1.2 s\nresult: {"a":1}\n';
    expect(matches(shown, output)).toBe(true);
    expect(matches(shown, output.replace('"a":1', '"a":2'))).toBe(false);
    expect(matches(shown, output.replace("completed", "failed"))).toBe(false);
  });

  test("must show the first and the last line", () => {
    expect(matches("b", "a\nb\n")).toBe(false);
    expect(matches("a", "a\nb\n")).toBe(false);
    expect(matches("", "a\n")).toBe(false);
    expect(matches("", "")).toBe(true);
    expect(matchesShown("a", "a\nb\n", new Map(), { openEnd: true })).toBe(true);
    expect(matchesShown("b", "a\nb\n", new Map(), { openEnd: true })).toBe(false);
  });

  test("may leave out the rest of a line, and lines", () => {
    expect(matches("a: …", "a: b c\n")).toBe(true);
    expect(matches("a: …", "b: c\n")).toBe(false);
    expect(matches("a\n…\nd", "a\nb\nc\nd\n")).toBe(true);
    expect(matches("a\n…\nd", "a\nb\nc\n")).toBe(false);
  });

  test("means one id wherever it shows it, and teaches it", () => {
    const ids = new Map<string, string>();
    const [shown, own, other] = ["382775374263619584", "111111111111111111", "222222222222222222"];
    expect(matchesShown(`${shown} ${shown}`, `${own} ${other}\n`, ids)).toBe(false);
    expect(ids.size).toBe(0);
    expect(matchesShown(`${shown} ${shown}`, `${own} ${own}\n`, ids)).toBe(true);
    expect(ids.get(shown)).toBe(own);
    expect(matchesShown(shown, `${other}\n`, ids)).toBe(false);
  });

  test("takes signs for themselves", () => {
    expect(matches("a.b (c) [d] $e", "a.b (c) [d] $e\n")).toBe(true);
    expect(matches("a.b", "axb\n")).toBe(false);
  });

  test("is compared with its volatile parts named", () => {
    expect(normalised(`at 127.0.0.1:8082 in 5 ms, ${"0".repeat(64)}`)).toBe(
      "at <address> in <took>, <digest>",
    );
  });
});
