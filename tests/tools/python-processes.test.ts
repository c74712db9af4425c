// What hostile or unlucky python code can do to its process, and that it costs its own call only.

import { afterAll, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toolContext } from "#tests/tools/context";
import { eventually, isAlive, livingProcesses } from "#tests/tools/processes";
import { pythonTool } from "#worker/tools/python";

const installed = Bun.which("python3") !== null;
const scratch = mkdtempSync(join(tmpdir(), "noetl-python-"));
/** In the environment of every process that these tests start, so that each can be found. */
const tag = `noetl-test-${crypto.randomUUID()}`;
const options = { environment: { ...process.env, USER: tag }, cwd: scratch };
const tool = pythonTool(options);

const pidCode = "import os\nresult = os.getpid()";

async function runnerPid(): Promise<number> {
  const output = await tool.run({ code: pidCode }, toolContext());
  return Number(output.data);
}

afterAll(async () => {
  await tool.close();
  rmSync(scratch, { recursive: true, force: true });
  expect(livingProcesses(tag)).toEqual([]);
});

// Without the interpreter there is no process to test.
describe.skipIf(!installed)("runner processes", () => {
  test("are kept warm also by a worker that is large itself", async () => {
    // The kernel counts the size of the process that starts another as that one's own at first.
    const ballast = new Uint8Array(1_300_000_000).fill(1);
    expect(await runnerPid()).toBe(await runnerPid());
    expect(ballast.at(-1)).toBe(1);
  });
  test("are kept warm from call to call", async () => {
    expect(await runnerPid()).toBe(await runnerPid());
    expect(tool.runners()).toBe(1);
  });

  test("work side by side, and no more than the maximum", async () => {
    const pair = pythonTool({ ...options, runnersMax: 2 });
    const meet = (mine: string, other: string) =>
      [
        "import os, time",
        `open('${mine}', 'w').close()`,
        `while not os.path.exists('${other}'):`,
        "    time.sleep(0.01)",
        "result = os.getpid()",
      ].join("\n");
    const outputs = await Promise.all([
      pair.run({ code: meet("a", "b") }, toolContext()),
      pair.run({ code: meet("b", "a") }, toolContext()),
      pair.run({ code: pidCode }, toolContext()),
      pair.run({ code: pidCode }, toolContext()),
    ]);
    expect(outputs.map((output) => output.status)).toEqual(["ok", "ok", "ok", "ok"]);
    expect(new Set(outputs.map((output) => output.data)).size).toBe(2);
    expect(pair.runners()).toBe(2);
    await pair.close();
    expect(pair.runners()).toBe(0);
  });

  test("waiting for one counts into the deadline", async () => {
    const single = pythonTool({ ...options, runnersMax: 1 });
    const busy = new AbortController();
    const first = single.run({ code: "while True: pass" }, toolContext({ signal: busy.signal }));
    const second = await single.run({ code: pidCode, timeout: 0.1 }, toolContext());
    expect(second.error?.kind).toBe("timeout");
    const third = single.run({ code: pidCode }, toolContext());
    busy.abort();
    expect((await first).error?.kind).toBe("cancelled");
    expect((await third).status).toBe("ok");
    await single.close();
  });

  test("idle ones beyond those to keep are ended", async () => {
    const many = pythonTool({ ...options, runnersIdleMax: 1, idleMs: 50 });
    await Promise.all([1, 2, 3].map(() => many.run({ code: pidCode }, toolContext())));
    await eventually(() => many.runners() === 1);
    expect((await many.run({ code: pidCode }, toolContext())).status).toBe("ok");
    await many.close();
  });

  test("that died while idle are replaced", async () => {
    const pid = await runnerPid();
    process.kill(pid, "SIGKILL");
    await eventually(() => tool.runners() === 0);
    expect(await runnerPid()).not.toBe(pid);
  });

  test("end with the worker, even in the middle of a call, with all they started", async () => {
    const program = new URL("./code-worker-process.ts", import.meta.url).pathname;
    const environment = { ...process.env, USER: tag };
    const worker = Bun.spawn([process.execPath, program, "python"], {
      env: environment,
      stdout: "pipe",
    });
    const reader = worker.stdout.getReader();
    const { value } = await reader.read();
    const pids = JSON.parse(new TextDecoder().decode(value)) as number[];
    expect(pids.map(isAlive)).toEqual([true, true]);
    worker.kill("SIGKILL");
    await eventually(() => !pids.some(isAlive));
  });
});

