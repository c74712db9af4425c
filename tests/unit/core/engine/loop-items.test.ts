// What a loop goes through: lists, maps, texts, counts and nothing.

import { describe, expect, test } from "bun:test";
import { Unusable } from "#core/engine/failures";
import { loopItems } from "#core/engine/loop-items";
import type { Json } from "#core/model/json";
import { loopItemsMax } from "#core/model/limits";

const failureOf = (value: Json) => {
  try {
    loopItems(value);
  } catch (thrown) {
    if (thrown instanceof Unusable) return thrown.failure;
    throw thrown;
  }
  throw new Error("expected it to be refused");
};

describe("the items", () => {
  const cases: readonly (readonly [string, unknown, readonly Json[]])[] = [
    ["a list", [3, "a", null], [3, "a", null]],
    [
      "a map, in its order",
      { b: 1, a: [2] },
      [
        { key: "b", value: 1 },
        { key: "a", value: [2] },
      ],
    ],
    ["a map without keys", {}, []],
    ["text with a JSON list", ' [1, {"a": 2}] ', [1, { a: 2 }]],
    ["text with commas", "a, b ,,c", ["a", "b", "c"]],
    ["text with lines", "a\nb, c\r\n\n", ["a", "b", "c"]],
    ["one word", "a", ["a"]],
    ["text that begins like a list and is none", "[a, b]", ["[a", "b]"]],
    ["text with a JSON map, which is text", '{"a": 1}', ['{"a": 1}']],
    ["blank text", " \n ", []],
    ["a number", 3, [0, 1, 2]],
    ["zero", 0, []],
    ["null", null, []],
    ["nothing", undefined, []],
  ];
  for (const [what, value, items] of cases) {
    test(`of ${what}`, () => {
      expect(loopItems(value)).toEqual(items);
    });
  }
});

describe("no items", () => {
  for (const value of [true, false, 1.5, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
    test(`come of ${String(value)}, and the message says so`, () => {
      const found = failureOf(value);
      expect(found).toMatchObject({ kind: "loop", code: "not_a_list" });
      expect(found.message).toContain(String(value));
    });
  }
  test("come of more than a loop may have", () => {
    expect(failureOf(loopItemsMax + 1).message).toContain(`at most ${loopItemsMax}`);
    expect(failureOf(",a".repeat(loopItemsMax + 1)).message).toContain(`at most ${loopItemsMax}`);
  });
});
