// The javascript tool through its public surface: results, inputs, failures, and what hostile
// programs can't do.

import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { JsonObject } from "#core/model/json";
import { stdoutCharsMax } from "#core/model/limits";
import { callsOf, loggedText, toolContext } from "#tests/tools/context";
import { eventually, livingProcesses } from "#tests/tools/processes";
import { javascriptTool } from "#worker/tools/javascript";

/** In the environment of every process that these tests start, so that each can be found. */
const tag = `noetl-test-${crypto.randomUUID()}`;
const environment = { ...process.env, USER: tag };
const tool = javascriptTool({ environment, killGraceMs: 200 });

const { run, data, error } = callsOf(tool);

afterAll(async () => {
  await tool.close();
  expect(livingProcesses(tag)).toEqual([]);
});

describe("the result", () => {
  test("is the global result, a top-level return or what main returns", async () => {
    expect(await data({ code: "result = { sum: a + b }", input: { a: 1, b: 2 } })).toEqual({
      sum: 3,
    });
    expect(await data({ code: "const result = 4;" })).toBe(4);
    expect(await data({ code: "if (true) {\n  return 3;\n}\nresult = 4;" })).toBe(3);
    const main = "function main(input, context) { return [input.a, context.step]; }";
    expect(await data({ code: main, input: { a: 1 } })).toEqual([1, "work"]);
    expect(await data({ code: "const main = async ({ a }) => a; // end", input: { a: 5 } })).toBe(
      5,
    );
  });

  test("is awaited, through any number of promises", async () => {
    expect(await data({ code: "return await Promise.resolve(7)" })).toBe(7);
    const code = "let n = 0; for (let i = 0; i < 5000; i++) { await null; n++; } result = n;";
    expect(await data({ code })).toBe(5000);
    expect(await data({ code: "result = Promise.all([1, Promise.resolve(2)])" })).toEqual([1, 2]);
  });

  test("is stdout and stderr when there is none", async () => {
    const code = "console.log('out', { a: 1 }, 2n); console.error('err')";
    expect(await data({ code })).toEqual({ stdout: 'out {"a":1} 2\n', stderr: "err\n" });
    expect(await data({ code: "return null" })).toEqual({ stdout: "", stderr: "" });
  });

  test("falsy values are results", async () => {
    expect(await data({ code: "return 0" })).toBe(0);
    expect(await data({ code: "return false" })).toBe(false);
    expect(await data({ code: "return ''" })).toBe("");
  });

  test("big integers keep their digits as text", async () => {
    expect(await data({ code: "return { id: 2n ** 63n }" })).toEqual({ id: "9223372036854775808" });
  });

  for (const [name, code, found] of [
    ["NaN", "return { a: [0 / 0] }", "NaN"],
    ["infinity", "return -1 / 0", "-Infinity"],
    ["a function", "return () => 1", "function"],
    ["a cycle", "const a = {}; a.a = a; return a", "circular"],
    ["a throwing toJSON", "return { toJSON() { throw new Error('no') } }", "no"],
  ] as const) {
    test(`${name} is a failure of kind result`, async () => {
      const failure = await error({ code });
      expect(failure).toMatchObject({ kind: "result", retryable: false });
      expect(failure.message).toStartWith("result is not JSON");
      expect(failure.message).toContain(found);
    });
  }

  test("that never settles is a failure that says why", async () => {
    const failure = await error({ code: "return new Promise(() => {})" });
    expect(failure.code).toBe("unsettled");
    expect(failure.message).toContain("never settles");
  });

  test("beyond the limit is a failure", async () => {
    const small = javascriptTool({ environment, resultBytesMax: 100 });
    const output = await small.run({ code: "return 'x'.repeat(200)" }, toolContext());
    expect(output.error?.message).toBe("result is too large: 202 bytes, expected at most 100");
    await small.close();
  });
});