// Without the interpreter there is nothing to test.
describe.skipIf(!installed)("a call that is stopped", () => {
  test("at its timeout is killed with the programs it started", async () => {
    const code = [
      "import subprocess",
      "child = subprocess.Popen(['sleep', '600'])",
      "print(child.pid)",
      "while True: pass",
    ].join("\n");
    const output = await tool.run({ code, timeout_seconds: 1 }, toolContext());
    expect(output.error).toEqual({
      kind: "timeout",
      message: "timed out after 1000 ms",
      retryable: true,
    });
    const child = Number(output.meta?.["stdout"]);
    expect(child).toBeGreaterThan(1);
    await eventually(() => !isAlive(child));
  });

  test("takes the shorter of its own and the command's time", async () => {
    const context = toolContext({ timeoutMs: 150 });
    const output = await tool.run({ code: "while True: pass", timeout: 600 }, context);
    expect(output.error?.message).toBe("timed out after 150 ms");
  });

  test("by its signal is cancelled, and not retryable", async () => {
    const controller = new AbortController();
    const context = toolContext({ signal: controller.signal, log: () => controller.abort() });
    const output = await tool.run({ code: "print('up')\nwhile True: pass" }, context);
    expect(output.error).toMatchObject({ kind: "cancelled", retryable: false });
    const again = await tool.run({ code: "result = 1" }, toolContext());
    expect(again.data).toBe(1);
  });

  test("before it began runs nothing", async () => {
    const mark = join(scratch, "ran");
    const code = `open(${JSON.stringify(mark)}, 'w').close()`;
    const output = await tool.run({ code }, toolContext({ signal: AbortSignal.abort() }));
    expect(output.error?.kind).toBe("cancelled");
    expect(existsSync(mark)).toBe(false);
  });
});

const hostile: Readonly<Record<string, readonly [code: string, message: RegExp]>> = {
  "os._exit": ["import os\nos._exit(4)", /^exited with code 4 before it gave a result$/],
  "os._exit(0)": ["import os\nos._exit(0)", /^exited with code 0 before it gave a result$/],
  "a segmentation fault": [
    "import ctypes\nctypes.string_at(0)",
    /^killed by signal SIG(SEGV|BUS)$/,
  ],
  "killing its whole group": [
    "import os, signal\nos.killpg(0, signal.SIGKILL)",
    /^killed by signal SIGKILL/,
  ],
  "an alarm": ["import signal, time\nsignal.alarm(1)\ntime.sleep(600)", /SIGALRM$/],
  "too much memory": ["x = bytearray(2 ** 40)", /^MemoryError/],
  "endless recursion": ["def f():\n    f()\nf()", /^RecursionError/],
  "closing every descriptor": [
    "import os\nos.closerange(0, 256)\nresult = 1",
    /^(exited with code \d+ before it gave a result|the process sent)/,
  ],
  "writing into the protocol": [
    "import os\nos.write(4, b'{\"id\": 1}\\n')\nresult = 1",
    /^the process sent/,
  ],
  "a broken SystemExit": ["raise SystemExit(object())", /^exited with code 1$/],
  "a keyboard interrupt": ["raise KeyboardInterrupt", /^KeyboardInterrupt$/],
};

