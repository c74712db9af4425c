// The shell tool through its public surface, on the machine's own shell.

import { afterAll, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { JsonObject } from "#core/model/json";
import { stdoutCharsMax } from "#core/model/limits";
import type { Output } from "#core/model/outcome";
import { loggedText, objectData, toolContext } from "#tests/tools/context";
import { eventually, isAlive, livingProcesses } from "#tests/tools/processes";
import { shellTool } from "#worker/tools/shell";

/** In the environment of every process that these tests start, so that each can be found. */
const tag = `noetl-test-${crypto.randomUUID()}`;
const scratch = mkdtempSync(join(tmpdir(), "noetl-shell-"));
const tool = shellTool({
  environment: { PATH: process.env["PATH"], USER: tag, DATABASE_URL: "postgres://secret" },
  cwd: scratch,
  killGraceMs: 300,
});

function run(config: JsonObject, overrides = {}): Promise<Output> {
  return tool.run(config, toolContext(overrides));
}

afterAll(() => {
  rmSync(scratch, { recursive: true, force: true });
  expect(livingProcesses(tag)).toEqual([]);
});

describe("a command", () => {
  test("gives its output and exit code", async () => {
    const output = await run({ command: "echo out; echo err >&2" });
    expect(output).toEqual({
      status: "ok",
      data: { stdout: "out\n", stderr: "err\n", exit_code: 0 },
    });
  });

  test("that fails is an error that still has its data", async () => {
    const output = await run({ command: "echo out; exit 3" });
    expect(output).toEqual({
      status: "error",
      error: { kind: "shell", code: 3, message: "exited with code 3", retryable: false },
      data: { stdout: "out\n", stderr: "", exit_code: 3 },
    });
  });

  test("that is killed by a signal says which", async () => {
    const output = await run({ command: "kill -KILL $$" });
    expect(output.error?.message).toBe("killed by signal SIGKILL");
    expect(objectData(output.data)["exit_code"]).toBe(137);
  });

  test("goes on after a failure, cmds stop at the first", async () => {
    expect((await run({ command: "false\necho on" })).data).toMatchObject({ stdout: "on\n" });
    const output = await run({ cmds: ["cd /", "pwd", "false", "echo on"] });
    expect(output.data).toEqual({ stdout: "/\n", stderr: "", exit_code: 1 });
    expect((await run({ cmds: "false\necho on" })).status).toBe("error");
  });

  test("runs in the named shell", async () => {
    const output = await run({ command: "echo $0 ${#BASH_VERSION}", shell: "bash" });
    expect(output.data).toMatchObject({ stdout: expect.stringMatching(/^bash [1-9]/) });
    const missing = await run({ command: "echo", shell: "no-such-shell" });
    expect(missing.error).toMatchObject({ kind: "missing_program", retryable: false });
    expect(missing.error?.message).toContain("no-such-shell");
  });

  test("has a clean environment, its own names and the call's", async () => {
    const output = await run({ command: "env | sort", env: { A: 1, B: null, C: "x y" } });
    const lines = String(objectData(output.data)["stdout"]).split("\n");
    expect(lines).toContain("A=1");
    expect(lines).toContain("C=x y");
    expect(lines).toContain("NOETL_STEP=work");
    expect(lines).toContain("NOETL_EXECUTION_ID=478775660589088776");
    expect(lines.some((line) => line.startsWith("NOETL_IDEMPOTENCY_KEY="))).toBe(true);
    expect(lines.join("\n")).not.toContain("secret");
    expect(lines.some((line) => line.startsWith("B="))).toBe(false);
  });

  test("runs in cwd, from the worker's folder on", async () => {
    await run({ command: "mkdir sub" });
    expect((await run({ command: "pwd", cwd: "sub" })).data).toMatchObject({
      stdout: `${scratch}/sub\n`,
    });
    expect((await run({ command: "pwd" })).data).toMatchObject({ stdout: `${scratch}\n` });
  });

  test("finds an end of input", async () => {
    expect((await run({ command: "cat; echo end" })).data).toMatchObject({ stdout: "end\n" });
  });

  test("is logged line by line while it runs", async () => {
    const context = toolContext();
    const seen = join(scratch, "seen");
    const log = (stream: "stdout" | "stderr" | "log", text: string): void => {
      context.log(stream, text);
      if (text === "first") Bun.write(seen, "");
    };
    const wait = `while [ ! -e ${seen} ]; do sleep 0.01; done`;
    const command = `echo first; ${wait}; printf second; echo e >&2`;
    await tool.run({ command }, { ...context, log });
    expect(loggedText(context, "stdout")).toBe("first\nsecond");
    expect(loggedText(context, "stderr")).toBe("e");
  });

  test("without capture keeps no text but logs it", async () => {
    const context = toolContext();
    const output = await tool.run({ command: "echo out", capture: false }, context);
    expect(output.data).toEqual({ exit_code: 0 });
    expect(loggedText(context, "stdout")).toBe("out");
  });

  test("output beyond the cap is dropped and said so", async () => {
    const output = await run({ command: "head -c 300000 /dev/zero | tr '\\0' x" });
    const text = String(objectData(output.data)["stdout"]);
    expect(text.length).toBeLessThan(stdoutCharsMax + 100);
    expect(text).toEndWith(`[cut at ${stdoutCharsMax} characters of 300000 bytes]`);
    expect(output.meta).toEqual({ stdout_truncated: true });
  });

  test("bytes that are not UTF-8 are replaced, characters across chunks are whole", async () => {
    expect((await run({ command: "printf '\\377'" })).data).toMatchObject({ stdout: "\ufffd" });
    const command = "printf '\\303'; sleep 0.05; printf '\\251'";
    expect((await run({ command })).data).toMatchObject({ stdout: "é" });
  });
});

describe("refusals", () => {
  test("shell is denied unless the policy allows it, and says how to", async () => {
    const file = join(scratch, "denied");
    const policy = { shell: false, fileRoots: [] };
    const output = await run({ command: `touch ${file}` }, { policy });
    expect(output.error).toMatchObject({ kind: "forbidden", retryable: false });
    expect(output.error?.message).toContain("NOETL_WORKER_ALLOW_SHELL=true");
    expect(existsSync(file)).toBe(false);
  });

  for (const [name, config, field] of [
    ["no command", {}, "command"],
    ["a command of another shape", { command: { a: 1 } }, "command"],
    ["a line of another shape", { cmds: ["a", 1] }, "cmds"],
    ["NUL in a command", { command: "echo \0" }, "command"],
    ["a command beyond the limit", { command: "x".repeat(200_000) }, "command"],
    ["an odd shell", { command: "x", shell: "sh -x" }, "shell"],
    ["a folder that is not there", { command: "x", cwd: "no-such" }, "cwd"],
    ["an odd name in env", { command: "x", env: { "A=B": "1" } }, "env"],
    ["env of another shape", { command: "x", env: { A: {} } }, "env.A"],
    ["a timeout of another shape", { command: "x", timeout: "soon" }, "timeout"],
    ["capture of another shape", { command: "x", capture: 7 }, "capture"],
  ] as const) {
    test(`${name} is a config failure that names the field`, async () => {
      const failure = (await run(config)).error;
      expect(failure?.kind).toBe("config");
      expect(failure?.message).toStartWith(`${field}:`);
    });
  }
});

describe("a command that is stopped", () => {
  test("at its timeout ends with the programs it started", async () => {
    const command = "sleep 600 & echo $!; sleep 600";
    const output = await run({ command, timeout: 0.3 });
    expect(output.error).toEqual({
      kind: "timeout",
      message: "timed out after 300 ms",
      retryable: true,
    });
    const child = Number(output.meta?.["stdout"]);
    expect(child).toBeGreaterThan(1);
    await eventually(() => !isAlive(child));
  });

  test("may clean up when asked to end", async () => {
    const file = join(scratch, "cleaned");
    const trap = `trap 'sleep 0.05; touch ${file}; exit 0' TERM`;
    const command = `${trap}; echo up; while :; do sleep 0.01; done`;
    const controller = new AbortController();
    const output = await run(
      { command },
      { signal: controller.signal, log: () => controller.abort() },
    );
    expect(output.error).toMatchObject({ kind: "cancelled", retryable: false });
    expect(existsSync(file)).toBe(true);
  });

  test("is killed with its group when it ignores that", async () => {
    const command =
      "trap '' TERM; (trap '' TERM; sleep 600; sleep 600) & echo $!; sleep 600; sleep 600";
    const output = await run({ command, timeout: 0.3 });
    expect(output.error?.kind).toBe("timeout");
    const child = Number(output.meta?.["stdout"]);
    await eventually(() => !isAlive(child));
  });

  test("by an earlier signal runs nothing", async () => {
    const file = join(scratch, "never");
    const output = await run({ command: `touch ${file}` }, { signal: AbortSignal.abort() });
    expect(output.error?.kind).toBe("cancelled");
    expect(existsSync(file)).toBe(false);
  });
});

describe("hostile commands", () => {
  test("a program gets no more memory than the worker's operator allows", async () => {
    const small = shellTool({ memoryBytesMax: 64 * 1_048_576, cwd: scratch });
    const hungry = "head -c 200000000 /dev/zero | tail -c 200000000 | wc -c";
    const output = await small.run({ command: hungry }, toolContext({}));
    expect(objectData(output.data)["stdout"]).not.toContain("200000000");
    expect(await small.run({ command: "echo fine" }, toolContext({}))).toMatchObject({
      status: "ok",
      data: { stdout: "fine\n" },
    });
  });

  test("what is left in the background ends with the command", async () => {
    const output = await run({ command: "sleep 600 & echo $!" });
    expect(output.status).toBe("ok");
    await eventually(() => !isAlive(Number(objectData(output.data)["stdout"])));
  });

  test("a program that left the group with the output open does not hold the call", async () => {
    const file = join(scratch, "left");
    const output = await run({
      command: [
        `setsid sh -c 'echo $$ > ${file}; exec sleep 600' &`,
        `while [ ! -s ${file} ]; do sleep 0.01; done`,
      ],
    });
    expect(output.status).toBe("ok");
    const pid = Number(readFileSync(file, "utf8"));
    await eventually(() => !isAlive(pid));
  });

  test("endless output ends at the timeout, within bounds", async () => {
    const output = await run({ command: "yes", timeout: 0.3 }, { log: () => {} });
    expect(output.error?.kind).toBe("timeout");
    expect(JSON.stringify(output).length).toBeLessThan(stdoutCharsMax * 2);
  });
});