describe("what code is given", () => {
  test("inputs as globals, and the names of the execution", async () => {
    const code =
      "const { idempotency_key: key, ...rest } = context;" +
      "return [n, args, input_data, variables, execution_id, step, rest, key.length]";
    const input = { n: 1 };
    expect(await data({ code, input }, { variables: { v: 2 } })).toEqual([
      1,
      input,
      input,
      { v: 2 },
      "478775660589088776",
      "work",
      { args: input, variables: { v: 2 }, execution_id: "478775660589088776", step: "work" },
      64,
    ]);
  });

  test("inputs of any name break nothing", async () => {
    const input = { undefined: 1, JSON: 2, Object: 3, console: 4, "no name": 5, __proto__x: 6 };
    expect(await data({ code: "console.log(1); return args['no name']", input })).toBe(5);
  });

  test("Date, Math.random and the language, and nothing of the machine", async () => {
    const absent = "process Bun fetch require setTimeout self WebAssembly std os navigator".split(
      " ",
    );
    const code =
      "const found = absent.filter((name) => name in globalThis);" +
      "return [Date.now() > 1.7e12, Math.random() < 1, found];";
    expect(await data({ code, input: { absent } })).toEqual([true, true, []]);
    expect((await error({ code: "return await import('fs')" })).kind).toBe("javascript");
  });

  test("nothing that an earlier call left behind", async () => {
    await data({ code: "globalThis.leak = 1; Array.prototype.leak = 2; result = 1" });
    expect(await data({ code: "return [typeof leak, typeof [].leak]" })).toEqual([
      "undefined",
      "undefined",
    ]);
  });

  test("a program from a file below a root", async () => {
    const root = mkdtempSync(join(tmpdir(), "noetl-javascript-"));
    writeFileSync(join(root, "step.js"), "return 'from file'");
    const script = { uri: "step.js", source: { type: "file" } };
    const policy = { shell: false, fileRoots: [root] };
    expect(await data({ script }, { policy })).toBe("from file");
    rmSync(root, { recursive: true });
  });
});

describe("failures", () => {
  test("an exception is told with the lines of user code", async () => {
    const code = "const f = () => {\n  throw new TypeError('bad');\n};\n\nf();";
    const failure = await error({ code });
    expect(failure).toMatchObject({
      kind: "javascript",
      code: "TypeError",
      message: "TypeError: bad",
      retryable: false,
    });
    const stack = String((failure.details as JsonObject)["stack"]);
    expect(stack).toMatch(/at f \(<work>:2:\d+\)\n.*<work>:5:\d+/);
    expect(stack.split("\n").length).toBe(2);
  });

  test("a syntax error names its line", async () => {
    const failure = await error({ code: "const a = 1;\nconst = 2;" });
    expect(failure.code).toBe("SyntaxError");
    expect(JSON.stringify(failure.details)).toContain("<work>:2:");
  });

  test("anything may be thrown", async () => {
    expect((await error({ code: "throw { a: 1 }" })).message).toBe('thrown: {"a":1}');
    expect((await error({ code: "throw undefined" })).message).toBe("thrown: undefined");
    const odd = "throw Object.assign(new Error(), { get message() { throw 1 } })";
    expect((await error({ code: odd })).kind).toBe("javascript");
  });

  for (const [name, config, field] of [
    ["no code", {}, "code"],
    ["code of another shape", { code: 1 }, "code"],
    ["input of another shape", { code: "return 1", input: "x" }, "input"],
    ["a timeout of 0", { code: "return 1", timeout_seconds: "0" }, "timeout_seconds"],
  ] as const) {
    test(`${name} is a config failure that names the field`, async () => {
      const failure = await error(config);
      expect(failure.kind).toBe("config");
      expect(failure.message).toStartWith(`${field}:`);
    });
  }
});

const endless: Readonly<Record<string, string>> = {
  "a loop": "while (true) {}",
  "an endless chain of promises": "for (;;) await null",
  "a regular expression": "return /^(a+)+$/.test('a'.repeat(60) + 'b')",
  "a getter of a thrown object": "throw { get stack() { for (;;); }, toJSON() { for (;;); } }",
  "a loop that catches": "for (;;) { try { for (;;); } catch {} }",
  "printing without end": "for (;;) console.log('x'.repeat(100))",
  "one instruction": "return 'a'.repeat(3e7).indexOf('a'.repeat(1.5e7) + 'b')",
};

