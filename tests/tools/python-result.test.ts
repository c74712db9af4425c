// What counts as the result of a python step, and how it becomes JSON.

import { afterAll, describe, expect, test } from "bun:test";
import { callsOf, toolContext } from "#tests/tools/context";
import { pythonTool } from "#worker/tools/python";

const installed = Bun.which("python3") !== null;
const tool = pythonTool();
const { data, error } = callsOf(tool);

afterAll(() => tool.close());

// Without the interpreter there is nothing to test but its absence, which is tested below.
describe.skipIf(!installed)("the result", () => {
  test("is the global result", async () => {
    expect(await data({ code: "result = {'sum': a + b}", input: { a: 1, b: 2 } })).toEqual({
      sum: 3,
    });
  });

  test("is what a top-level return gives, over result and main", async () => {
    const code = "result = 1\ndef main():\n    return 2\nif True:\n    return 3\nresult = 4";
    expect(await data({ code })).toBe(3);
  });

  test("of a top-level return sees and changes inputs as globals do", async () => {
    const code = "items: list = items + [3]\ndef count():\n    return len(items)\nreturn count()";
    expect(await data({ code, input: { items: [1, 2] } })).toBe(3);
  });

  test("of a top-level return may follow an import from the future", async () => {
    const code =
      "from __future__ import annotations\ndef f(x: Unknown):\n    return x\nreturn f(2)";
    expect(await data({ code })).toBe(2);
  });

  test("is not disturbed by return in a nested function or a string", async () => {
    const code = `def f():\n    return 1\ntext = """\nreturn 5\n"""\nresult = [f(), text.strip()]`;
    expect(await data({ code })).toEqual([1, "return 5"]);
  });

  test("may be awaited at the top level", async () => {
    const code = "import asyncio\nawait asyncio.sleep(0)\nreturn 7";
    expect(await data({ code })).toBe(7);
    expect(await data({ code: "async def f():\n    return 8\nresult = f()" })).toBe(8);
  });

  test("is what main returns, called with the inputs it names", async () => {
    const code =
      "def main(b, a, c=9, *, d=1, context=None):\n    return [a, b, c, d, context['step']]";
    expect(await data({ code, input: { a: 1, b: 2, d: 4, other: 5 } })).toEqual([
      1,
      2,
      9,
      4,
      "work",
    ]);
  });

  test("of a main with **kwargs has every input, and a coroutine is awaited", async () => {
    const code = "async def main(a, **rest):\n    return [a, rest]";
    expect(await data({ code, args: { a: 1, b: 2 } })).toEqual([1, { b: 2 }]);
  });

  test("of a decorated main follows the function below", async () => {
    const code = [
      "import functools",
      "def traced(f):",
      "    @functools.wraps(f)",
      "    def inner(*args, **kwargs):",
      "        return f(*args, **kwargs)",
      "    return inner",
      "@traced",
      "def main(a):",
      "    return a",
    ].join("\n");
    expect(await data({ code, input: { a: 1, b: 2 } })).toBe(1);
  });

  test("a main that lacks an input fails as Python says", async () => {
    const failure = await error({ code: "def main(a):\n    return a" });
    expect(failure.code).toBe("TypeError");
    expect(failure.message).toContain("missing 1 required positional argument: 'a'");
  });

  test("is stdout and stderr when there is none", async () => {
    const code = "import sys\nprint('out')\nprint('err', file=sys.stderr)";
    expect(await data({ code })).toEqual({ stdout: "out\n", stderr: "err\n" });
  });

  test("falsy values are results", async () => {
    expect(await data({ code: "result = 0" })).toBe(0);
    expect(await data({ code: "result = False" })).toBe(false);
    expect(await data({ code: "result = ''" })).toBe("");
    expect(await data({ code: "result = []" })).toEqual([]);
  });

  test("sys.exit(0) ends normally with the result so far", async () => {
    expect(await data({ code: "import sys\nresult = 5\nsys.exit(0)\nresult = 6" })).toBe(5);
    expect(await data({ code: "result = 5\nraise SystemExit" })).toBe(5);
  });
});

// Without the interpreter there is nothing to test.
describe.skipIf(!installed)("JSON", () => {
  test("values that are not JSON become their text", async () => {
    const code = [
      "import datetime, decimal, uuid, dataclasses",
      "@dataclasses.dataclass",
      "class Point:",
      "    x: int",
      "result = {",
      "  'time': datetime.datetime(2026, 1, 2, 3, 4, 5), 'money': decimal.Decimal('1.10'),",
      "  'tuple': (1, 2), 'bytes': b'ab', 'set': {1}, 'point': Point(3), 1: 'one', None: 'none'}",
    ].join("\n");
    expect(await data({ code })).toEqual({
      time: "2026-01-02 03:04:05",
      money: "1.10",
      tuple: [1, 2],
      bytes: "b'ab'",
      set: "{1}",
      point: "Point(x=3)",
      "1": "one",
      null: "none",
    });
  });

  test("integers beyond 2^53 keep their digits as text", async () => {
    const code =
      "result = {'id': 2**63, 'low': [-(2**60)], 'safe': 2**53 - 1, 'f': 1e22, 't': '1' * 20}";
    expect(await data({ code })).toEqual({
      id: "9223372036854775808",
      low: ["-1152921504606846976"],
      safe: 9007199254740991,
      f: 1e22,
      t: "11111111111111111111",
    });
  });

  test("text of any script and half a surrogate pair arrives", async () => {
    expect(await data({ code: "result = ['žluť 日本 🎉', '\\ud800']" })).toEqual([
      "žluť 日本 🎉",
      "\ud800",
    ]);
  });

  for (const [name, code] of [
    ["NaN", "result = {'a': [float('nan')]}"],
    ["infinity", "result = float('-inf')"],
    ["a cycle", "a = []\na.append(a)\nresult = a"],
    ["a key of another type", "result = {(1, 2): 3}"],
    ["endless nesting", "a = []\nfor _ in range(100000):\n    a = [a]\nresult = a"],
  ] as const) {
    test(`${name} is a failure of kind result`, async () => {
      const failure = await error({ code });
      expect(failure.kind).toBe("result");
      expect(failure.message).toStartWith("result is not JSON");
      expect(failure.retryable).toBe(false);
    });
  }

  test("a result beyond the limit is a failure", async () => {
    const small = pythonTool({ resultBytesMax: 100, runnersMax: 1 });
    const output = await small.run({ code: "result = 'x' * 200" }, toolContext());
    expect(output.error?.message).toBe("result is too large: 202 bytes, expected at most 100");
    await small.close();
  });
});
