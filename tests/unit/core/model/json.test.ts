// Proves what counts as JSON, and that what doesn't is named with its place.

import { expect, test } from "bun:test";
import { jsonProblem } from "#core/model/json";
import { jsonDepthMax } from "#core/model/limits";

const problem = (value: unknown, depthMax = jsonDepthMax) => jsonProblem(value, depthMax);

/** A list in a list, so many levels of them. */
function nested(levels: number, inside: unknown = 1): unknown {
  let value = inside;
  for (let level = 0; level < levels; level++) value = [value];
  return value;
}

test("what JSON can say has no problem", () => {
  const good = [null, true, "", "\ud800", 0, -1.5, 1e300, [], {}, [[], [null]], { a: { b: [1] } }];
  const bare = Object.assign(Object.create(null), { a: 1, constructor: "text" });

  for (const value of [...good, bare]) expect(problem(value)).toBeUndefined();
});

test("numbers that JSON has no word for are named with their place", () => {
  expect(problem(Number.NaN)).toBe("value is NaN, expected a number");
  expect(problem({ a: [1, { b: Number.POSITIVE_INFINITY }] })).toBe(
    "a[1].b is Infinity, expected a number",
  );
  expect(problem([[[Number.NEGATIVE_INFINITY]]])).toBe("[0][0][0] is -Infinity, expected a number");
});

test("functions, symbols and bigints are named with their place", () => {
  expect(problem({ run: () => 1 })).toBe("run is a function, expected JSON");
  expect(problem([Symbol("x")])).toBe("[0] is a symbol, expected JSON");
  expect(problem({ n: { big: 1n } })).toBe("n.big is a bigint, expected JSON");
});

test("undefined is refused wherever it stands, as JSON would drop it or make null of it", () => {
  expect(problem(undefined)).toBe("value is a undefined, expected JSON");
  expect(problem({ a: 1, b: undefined })).toBe("b is a undefined, expected JSON");
  expect(problem([1, undefined])).toBe("[1] is a undefined, expected JSON");
  expect(problem(new Array(2))).toBe("[0] is a undefined, expected JSON");
});

test("instances of classes are refused, also those that JSON.stringify would convert", () => {
  class Point {
    readonly x = 1;
  }
  const seen = [new Date(0), new Map(), new Point(), new Uint8Array(1)].map((at) =>
    problem({ at }),
  );

  expect(seen).toEqual([
    "at is a Date, expected JSON",
    "at is a Map, expected JSON",
    "at is a Point, expected JSON",
    "at is a Uint8Array, expected JSON",
  ]);
  expect(problem({ toJSON: () => 1 })).toBe("toJSON is a function, expected JSON");
});

test("keys that are symbols are no part of a value", () => {
  expect(problem({ [Symbol("hidden")]: () => 1, a: 1 })).toBeUndefined();
});

test("a cycle is told at the place where it closes, however deep that is", () => {
  for (const levels of [0, 1, 14, 15, 16, 17, 40]) {
    const root: unknown[] = [];
    root.push(nested(levels, root));
    expect(problem(root)).toBe(`${"[0]".repeat(levels + 1)} refers to itself`);
    const inner: unknown[] = [];
    inner.push(1, inner);
    expect(problem(nested(levels, inner))).toBe(`${"[0]".repeat(levels)}[1] refers to itself`);
  }
});

test("a part that stands in several places is no cycle", () => {
  const shared = { a: [1] };

  expect(problem([shared, shared, { shared }])).toBeUndefined();
  expect(problem(nested(30, [shared, shared, nested(3, shared)]))).toBeUndefined();
});

test("nesting is bounded exactly", () => {
  expect(problem(nested(jsonDepthMax))).toBeUndefined();
  expect(problem(nested(jsonDepthMax + 1))).toEndWith("is nested deeper than 2000");
  expect(problem({ a: { b: {} } }, 2)).toBe("a.b is nested deeper than 2");
  expect(problem({ a: { b: 1 } }, 2)).toBeUndefined();
});

test("the first problem is the one that is told, and siblings before it leave no trace", () => {
  const value = { fine: { deep: [1, [2]] }, wrong: [{ ok: nested(20) }, { here: Number.NaN }, 1n] };

  expect(problem(value)).toBe("wrong[1].here is NaN, expected a number");
});
