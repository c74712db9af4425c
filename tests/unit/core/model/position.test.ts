// Positions travel as one text: it comes back as what it was, keeps the order, and nothing else is
// taken for one.
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Fault } from "#core/model/fault";
import {
  comparePositions,
  encodePosition,
  isSameCopy,
  type Position,
  parsePosition,
  startOf,
} from "#core/model/position";

const timeline = "0123456789ab-1";
const positions: fc.Arbitrary<Position> = fc.record({
  timeline: fc.constant(timeline),
  xid: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(String),
  executionId: fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }).map(String),
  seq: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
});

describe("a position", () => {
  test("comes back from its text as it was", () => {
    fc.assert(
      fc.property(positions, (position) => {
        expect(parsePosition(encodePosition(position))).toEqual(position);
      }),
    );
  });

  test("has a text that fits into an address, a header and a line", () => {
    fc.assert(
      fc.property(positions, (position) => {
        const text = encodePosition(position);
        expect(encodeURIComponent(text)).toBe(text);
        expect(text.length).toBeLessThan(80);
      }),
    );
  });

  test("is ordered by transaction, then execution, then number, by value", () => {
    const at = (xid: string, executionId: string, seq: number): Position => ({
      timeline,
      xid,
      executionId,
      seq,
    });
    const inOrder = [
      startOf(timeline),
      at("9", "10", 2),
      at("9", "10", 10),
      at("9", "9223372036854775807", 1),
      at("10", "9", 1),
      at("18446744073709551615", "1", 1),
    ];
    for (const [i, a] of inOrder.entries()) {
      for (const [j, b] of inOrder.entries()) {
        expect(Math.sign(comparePositions(a, b))).toBe(Math.sign(i - j));
      }
    }
  });

  const good = encodePosition({ timeline, xid: "7", executionId: "8", seq: 9 });
  const bad = [
    "",
    "nonsense",
    "7.8.9",
    `${good}.1`,
    ` ${good}`,
    `${good}\n`,
    good.toUpperCase(),
    good.replace("-1", ""),
    `${timeline}.zzzzzzzzzzzzzz.1.1`,
    `${timeline}.zzzzzzzzzzzzz.1.1`,
    `${timeline}.1.zzzzzzzzzzzzz.1`,
    `${timeline}.1.1.zzzzzz`,
    `${timeline}.-1.1.1`,
    "x".repeat(100_000),
  ];
  for (const text of bad) {
    test(`is not ${JSON.stringify(text.slice(0, 40))}`, () => {
      const failure = (() => {
        try {
          return parsePosition(text);
        } catch (thrown) {
          return thrown;
        }
      })();
      expect(failure).toBeInstanceOf(Fault);
      expect(failure).toMatchObject({ code: "invalid" });
      expect(String(failure).length).toBeLessThan(200);
    });
  }

  test("is of the same copy of the data when only the server's timeline differs", () => {
    expect(isSameCopy("0123456789ab-1", "0123456789ab-2")).toBe(true);
    expect(isSameCopy("0123456789ab-1", "0123456789ac-1")).toBe(false);
  });
});
