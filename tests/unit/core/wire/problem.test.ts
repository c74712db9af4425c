// JSON as it crosses a boundary: every number keeps its digits, wherever it stands.

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { parseJsonExactly } from "#core/wire/problem";
import { amount } from "#scripts/test-amount";

describe("numbers", () => {
  const long = "529811059507200123";
  for (const [text, value] of [
    [long, long],
    [`-${long}`, `-${long}`],
    [`[${long}]`, [long]],
    [`[1,${long}]`, [1, long]],
    [`{"id":${long}}`, { id: long }],
    [`{"id": ${long}}`, { id: long }],
    [`{"id":\n\t${long}}`, { id: long }],
    [`{"id":-${long}}`, { id: `-${long}` }],
    [`{"id":"${long}"}`, { id: long }],
    ['{"a":9007199254740991}', { a: 9007199254740991 }],
    ['{"a":1e20,"b":0.1234567890123456789}', { a: 1e20, b: 0.12345678901234568 }],
  ] as const) {
    test(`${text} keeps its digits`, () => {
      expect(parseJsonExactly(text)).toEqual(value);
    });
  }
  test("stay what they are wherever a double can hold them", () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(parseJsonExactly(text)).toEqual(JSON.parse(text));
      }),
      { seed: 7, numRuns: amount(300) },
    );
  });
});
