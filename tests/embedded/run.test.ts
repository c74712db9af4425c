// `noetl run FILE` as a user runs it: a playbook file, in one process, on stores in memory.

import { afterAll, describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { readRunLog } from "#core/adapters/run-log";
import { decodeEvent } from "#core/model/codec";
import { noetl, startNoetl, workplace } from "#tests/cli/noetl";
import { livingProcesses } from "#tests/tools/processes";

const head = (name: string) =>
  `apiVersion: noetl.io/v2\nkind: Playbook\nmetadata: {name: ${name}, path: tests/${name}}\n`;

const hello = `${head("hello")}workload: {person: world, deep: {a: 1, b: 2}}
workflow:
  - step: start
    tool: {kind: noop, result: {said: "hello {{ workload.person }}"}}
    next: {spec: {mode: exclusive}, arcs: [{step: end}]}
  - step: end
    tool: {kind: noop, result: {said: "{{ start.said }}", deep: "{{ workload.deep }}"}}
`;
const failing = `${head("failing")}workflow:
  - step: start
    tool: {kind: shell, command: "echo to the log; echo no good >&2; exit 3"}
`;
const loop = `${head("loop")}workflow:
  - step: each
    loop: {in: [1, 0, 2], iterator: n, spec: {mode: sequential}}
    tool: {kind: noop, result: "{{ 1 // n }}"}
    next: {spec: {mode: exclusive}, arcs: [{step: end, when: "{{ event.name == 'loop.done' }}"}]}
  - step: end
    tool: {kind: noop, result: "{{ each.stats }}"}
`;
const retried = `${head("retried")}workflow:
  - step: start
    tool:
      kind: shell
      command: "echo no good >&2; exit 3"
      spec: {policy: {rules: [{when: "{{ output.status == 'error' }}", then: {do: retry, attempts: 3, delay: 0.05}}]}}
`;
const parent = `${head("parent")}workflow:
  - step: ask
    tool: {kind: playbook, path: tests/child, return_result: true, input: {n: 20}}
    next: {spec: {mode: exclusive}, arcs: [{step: end}]}
  - step: end
    tool: {kind: noop, result: {child: "{{ ask }}"}}
`;
const child = `${head("child")}workload: {n: 1}
workflow:
  - step: end
    tool: {kind: noop, result: {twice: "{{ workload.n * 2 }}"}}
`;
const sleeping = `${head("sleeping")}workflow:
  - step: start
    tool: {kind: shell, command: "echo awake; exec sleep 60"}
    next: {spec: {mode: exclusive}, arcs: [{step: end}]}
  - step: end
    tool: {kind: noop}
`;
const large = `${head("large")}workflow:
  - step: end
    tool: {kind: noop, result: {text: "{{ 'x' * 200000 }}"}}
`;

const place = workplace({
  "hello.yaml": hello,
  "failing.yaml": failing,
  "retried.yaml": retried,
  "loop.yaml": loop,
  "family/parent.yaml": parent,
  "family/child.yaml": child,
  "family/broken.yaml": "kind: Playbook\n",
  "sleeping.yaml": sleeping,
  "large.yaml": large,
  "bad.yaml": hello.replace("kind: noop", "kind: nop").replace("step: end}", "step: edn}"),
  "input.yaml": "person: Grace\nextra: [1, 2]\n",
});
afterAll(() => place.remove());

const cwd = place.folder;
const run = (...argv: readonly string[]) => noetl(["run", ...argv], { cwd });
const report = async (...argv: readonly string[]) => {
  const ended = await run(...argv, "--json");
  return { ...ended, json: JSON.parse(ended.out) };
};
const sha256 = (text: string) => Bun.SHA256.hash(text, "hex");

describe("a playbook that completes", () => {
  test("is told line by line, with its result and the place of its log, and ends with 0", async () => {
    const { exitCode, out, err } = await run("hello.yaml", "--set", "person=Ada");
    expect({ exitCode, err }).toEqual({ exitCode: 0, err: "" });
    const lines = out.replaceAll(/\d+ ms/g, "N ms").replaceAll(/\d{15,}/g, "ID");
    expect(lines).toBe(`execution ID started: tests/hello version 1
step start entered
step start completed in N ms
step end entered
step end completed in N ms
execution ID completed in N ms
result: {"said":"hello Ada","deep":{"a":1,"b":2}}
log: .noetl/runs/ID.jsonl
`);
  });

  test("is one JSON document with --json, and nothing else", async () => {
    const { exitCode, err, json } = await report("hello.yaml");
    expect({ exitCode, err }).toEqual({ exitCode: 0, err: "" });
    const step = { visit: 1, status: "completed", attempts: 1 };
    const times = { started_at: expect.any(String), duration_ms: expect.any(Number) };
    expect(json).toEqual({
      execution_id: expect.stringMatching(/^\d+$/),
      path: "tests/hello",
      version: 1,
      status: "completed",
      result: { said: "hello world", deep: { a: 1, b: 2 } },
      steps: [
        { step: "start", ...step, ...times },
        { step: "end", ...step, ...times },
      ],
      duration_ms: expect.any(Number),
    });
  });

  test("takes its input from a file, then a payload, then single values", async () => {
    const { json } = await report(
      ...[
        "hello.yaml",
        "-i",
        "input.yaml",
        "--payload",
        '{"deep": {"a": 7}}',
        "--set",
        "deep.c=[1]",
      ],
    );
    expect(json.result).toEqual({ said: "hello Grace", deep: { a: 7, c: [1] } });
  });

  test("stands in line as it is told to, which its first event says", async () => {
    const { json } = await report("hello.yaml", "--priority", "-5", "--tenant", "acme");
    const file = place.path(`.noetl/runs/${json.execution_id}.jsonl`);
    const [first] = readRunLog(readFileSync(file, "utf8"), sha256).map(decodeEvent);
    expect(first).toMatchObject({ type: "playbook.started", priority: -5, tenant: "acme" });
    const plain = await report("hello.yaml");
    const other = readFileSync(place.path(`.noetl/runs/${plain.json.execution_id}.jsonl`), "utf8");
    expect(readRunLog(other, sha256).map(decodeEvent)[0]).not.toHaveProperty("tenant");
  });

  test("leaves a log whose every line is in the chain of digests", async () => {
    const { json } = await report("hello.yaml");
    const file = place.path(`.noetl/runs/${json.execution_id}.jsonl`);
    const content = readFileSync(file, "utf8");
    const events = readRunLog(content, sha256).map(decodeEvent);
    expect(events.map(({ type }) => type)).toEqual([
      ...(["playbook.started", "step.enter", "command.issued", "call.done", "step.exit"] as const),
      ...([
        "step.enter",
        "command.issued",
        "call.done",
        "step.exit",
        "playbook.completed",
      ] as const),
    ]);
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
    expect(() => readRunLog(content.replace("hello world", "hello there"), sha256)).toThrow(
      "line 3: the digest does not match",
    );
    const { out } = await noetl(["events", json.execution_id], { cwd });
    expect(out).toMatch(/^ +1 .* playbook\.started .*\n/);
    expect(out.trimEnd().split("\n").length).toBe(10);
  });

  test("completes without its log where that can't be written, and says so", async () => {
    const read = workplace({ "hello.yaml": hello, ".noetl": "a file is in the way" });
    const { exitCode, out } = await noetl(["run", "hello.yaml"], { cwd: read.folder });
    read.remove();
    expect(exitCode).toBe(0);
    expect(out.match(/^note: the log can't be written to \.noetl\/runs: /gm)?.length).toBe(1);
  });

  test("gives a result that was stored whole with --json", async () => {
    const { json } = await report("large.yaml");
    expect(json.result).toEqual({ text: "x".repeat(200_000) });
    const { out } = await run("large.yaml");
    expect(out).toMatch(/^result: 200011 bytes, stored as noetl:/m);
  });

  test("starts at another step with --target", async () => {
    const { json } = await report("hello.yaml", "--target", "end");
    expect(json.steps.map(({ step }: { step: string }) => step)).toEqual(["end"]);
    const unknown = await run("hello.yaml", "--target", "middle");
    expect(unknown).toMatchObject({ exitCode: 2, out: "" });
    expect(unknown.err).toContain("--target middle: expected one of start, end");
  });
});

describe("a playbook that fails", () => {
  test("ends with 1 and says which step failed and why", async () => {
    const { exitCode, out } = await run("failing.yaml");
    expect(exitCode).toBe(1);
    expect(out).toMatch(/^step start failed in \d+ ms, .*code 3/m);
    expect(out).toMatch(/^execution \d+ failed after \d+ ms: failed steps: start/m);
    expect(out).not.toContain("to the log");
  });

  test("tells of every retry while it goes on, after the step was entered", async () => {
    const { out } = await run("retried.yaml");
    const lines = out.split("\n");
    const entered = lines.indexOf("step start entered");
    expect(lines.slice(entered + 1, entered + 3)).toEqual([
      "step start: attempt 2 in 50 ms, exited with code 3",
      "step start: attempt 3 in 50 ms, exited with code 3",
    ]);
    expect(lines[entered + 3]).toContain("3 attempts");
  });
  test("names the error in the JSON document", async () => {
    const { exitCode, json } = await report("failing.yaml");
    expect(exitCode).toBe(1);
    expect(json).toMatchObject({ status: "failed", result: null });
    expect(json.error).toContain("failed steps: start");
    expect(json.steps[0]).toMatchObject({ status: "failed", error: expect.stringMatching(/3/) });
  });

  test("shows what tools print with -v, by step", async () => {
    const { out } = await run("failing.yaml", "-v");
    expect(out).toContain("stdout start: to the log\n");
    expect(out).toContain("stderr start: no good\n");
  });

  test("names the item of a loop that failed, and goes on where the playbook recovers", async () => {
    const { exitCode, out } = await run("loop.yaml");
    expect(exitCode).toBe(0);
    expect(out).toContain("step each entered, 3 items\n");
    expect(out).toMatch(/^step each item 1 failed: .*(?:zero|division)/m);
    expect(out).toMatch(/^step each failed in .*, 3\/3, 1 failed, recovered/m);
    expect(out).toContain('result: {"total":3,"success":2,"failed":1}');
  });
});

describe("sub-playbooks", () => {
  test("are found in the folder of the playbook and shown under the step that waits", async () => {
    const { exitCode, out } = await run("family/parent.yaml");
    expect(exitCode).toBe(0);
    const lines = out.split("\n").map((line) => line.replaceAll(/\d+/g, "N"));
    expect(lines.slice(1, 7)).toEqual([
      "step ask entered",
      "  execution N started: tests/child version N",
      "  step end entered",
      "  step end completed in N ms",
      "  execution N completed in N ms",
      "step ask completed in N ms",
    ]);
    expect(out).toContain('"twice":40');
  });
});

describe("what can't run", () => {
  test("an invalid playbook prints every problem at its place, runs nothing and ends with 2", async () => {
    const { exitCode, out, err } = await run("bad.yaml");
    expect({ exitCode, out }).toEqual({ exitCode: 2, out: "" });
    expect(err).toMatch(/^bad\.yaml:7:18: unknown tool kind 'nop'/m);
    expect(err).toMatch(/^bad\.yaml:8:\d+: .*edn/m);
  });

  test.each([
    [["nowhere.yaml"], "nowhere.yaml: no such file, and no server"],
    [["hello.yaml", "--sett", "a=1"], "unknown flag --sett, did you mean 'set'?"],
    [["hello.yaml", "--set", "a"], "--set a: expected key=value"],
    [["hello.yaml", "--set", "__proto__.a=1"], "__proto__ can't be a key"],
    [["hello.yaml", "--payload", "[1]"], "--payload: expected a map"],
    [["hello.yaml", "-i", "none.yaml"], "--input none.yaml: can't be read"],
    [["hello.yaml", "--priority", "1.5"], "--priority: expected a whole number from -1000 to 1000"],
    [["hello.yaml", "--priority", "1001"], "found 1001"],
    [["hello.yaml", "--tenant", ""], "--tenant: expected a name"],
    [["hello.yaml", "more.yaml"], 'expected FILE|PATH, found "more.yaml" as well'],
    [[], "expected FILE|PATH"],
    [["hello.yaml", "--server", "localhost"], "--server: expected an http or https address"],
  ])("noetl run %p ends with 2 and says so", async (argv, message) => {
    const { exitCode, out, err } = await run(...argv);
    expect({ exitCode, out }).toEqual({ exitCode: 2, out: "" });
    expect(err).toContain(message);
  });

  test("a server that does not answer ends with 1", async () => {
    const { exitCode, err } = await run("hello.yaml", "--server", "http://127.0.0.1:9");
    expect(exitCode).toBe(1);
    expect(err).toContain("http://127.0.0.1:9 does not answer");
  });
});

describe("an interrupt", () => {
  test("cancels the execution, stops its tools, keeps the log whole and ends with 130", async () => {
    const file = place.write("long.yaml", sleeping.replace("sleep 60", "sleep 61.0401"));
    const running = startNoetl(["run", file, "-v"], { cwd });
    await running.says(/stdout start: awake/);
    running.signal("SIGINT");
    const { exitCode, out } = await running.ended;
    expect(exitCode).toBe(130);
    expect(out).toMatch(/^execution \d+ cancelled after .*: interrupted$/m);
    const [, id = ""] = /^execution (\d+)/.exec(out) ?? [];
    const content = readFileSync(place.path(`.noetl/runs/${id}.jsonl`), "utf8");
    expect(readRunLog(content, sha256).map(decodeEvent).at(-1)?.type).toBe("playbook.cancelled");
    expect(livingProcesses("61.0401")).toEqual([]);
  });

  test("a second one quits without waiting for tools that won't end", async () => {
    const script = "trap '' TERM; echo awake; while true; do sleep 0.6203; done";
    const file = place.write(
      "stubborn.yaml",
      sleeping.replace("echo awake; exec sleep 60", script),
    );
    const running = startNoetl(["run", file, "-v"], { cwd });
    await running.says(/stdout start: awake/);
    running.signal("SIGINT");
    await running.says(/cancelled after/);
    running.signal("SIGINT");
    expect((await running.ended).exitCode).toBe(130);
    const left = livingProcesses("trap '' TERM; echo awake");
    expect(left.length).toBeGreaterThan(0);
    for (const pid of left) process.kill(pid, "SIGKILL");
  });
});

describe("credentials", () => {
  const asking = `${head("asking")}workflow:
  - step: start
    tool: {kind: http, url: "http://127.0.0.1:9/", auth: {type: bearer, credential: partner}}
`;

  test("one that nobody has is told with the way to give it", async () => {
    place.write("asking.yaml", asking);
    const { exitCode, out } = await run("asking.yaml");
    expect(exitCode).toBe(1);
    expect(out).toContain("note: credential partner is not defined");
    expect(out).toContain("NOETL_CREDENTIALS_FILE");
  });

  test("come from the file that NOETL_CREDENTIALS_FILE names, and are never shown", async () => {
    const server = Bun.serve({
      port: 0,
      fetch: (request) =>
        Response.json({
          authorized: request.headers.get("authorization") === "Bearer s3cr3t-token",
        }),
    });
    try {
      place.write("asking.yaml", asking.replace("http://127.0.0.1:9/", server.url.href));
      place.write("keys.yaml", "partner: {type: bearer, data: {token: s3cr3t-token}}\n");
      const env = { NOETL_CREDENTIALS_FILE: "keys.yaml" };
      const { out, err } = await noetl(["run", "asking.yaml", "-v"], { cwd, env });
      expect(out).toContain('"authorized":true');
      expect(out + err).not.toContain("s3cr3t");
      place.write("keys.yaml", "partner: s3cr3t-token\n");
      const broken = await noetl(["run", "asking.yaml"], { cwd, env });
      expect(broken.exitCode).toBe(1);
      expect(broken.out).toContain("keys.yaml: partner: expected {type: text, data: {…}}");
      expect(broken.out + broken.err).not.toContain("s3cr3t");
    } finally {
      await server.stop(true);
    }
  });

  test("pg_local is a scratch database that is gone with the run", async () => {
    place.write(
      "sql.yaml",
      `${head("sql")}workflow:
  - step: start
    tool: {kind: postgres, credential: pg_local, command: "create table t (n int); insert into t values (1), (41)"}
    next: {spec: {mode: exclusive}, arcs: [{step: each}]}
  - step: each
    loop: {in: [1, 2, 3, 4, 5, 6], iterator: n, spec: {mode: parallel, max_in_flight: 6}}
    tool: {kind: postgres, credential: pg_local, command: "insert into t values ({{ n }})"}
    next: {spec: {mode: exclusive}, arcs: [{step: end}]}
  - step: end
    tool: {kind: postgres, credential: pg_local, command: "select sum(n)::int as sum from t"}
`,
    );
    const scratch = place.path("tmp");
    place.write("tmp/keep", "");
    const { exitCode, out } = await noetl(["run", "sql.yaml"], { cwd, env: { TMPDIR: scratch } });
    expect(exitCode).toBe(0);
    expect(out).toContain('"sum":63');
    expect(readdirSync(scratch)).toEqual(["keep"]);
  });
});

test("a machine without python3 is told how to install it", async () => {
  place.write(
    "python.yaml",
    `${head("python")}workflow:\n  - step: start\n    tool: {kind: python, code: "result = 1"}\n`,
  );
  const { exitCode, out } = await noetl(["run", "python.yaml"], { cwd, env: { PATH: "/nowhere" } });
  expect(exitCode).toBe(1);
  expect(out).toContain("python3 is not installed; install it with: apt-get install -y python3");
  expect(existsSync(place.path(".noetl/runs"))).toBe(true);
});
