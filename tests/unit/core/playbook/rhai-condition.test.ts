// Conditions in Rhai in the words of templates: what is translated means the same, and what isn't
// known is left alone.

import { describe, expect, test } from "bun:test";
import { templateOfRhai } from "#core/playbook/rhai-condition";
import { compileExpression } from "#core/playbook/template";

const values: Readonly<Record<string, unknown>> = {
  n: 3,
  name: "prod",
  list: ["a", "b"],
  empty: [],
  yes: true,
  no: false,
  workload: { env: "prod", "a b": { c: [10, 20] } },
};

/** The value of a translated condition. */
function resultOf(source: string): unknown {
  const text = templateOfRhai(source);
  expect(text).toBeDefined();
  const scope = { get: (name: string) => values[name] };
  return compileExpression(`{{ ${text} }}`).evaluate(scope, { nowMs: 0 });
}

describe("conditions that are translated", () => {
  const cases: readonly (readonly [string, string, unknown])[] = [
    ["n == 3", "n == 3", true],
    ["n != -1.5", "n != -1.5", true],
    ['workload.env == "prod"', "workload.env == 'prod'", true],
    ["n > 1 && n <= 3", "n > 1 and n <= 3", true],
    ["no || yes && no", "no or yes and no", false],
    ["(no || yes) && yes", "(no or yes) and yes", true],
    ["!no", "not no", true],
    ["!no == yes", "(not no) == yes", true],
    ["!(n == 3)", "not n == 3", false],
    ["!(no || no)", "not (no or no)", true],
    ["!!yes", "not (not yes)", true],
    ["list.len() > 1", "list | length > 1", true],
    ["empty.is_empty()", "empty | length == 0", true],
    ["!list.is_empty()", "not list | length == 0", true],
    ['list.contains("b")', "'b' in list", true],
    ['name.contains("ro") == true', "('ro' in name) == true", true],
    ["missing == ()", "missing | default(none) is none", true],
    ["!(workload.env != ())", "not workload.env | default(none) is not none", false],
    ["() == ()", "none | default(none) is none", true],
    ['workload["a b"].c[1] >= 20', "workload['a b'].c[1] >= 20", true],
    ['name == "it\\"s \\\\ \'x\'\\n"', "name == 'it\"s \\\\ \\'x\\'\\n'", false],
    ["  yes  ", "yes", true],
  ];
  for (const [source, text, value] of cases) {
    test(source, () => {
      expect(templateOfRhai(source)).toBe(text);
      expect(resultOf(source)).toBe(value);
    });
  }
});

describe("what isn't known is left alone", () => {
  for (const source of [
    "",
    "n ==",
    "n = 3",
    "n + 1 == 4",
    "f(n)",
    "list.push(3)",
    "if n { true }",
    "let x = 1; x",
    "1 < n < 5",
    "n < ()",
    "n == 3)",
    "(n == 3",
    "list.contains()",
    "`n`",
    "x in list",
    "not n",
    '"open',
    `${"(".repeat(5_000)}n`,
    "!".repeat(3_999),
    `${"(".repeat(1_999)}n${")".repeat(1_998)}`,
  ]) {
    test(source.slice(0, 40), () => expect(templateOfRhai(source)).toBeUndefined());
  }
});
