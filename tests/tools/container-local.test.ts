// Containers on the worker's own machine, by a stand-in for the runtime's program that writes down
// what it is told; the real one is asked where there is one.

import { afterAll, afterEach, describe, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { JsonObject } from "#core/model/json";
import { callsOf, loggedText, toolContext } from "#tests/tools/context";
import { containerTool } from "#worker/tools/container";

const folder = mkdtempSync(join(tmpdir(), "noetl-docker-"));
const calls = join(folder, "calls");
const envCopy = join(folder, "env");
const envMode = join(folder, "mode");
const envName = join(folder, "name");
writeFileSync(
  join(folder, "docker"),
  `#!/bin/sh
echo "$@" >> ${calls}
case $1 in
  run) ;;
  kill) kill -9 $(cat ${folder}/pid); exit 0 ;;
  *) exit 0 ;;
esac
echo $$ > ${folder}/pid
while [ "$1" != --env-file ]; do shift; done
cp "$2" ${envCopy}; stat -c %a "$2" > ${envMode}; echo "$2" > ${envName}
case "$*" in
  *hang*) echo started; exec sleep 600 ;;
  *broken*) echo "no such image" >&2; exit 125 ;;
  *fails*) echo out; echo err >&2; exit 3 ;;
esac
echo out
echo err >&2
`,
);
chmodSync(join(folder, "docker"), 0o755);

const environment = { PATH: `${folder}:/usr/bin:/bin`, SECRET_OF_WORKER: "hidden" };
const local = callsOf(containerTool({ runtime: "docker", environment }));

afterEach(() => {
  for (const file of [calls, envCopy, envMode]) rmSync(file, { force: true });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const plain: JsonObject = { image: "example/etl:1" };
const lines = (): readonly string[] => readFileSync(calls, "utf8").trim().split("\n");
const nameOf = (line: string): string => /--name (\S+)/.exec(line)?.[1] ?? "";

describe("a local container", () => {
  test("gives what it printed and how it ended", async () => {
    const context = toolContext();
    const output = await containerTool({ runtime: "docker", environment }).run(plain, context);
    const [line = ""] = lines();
    expect(output).toEqual({
      status: "ok",
      data: { exit_code: 0, stdout: "out\n", stderr: "err\n", job_name: nameOf(line) },
    });
    expect(nameOf(line)).toMatch(/^noetl-[0-9a-f]{16}$/);
    expect(loggedText(context, "stdout")).toBe("out");
    expect(loggedText(context, "stderr")).toBe("err");
  });

  test("gets its values in a file that only the worker reads, and that is gone after", async () => {
    const config = { ...plain, env: { PASSWORD: "s3 cret=#x" }, input: { day: 1 } };
    await local.data(config);
    expect(lines().join()).not.toContain("cret");
    const env = readFileSync(envCopy, "utf8").split("\n");
    expect(env).toContain("PASSWORD=s3 cret=#x");
    expect(env).toContain('NOETL_INPUT={"day":1}');
    expect(env).toContain(`NOETL_COMMAND_ID=${toolContext().commandId}`);
    expect(env.join()).not.toContain("hidden");
    expect(readFileSync(envMode, "utf8").trim()).toBe("600");
    expect(existsSync(readFileSync(envName, "utf8").trim())).toBe(false);
  });

  test("runs its command in place of the image's program, within its limits", async () => {
    const limits = { memory: "512Mi", cpu: "1500m" };
    const config = { ...plain, command: ["python", "-m"], args: ["etl"], resources: { limits } };
    await local.data(config);
    expect(lines()[0]).toEndWith(
      "--memory 536870912 --cpus 1.5 --entrypoint python example/etl:1 -m etl",
    );
  });

  test("that fails is an outcome with its exit code and what it printed", async () => {
    expect(await local.run({ ...plain, args: ["fails"] })).toMatchObject({
      status: "error",
      error: {
        kind: "container",
        code: 3,
        message: "the container exited with code 3",
        retryable: false,
      },
      data: { exit_code: 3, stdout: "out\n", stderr: "err\n" },
    });
    expect(await local.error({ ...plain, args: ["broken"] })).toMatchObject({
      code: 125,
      message: "docker could not run the container, exit code 125",
    });
  });

  test("is killed and removed at its deadline, and when the call is cancelled", async () => {
    const hangs = { ...plain, args: ["hang"] };
    expect(await local.error({ ...hangs, timeout: 0.2 })).toMatchObject({ kind: "timeout" });
    const [run = "", kill = "", remove = ""] = lines();
    expect([kill, remove]).toEqual([`kill ${nameOf(run)}`, `rm -f ${nameOf(run)}`]);

    const ending = new AbortController();
    const context = { signal: ending.signal, log: () => ending.abort(new Error("cancelled")) };
    expect(await local.error(hangs, context)).toMatchObject({ kind: "cancelled" });
    expect(lines().slice(4)).toEqual([kill, remove]);
  });

  test("of an attempt before is removed first", async () => {
    await local.data(plain, { attempt: 2 });
    const [remove, run = ""] = lines();
    expect(remove).toBe(`rm -f ${nameOf(run)}`);
  });

  test("takes nothing that only a cluster has", async () => {
    for (const [config, name] of [
      [{ volumes: [{ name: "host", hostPath: { path: "/" } }] }, "volumes"],
      [{ node_selector: { a: "b" } }, "node_selector"],
      [{ env: [{ name: "A", value_from: { secret_name: "s", secret_key: "k" } }] }, "env.A"],
      [{ env: { A: "two\nlines" } }, "env.A"],
      [{ resources: { limits: { memory: "much" } } }, "resources.limits.memory"],
    ] as const) {
      const failed = await local.error({ ...plain, ...config });
      expect([failed.kind, failed.message]).toEqual(["config", expect.stringContaining(name)]);
    }
    expect(existsSync(calls)).toBe(false);
  });

  test("needs the runtime's program", async () => {
    const nowhere = callsOf(containerTool({ runtime: "podman", environment: { PATH: folder } }));
    expect(await nowhere.error(plain)).toMatchObject({ kind: "missing_program" });
  });
});

const daemon = Bun.spawnSync(["sh", "-c", "docker info && docker image inspect busybox"], {
  stdout: "ignore",
  stderr: "ignore",
  timeout: 5_000,
});
const isMissing = daemon.exitCode !== 0;

// Without a daemon that has an image there is nothing to ask.
if (isMissing) test.skip("docker with the image busybox: needed for a real run", () => undefined);

// Skipped for the reason above.
test.skipIf(isMissing)("docker itself runs it", async () => {
  const real = callsOf(containerTool({ runtime: "docker" }));
  const script = 'echo "$NOETL_INPUT"; exit 4';
  const output = await real.run({
    image: "busybox",
    command: ["sh", "-c"],
    args: [script],
    input: { a: 1 },
  });
  expect(output).toMatchObject({ status: "error", data: { exit_code: 4, stdout: '{"a":1}\n' } });
});
