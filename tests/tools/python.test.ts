// The python tool through its public surface, against the machine's own python3.

import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stdoutCharsMax } from "#core/model/limits";
import { callsOf, loggedText, toolContext } from "#tests/tools/context";
import { pythonTool } from "#worker/tools/python";

const installed = Bun.which("python3") !== null;
const scratch = mkdtempSync(join(tmpdir(), "noetl-python-"));
const tool = pythonTool({ environment: { ...process.env, NOETL_SECRET: "s3cret" }, cwd: scratch });

const { run, data, error } = callsOf(tool);

afterAll(async () => {
  await tool.close();
  rmSync(scratch, { recursive: true, force: true });
});

// Without the interpreter there is nothing to test.
describe.skipIf(!installed)("what code is given", () => {
  test("names and the context of the execution", async () => {
    const code = [
      "result = [args, input_data, variables, execution_id, step, context.get('execution_id'),",
      "  context['variables']['v'], context.get('nothing'), context['args'],",
      "  context['server_url'],",
      "  __name__, len(context['idempotency_key'])]",
    ].join("\n");
    const input = { n: 1 };
    expect(await data({ code, input }, { variables: { v: 2 } })).toEqual([
      input,
      input,
      { v: 2 },
      "478775660589088776",
      "work",
      "478775660589088776",
      2,
      null,
      input,
      "",
      "__main__",
      64,
    ]);
  });

  test("input wins over args, code may sit under spec", async () => {
    const config = { spec: { code: "result = [a, b]" }, args: { a: 1, b: 1 }, input: { a: 2 } };
    expect(await data(config)).toEqual([2, 1]);
  });

  test("libs import modules under names", async () => {
    const code = "result = [m.sqrt(4), p.basename('/a/b'), json.dumps([])]";
    expect(await data({ code, libs: { m: "math", p: "os.path", json: "json" } })).toEqual([
      2,
      "b",
      "[]",
    ]);
    const failure = await error({ code: "result = 1", libs: { x: "no_such_module" } });
    expect(failure.code).toBe("ModuleNotFoundError");
  });

  test("env and cwd hold for one call, the worker's own environment never", async () => {
    const folder = mkdtempSync(join(scratch, "cwd-"));
    const code = [
      "import os",
      "result = [os.environ.get(name) for name in ('A', 'NOETL_SECRET', 'NOETL_STEP')]",
      "result.append(os.getcwd())",
      "os.environ['B'] = '1'",
      "os.chdir('/')",
    ].join("\n");
    expect(await data({ code, env: { A: 1 }, cwd: folder })).toEqual(["1", null, "work", folder]);
    const next = "import os\nresult = [os.environ.get('A'), os.environ.get('B'), os.getcwd()]";
    expect(await data({ code: next })).toEqual([null, null, scratch]);
  });

  test("a program from a file below a root", async () => {
    writeFileSync(join(scratch, "step.py"), "result = 'from file'");
    const script = { uri: "step.py", source: { type: "file" } };
    const policy = { shell: false, fileRoots: [scratch] };
    expect(await data({ script }, { policy })).toBe("from file");
  });

  test("nothing that an earlier call left behind", async () => {
    await data({
      code: [
        "import builtins, sys, random, json",
        "leak = 1",
        "builtins.leak2 = 2",
        "sys.path.append('/leak')",
        "sys.setrecursionlimit(5000)",
        "sys.stdout = None",
        "random.seed(1)",
        "result = 1",
      ].join("\n"),
    });
    const code = [
      "import sys, random",
      "result = ['leak' in globals(), 'leak2' in dir(__builtins__), '/leak' in sys.path]",
      "result += [sys.getrecursionlimit() == 5000, random.random() == 0.13436424411240122]",
      "print('here')",
    ].join("\n");
    const output = await run({ code });
    expect(output.data).toEqual([false, false, false, false, false]);
    expect(output.meta).toEqual({ stdout: "here\n" });
  });

  test("an end of input instead of a keyboard", async () => {
    const code = "import os\nresult = os.path.samestat(os.fstat(0), os.stat('/dev/null'))";
    expect(await data({ code })).toBe(true);
    expect((await error({ code: "input()" })).code).toBe("EOFError");
  });
});

