// What tools print, as the command line shows it: afterwards, while it is printed, and with a run.

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { type Listening, listen } from "#core/adapters/listen";
import { type House, startHouse } from "#tests/support/embedded";
import { noetl, startNoetl, workplace } from "./noetl.ts";

const printing = `apiVersion: noetl.io/v2
kind: Playbook
metadata: {name: printing, path: t/printing}
workflow:
  - step: first
    tool:
      kind: python
      code: |
        import sys
        print("one")
        print("two", file=sys.stderr)
        result = 1
    next: {arcs: [{step: second}]}
  - step: second
    tool: {kind: python, code: "print('three')"}
`;

const held = `apiVersion: noetl.io/v2
kind: Playbook
metadata: {name: held, path: t/held}
workload: {go: /nowhere}
workflow:
  - step: start
    tool:
      kind: python
      input: {go: "{{ workload.go }}"}
      code: |
        import os, time
        print("begun", flush=True)
        while not os.path.exists(go):
            time.sleep(0.02)
        print("ended")
`;

const parent = `apiVersion: noetl.io/v2
kind: Playbook
metadata: {name: parent, path: t/parent}
workflow:
  - step: start
    tool: {kind: playbook, path: t/printing}
    next: {arcs: [{step: own}]}
  - step: own
    tool: {kind: python, code: "print('mine')"}
`;

/** Starting processes on a busy machine takes its time. */
setDefaultTimeout(60_000);

const place = workplace();
let house: House | undefined;
let server: Listening | undefined;
const opened = (): { readonly house: House; readonly url: string } => {
  if (house === undefined || server === undefined) throw new Error("the house did not open");
  return { house, url: server.url };
};

beforeAll(async () => {
  house = await startHouse({ store: "pglite", playbooks: [printing, held, parent] });
  server = listen(house.embedded.fetch, { host: "127.0.0.1", port: 0 });
});
afterAll(async () => {
  await server?.stop();
  await house?.close();
  place.remove();
});

const run = (argv: readonly string[]) =>
  noetl([...argv, "--server", opened().url], { cwd: place.folder });
/** Without the times in front. */
const said = (out: string) => out.replaceAll(/^\d\d:\d\d:\d\d\.\d{3} /gm, "");

describe("noetl logs", () => {
  let id = "";
  beforeAll(async () => {
    id = (await opened().house.run("t/printing")).executionId;
    // The last lines are sent a moment after the outcome they belong to.
    await run(["logs", id, "--follow"]);
  });

  test("prints what the tools of an execution printed", async () => {
    const { exitCode, out, err } = await run(["logs", id]);
    expect([exitCode, err]).toEqual([0, ""]);
    const lines = said(out).trim().split("\n");
    expect(lines.toSorted()).toEqual([
      "stderr first: two",
      "stdout first: one",
      "stdout second: three",
    ]);
    expect(lines.at(-1)).toBe("stdout second: three");
    expect(out).toMatch(/^\d\d:\d\d:\d\d\.\d{3} std/);
  });

  test("prints only those of a step or a stream", async () => {
    expect(said((await run(["logs", id, "--step", "second"])).out)).toBe("stdout second: three\n");
    expect(said((await run(["logs", id, "--stream", "stderr"])).out)).toBe("stderr first: two\n");
    expect((await run(["logs", id, "--step", "nosuch"])).out).toBe("");
  });

  test("prints one document a line with --json", async () => {
    const { out } = await run(["logs", id, "--json", "--step", "second"]);
    const line = { execution_id: id, command_id: `${id}:second:1`, attempt: 1, step: "second" };
    expect(JSON.parse(out)).toMatchObject({ ...line, stream: "stdout", text: "three" });
  });

  test("refuses what is no execution, and a stream that there isn't", async () => {
    expect(await run(["logs", "x"])).toMatchObject({ exitCode: 2 });
    expect(await run(["logs", id, "--stream", "stdin"])).toMatchObject({ exitCode: 2 });
    const unknown = await run(["logs", "1234567890123456789", "--follow"]);
    expect(unknown).toMatchObject({ exitCode: 1 });
    expect(unknown.err).toContain("does not exist");
  });
});

test("noetl logs --follow prints lines while the tool runs, and ends with the execution", async () => {
  const go = place.path("go-logs");
  const id = await opened().house.start("t/held", { go });
  const argv = ["logs", id, "--follow", "--server", opened().url];
  const following = startNoetl(argv, { cwd: place.folder });
  await following.says(/stdout start: begun/);
  place.write("go-logs", "");
  const { exitCode, out } = await following.ended;

  expect(exitCode).toBe(0);
  expect(said(out)).toBe("stdout start: begun\nstdout start: ended\n");
});

test("noetl run -v shows lines of a server's workers while the run goes on", async () => {
  const go = place.path("go-run");
  const argv = ["run", "t/held", "-v", "--set", `go=${go}`, "--server", opened().url];
  const running = startNoetl(argv, { cwd: place.folder });
  await running.says(/stdout start: begun/);
  place.write("go-run", "");
  const { exitCode, out } = await running.ended;

  expect(exitCode).toBe(0);
  expect(out).toContain("stdout start: ended\n");
});

test("noetl run -v shows lines of sub-playbooks too; without it there are none", async () => {
  const loud = await run(["run", "t/parent", "-v"]);
  const lines = loud.out.split("\n").filter((line) => line.startsWith("std"));
  expect(lines.toSorted()).toEqual([
    "stderr first: two",
    "stdout first: one",
    "stdout own: mine",
    "stdout second: three",
  ]);
  const quiet = await run(["run", "t/printing"]);
  expect(quiet.out).not.toMatch(/^std/m);
  expect(quiet.exitCode).toBe(0);
});
