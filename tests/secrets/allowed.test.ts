// Patterns of paths, and who may use a credential.

import { expect, test } from "bun:test";
import { matchesPath, mayUse } from "#control/secrets/allowed";

test.each([
  ["etl/daily", "etl/daily", true],
  ["etl/daily", "etl/daily2", false],
  ["etl/*", "etl/daily", true],
  ["etl/*", "etl/daily/load", false],
  ["etl/**", "etl/daily/load", true],
  ["etl/**", "etl", false],
  ["**", "", true],
  ["**/load", "etl/daily/load", true],
  ["*/x/**/y", "a/x/b/c/y", true],
  ["etl/d*y", "etl/daily", true],
  ["etl/d*y", "etl/da/y", false],
  ["*", "*", true],
  ["a.c", "abc", false],
  ["ž*", "žluť", true],
  ["", "", true],
  ["", "x", false],
])("pattern %j against path %j: %p", (pattern, path, expected) => {
  expect(matchesPath(pattern, path)).toBe(expected);
});

test("a pattern of many stars takes no longer than its length", () => {
  const pattern = "**a".repeat(100);
  expect(matchesPath(`${pattern}b`, "a".repeat(2_000))).toBe(false);
  expect(matchesPath(pattern, "a".repeat(2_000))).toBe(true);
});

test("a list that is absent is open, one that is empty is closed", () => {
  const user = { path: "etl/daily", pool: "default" };
  expect(mayUse({}, user)).toBe(true);
  expect(mayUse({ pools: [] }, user)).toBe(false);
  expect(mayUse({ playbooks: [] }, user)).toBe(false);
  expect(mayUse({ pools: ["default"], playbooks: ["x", "etl/*"] }, user)).toBe(true);
  expect(mayUse({ pools: ["vault"], playbooks: ["**"] }, user)).toBe(false);
  expect(mayUse({ pools: ["default"], playbooks: ["x"] }, user)).toBe(false);
});