// Without the interpreter there is nothing to test.
describe.skipIf(!installed)("failures", () => {
  test("an exception is told with the lines of user code only", async () => {
    const output = await run({ code: "def f():\n    return 1 / 0\n\nf()" });
    expect(output.error).toEqual({
      kind: "python",
      code: "ZeroDivisionError",
      message: "ZeroDivisionError: division by zero",
      retryable: false,
    });
    expect(output.py?.["exception"]).toBe("ZeroDivisionError");
    const trace = String(output.py?.["traceback"]);
    expect(trace).toContain('File "<work>", line 4, in <module>\n    f()');
    expect(trace).toContain('File "<work>", line 2, in f\n    return 1 / 0');
    expect(trace).not.toContain("runner");
  });

  test("a wrapped program keeps its lines in tracebacks", async () => {
    const output = await run({ code: "x = 1\nif x == 2:\n    return 1\nraise ValueError('no')" });
    expect(String(output.py?.["traceback"])).toContain('File "<work>", line 4, in <module>');
    expect(output.error?.message).toBe("ValueError: no");
  });

  test("a syntax error names its line", async () => {
    const failure = await error({ code: "x = 1\ndef f(:" });
    expect(failure.code).toBe("SyntaxError");
    expect(failure.message).toContain("line 2");
    expect((await error({ code: "yield 1" })).code).toBe("SyntaxError");
  });

  test("long texts are cut", async () => {
    const output = await run({ code: "raise ValueError('x' * 100000)" });
    expect(output.error?.message.length).toBeLessThanOrEqual(2_000);
    expect(String(output.py?.["traceback"]).length).toBeLessThanOrEqual(8_000);
  });

  test("an exception whose text can't be made is still told", async () => {
    const code = "class E(Exception):\n    def __str__(self):\n        raise KeyError()\nraise E()";
    expect((await error({ code })).code).toBe("E");
  });

  test("exit codes are failures", async () => {
    const failure = await error({ code: "import sys; sys.exit(3)" });
    expect(failure).toMatchObject({ kind: "python", code: 3, message: "exited with code 3" });
    const output = await run({ code: "import sys; sys.exit('all is lost')" });
    expect(output.error?.message).toBe("exited with code 1");
    expect(output.meta?.["stderr"]).toBe("all is lost\n");
  });

  test("a missing interpreter says what to install", async () => {
    const bare = pythonTool({ environment: { PATH: scratch } });
    const output = await bare.run({ code: "result = 1" }, toolContext());
    expect(output.error).toEqual({
      kind: "missing_program",
      message: "python3 is not installed; install it with: apt-get install -y python3",
      retryable: false,
    });
    expect(bare.runners()).toBe(0);
    await bare.close();
  });

  for (const [name, config, field] of [
    ["no code", {}, "code"],
    ["code of another shape", { code: { a: 1 } }, "code"],
    ["input of another shape", { code: "result = 1", input: [1] }, "input"],
    ["libs of another shape", { code: "result = 1", libs: { a: 1 } }, "libs.a"],
    ["env of another shape", { code: "result = 1", env: { A: [1] } }, "env.A"],
    ["a folder that is not there", { code: "result = 1", cwd: "no-such" }, "cwd"],
    ["a timeout below 0", { code: "result = 1", timeout: -1 }, "timeout"],
    ["an odd interpreter", { code: "result = 1", python: "rm" }, "python"],
  ] as const) {
    test(`${name} is a config failure that names the field`, async () => {
      const failure = await error(config);
      expect(failure.kind).toBe("config");
      expect(failure.message).toStartWith(`${field}:`);
    });
  }
});

// Without the interpreter there is nothing to test.
describe.skipIf(!installed)("output", () => {
  test("is caught from Python, from its descriptors and from programs it starts", async () => {
    const code = [
      "import os, subprocess",
      "print('a')",
      "os.write(1, b'b\\n')",
      "subprocess.run('echo c; echo d >&2', shell=True)",
      "os.write(2, b'e\\n')",
      "result = 1",
    ].join("\n");
    const context = toolContext();
    const output = await tool.run({ code }, context);
    expect(output.meta).toEqual({ stdout: "a\nb\nc\n", stderr: "d\ne\n" });
    expect(loggedText(context, "stdout")).toBe("a\nb\nc");
    expect(loggedText(context, "stderr")).toBe("d\ne");
  });

  test("reaches the log while the program still runs", async () => {
    const file = join(scratch, "seen");
    const code = [
      "import os, time",
      `print('first')`,
      `while not os.path.exists(${JSON.stringify(file)}):`,
      "    time.sleep(0.01)",
      "result = 1",
    ].join("\n");
    const log = (_: unknown, text: string): void => writeFileSync(file, text);
    expect(await data({ code }, { log })).toBe(1);
  });

  test("beyond the cap is dropped and said so", async () => {
    const output = await run({ code: "print('x' * 300000)\nresult = 1" });
    expect(output.meta?.["stdout_truncated"]).toBe(true);
    expect(String(output.meta?.["stdout"]).length).toBeLessThan(stdoutCharsMax + 100);
  });

  test("closing and replacing the streams breaks only that call's output", async () => {
    const first = await run({
      code: "import sys, os\nsys.stdout.close()\nsys.stderr = 3\nos.close(1)\nresult = 1",
    });
    expect(first.data).toBe(1);
    const output = await run({ code: "print('back')\nresult = 1" });
    expect(output.meta).toEqual({ stdout: "back\n" });
  });
});