// Without the interpreter there is nothing to test.
describe.skipIf(!installed)("hostile code", () => {
  for (const [name, [code, message]] of Object.entries(hostile)) {
    test(`${name} is a clear failure, and the next call works`, async () => {
      const output = await tool.run({ code, timeout: 30 }, toolContext());
      expect(output.status).toBe("error");
      expect(output.error?.message).toMatch(message);
      expect((await tool.run({ code: "result = 1" }, toolContext())).data).toBe(1);
    });
  }

  test("endless output ends at the timeout, within bounds", async () => {
    const code = "while True: print('x' * 1000)";
    const output = await tool.run({ code, timeout: 0.5 }, toolContext({ log: () => {} }));
    expect(output.error?.kind).toBe("timeout");
    expect(JSON.stringify(output).length).toBeLessThan(200_000);
  });

  const traces: Readonly<Record<string, string>> = {
    threads: "import threading, time\nthreading.Thread(target=time.sleep, args=(600,)).start()",
    "children that left the group":
      "import subprocess\nsubprocess.Popen(['sleep', '600'], start_new_session=True)",
    children: "import subprocess\nsubprocess.Popen(['sleep', '600'])",
    "a timer": "import signal\nsignal.alarm(600)",
    "signal handlers": "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)",
  };
  for (const [name, code] of Object.entries(traces)) {
    test(`${name} left behind end with the call: its process is replaced`, async () => {
      const output = await tool.run({ code: `${code}\n${pidCode}` }, toolContext());
      expect(output.status).toBe("ok");
      await eventually(() => !isAlive(Number(output.data)));
      expect(await runnerPid()).not.toBe(Number(output.data));
    });
  }

  test("a program that made itself a daemon ends with the call's process", async () => {
    const code = [
      "import os, time",
      "read, write = os.pipe()",
      "if os.fork() == 0:",
      "    os.setsid()",
      "    if os.fork() == 0:",
      "        os.write(write, str(os.getpid()).encode())",
      "        os.execvp('sleep', ['sleep', '600'])",
      "    os._exit(0)",
      "os.wait()",
      "print(os.read(read, 20).decode(), flush=True)",
      "os._exit(1)",
    ].join("\n");
    const output = await tool.run({ code }, toolContext());
    const daemon = Number(output.meta?.["stdout"]);
    expect(daemon).toBeGreaterThan(1);
    await eventually(() => !isAlive(daemon));
  });

  test("a forked copy ends instead of answering a second time", async () => {
    const code = "import os\npid = os.fork()\nresult = 'parent' if pid else 'child'";
    expect((await tool.run({ code }, toolContext())).data).toBe("parent");
    expect((await tool.run({ code: "result = 1" }, toolContext())).data).toBe(1);
  });

  test("a handler for SIGTERM delays no end", async () => {
    const code = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nwhile True: pass";
    const output = await tool.run({ code, timeout: 0.3 }, toolContext());
    expect(output.error?.kind).toBe("timeout");
  });

  test("leaves no core file and is the first to go when memory runs out", async () => {
    const code = [
      "import resource",
      "score = open('/proc/self/oom_score_adj').read().strip()",
      "result = [list(resource.getrlimit(resource.RLIMIT_CORE)), score]",
    ].join("\n");
    expect((await tool.run({ code }, toolContext())).data).toEqual([[0, 0], "1000"]);
  });

  test("another interpreter has processes of its own", async () => {
    const path = Bun.which("python3");
    writeFileSync(join(scratch, "python9"), `#!/bin/sh\nNINE=9 exec ${path} "$@"\n`, {
      mode: 0o755,
    });
    const config = {
      code: "import os\nresult = os.environ['NINE']",
      python: join(scratch, "python9"),
    };
    expect((await tool.run(config, toolContext())).data).toBe("9");
    const missing = await tool.run({ ...config, python: "/no/such/python" }, toolContext());
    expect(missing.error?.kind).toBe("missing_program");
  });
});