describe("hostile code", () => {
  for (const [name, code] of Object.entries(endless)) {
    test(`${name} ends at its deadline, and the next call works`, async () => {
      const output = await run({ code, timeout: 0.3 }, { log: () => {} });
      expect(output.error).toMatchObject({ kind: "timeout", retryable: true });
      expect(JSON.stringify(output).length).toBeLessThan(stdoutCharsMax + 1_000);
      expect(await data({ code: "return 1" })).toBe(1);
    });
  }

  const spent: Readonly<Record<string, readonly [code: string, message: RegExp]>> = {
    "memory in objects": ["const a = []; for (;;) a.push({})", /out of memory/],
    "memory in strings": ["let s = 'a'; for (;;) s += s;", /too long|out of memory/],
    "a great array": ["return new Uint8Array(2 ** 30).length", /out of memory/],
    "the stack": ["function f() { return f() + 1; } f()", /call stack|stack overflow/],
    "nesting in text": ["return JSON.parse('['.repeat(200000))", /nested too deep|stack/],
    "nesting in values": [
      "let o = {}; for (let i = 0; i < 1e5; i++) o = { o }; return o",
      /deep|stack/,
    ],
  };
  for (const [name, [code, message]] of Object.entries(spent)) {
    test(`${name} is bounded, and the next call works`, async () => {
      expect((await error({ code })).message).toMatch(message);
      expect(await data({ code: "return 1" })).toBe(1);
    });
  }

  test("does not stall the worker's own loop", async () => {
    let ticks = 0;
    const timer = setInterval(() => ticks++, 10);
    await run({ code: "while (true) {}", timeout: 0.5 });
    clearInterval(timer);
    expect(ticks).toBeGreaterThan(5);
  });

  test("calls beyond the processes wait within their own deadline", async () => {
    const single = javascriptTool({ environment, processesMax: 1 });
    const busy = single.run({ code: "while (true) {}", timeout: 1 }, toolContext());
    const waiting = await single.run({ code: "return 1", timeout: 0.1 }, toolContext());
    expect(waiting.error?.kind).toBe("timeout");
    const patient = single.run({ code: "return 1", timeout: 30 }, toolContext());
    expect((await busy).error?.kind).toBe("timeout");
    expect((await patient).data).toBe(1);
    expect(single.processes()).toBe(1);
    await single.close();
    expect(single.processes()).toBe(0);
  });
});

test("a call is cancelled by its signal, with what it printed so far", async () => {
  const controller = new AbortController();
  const context = toolContext({ signal: controller.signal });
  const log = (stream: "stdout" | "stderr" | "log", text: string): void => {
    context.log(stream, text);
    controller.abort();
  };
  const output = await tool.run(
    { code: "console.log('up'); while (true) {}" },
    { ...context, log },
  );
  expect(output.error).toMatchObject({ kind: "cancelled", retryable: false });
  expect(output.meta).toEqual({ stdout: "up\n" });
  expect(loggedText(context, "stdout")).toBe("up");
});

test("closing ends the calls under way", async () => {
  const closing = javascriptTool({ environment });
  const call = closing.run({ code: "console.log(1); while (true) {}" }, toolContext());
  await eventually(() => closing.processes() === 1);
  await closing.close();
  expect((await call).error?.message).toContain("killed");
});

// The kernel's word that a parent has died exists on Linux alone.
test.skipIf(process.platform !== "linux")(
  "a sandbox ends with its worker, even in one instruction",
  async () => {
    const own = `noetl-test-${crypto.randomUUID()}`;
    const program = new URL("./code-worker-process.ts", import.meta.url).pathname;
    const worker = Bun.spawn([process.execPath, program, "javascript"], {
      env: { ...process.env, USER: own },
      stdout: "pipe",
    });
    await worker.stdout.getReader().read();
    expect(livingProcesses(own).length).toBe(2);
    worker.kill("SIGKILL");
    await eventually(() => livingProcesses(own).length === 0);
  },
);
