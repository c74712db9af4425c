// `noetl dev` as a user runs it: one process that serves the API from a directory, and commands
// in that directory that find it by themselves.

import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { api } from "#core/wire/api";
import { repositoryRoot } from "#scripts/install";
import { noetl, type Running, startNoetl, type Workplace, workplace } from "#tests/cli/noetl";

const head = (name: string) =>
  `apiVersion: noetl.io/v2\nkind: Playbook\nmetadata: {name: ${name}, path: tests/${name}}\n`;
const hello = `${head("hello")}workload: {person: world}
workflow:
  - step: end
    tool: {kind: noop, result: {said: "hello {{ workload.person }}"}}
`;
/** Goes on when the file `go` is there. */
const waiting = `${head("waiting")}workflow:
  - step: first
    tool: {kind: noop, result: 1}
    next: {spec: {mode: exclusive}, arcs: [{step: slow}]}
  - step: slow
    tool: {kind: shell, command: "echo run >> runs; while [ ! -e go ]; do sleep 0.05; done; echo done"}
    next: {spec: {mode: exclusive}, arcs: [{step: end}]}
  - step: end
    tool: {kind: noop, result: {first: "{{ first }}"}}
`;
const sleeping = `${head("sleeping")}workflow:
  - step: start
    tool: {kind: shell, command: "sleep 60"}
`;

const files = {
  "examples/hello.yaml": hello,
  "examples/nested/waiting.yaml": waiting,
  "sleeping.yaml": sleeping,
};

interface Dev extends Running {
  readonly url: string;
  run(...argv: readonly string[]): ReturnType<typeof noetl>;
}

const started: Running[] = [];

async function startDev(place: Workplace, ...argv: readonly string[]): Promise<Dev> {
  const running = startNoetl(["dev", "--port", "0", ...argv], { cwd: place.folder });
  started.push(running);
  await running.says(/playbooks of examples\/ are in the catalog/);
  const [, url = ""] = /API +(http:\S+)\/api\n/.exec(running.out()) ?? [];
  return { ...running, url, run: (...args) => noetl(args, { cwd: place.folder }) };
}

async function stop(running: Running): Promise<void> {
  running.signal("SIGKILL");
  await running.ended;
}

/** Awaits a condition in the world outside; the test's own timeout bounds it. */
async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await Bun.sleep(20);
}

describe("a running noetl dev", () => {
  const place = workplace(files);
  let dev: Dev;
  beforeAll(async () => {
    dev = await startDev(place);
  });
  afterAll(async () => {
    await stop(dev);
    place.remove();
  });

  test("tells its address in .noetl/dev.json", async () => {
    expect(JSON.parse(readFileSync(place.path(".noetl/dev.json"), "utf8"))).toEqual({
      pid: dev.pid,
      url: dev.url,
      started_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      version: "0.1.0",
      token: expect.stringMatching(/^noetl_ses_/),
    });
    // Who may read it is the administrator of this machine.
    expect(statSync(place.path(".noetl/dev.json")).mode & 0o777).toBe(0o600);
    const health = await fetch(`${dev.url}/api/health`);
    expect(await health.json()).toMatchObject({ status: "ok", version: "0.1.0" });
  });

  test("describes every route of the contract with what it takes and gives", async () => {
    const answer = await fetch(`${dev.url}/openapi/json`);
    const { paths } = (await answer.json()) as {
      paths: Record<string, Record<string, Record<string, unknown>>>;
    };
    expect(Object.keys(paths)).toContain("/api/executions/{id}");
    const routes = Object.values(paths).flatMap((methods) => Object.keys(methods));
    expect(routes.length).toBe(Object.keys(api).length);
  });

  test("shows the description on a page that needs nothing from elsewhere", async () => {
    const answer = await fetch(`${dev.url}/openapi`);
    expect(answer.headers.get("content-type")).toContain("text/html");
    const page = await answer.text();
    expect(page).toContain('fetch("/openapi/json")');
    expect(page).not.toMatch(/https?:\/\//);
  });

  test("runs catalog paths for noetl run, and is found without being named", async () => {
    const { exitCode, out } = await dev.run("run", "tests/hello", "--set", "person=Ada");
    expect(exitCode).toBe(0);
    expect(out).toMatch(/^execution \d+ started: tests\/hello version 1$/m);
    expect(out).toMatch(/^execution \d+ completed in /m);
    expect(out).toContain('result: {"said":"hello Ada"}');
    expect(out).not.toContain("log:");
    const unknown = await dev.run("run", "tests/nobody");
    expect(unknown.exitCode).toBe(1);
    expect(unknown.err).toBe("noetl: playbook tests/nobody is not in the catalog\n");
  });

  test("takes a file that noetl run is given together with --server", async () => {
    place.write("local.yaml", hello.replace("tests/hello", "tests/local"));
    const { exitCode, out } = await dev.run("run", "local.yaml", "--server", dev.url, "--json");
    expect(exitCode).toBe(0);
    const { execution_id, status, result, steps } = JSON.parse(out);
    expect({ status, result }).toEqual({ status: "completed", result: { said: "hello world" } });
    expect(steps).toMatchObject([{ step: "end", visit: 1, status: "completed", attempts: 1 }]);
    const shown = await dev.run("status", execution_id);
    expect(shown.out).toContain("tests/local version 1");
    expect(shown.out).toContain('result: {"said":"hello world"}');
    const listed = JSON.parse((await dev.run("list", "--json", "--path", "tests/local")).out);
    expect(listed.executions).toMatchObject([{ execution_id, status: "COMPLETED" }]);
    const log = JSON.parse((await dev.run("events", execution_id, "--json")).out);
    expect(log.events.map(({ type }: { type: string }) => type)).toEqual([
      ...["playbook.started", "step.enter", "command.issued", "call.done", "step.exit"],
      "playbook.completed",
    ]);
  });

  test("registers files and folders, and says what is not fit", async () => {
    place.write("books/one.yaml", hello.replace("tests/hello", "books/one"));
    place.write("books/two.yaml", hello.replace("tests/hello", "books/two"));
    place.write("books/bad.yaml", hello.replace("noop", "nop"));
    place.write("books/one.test.yaml", "kind: PlaybookTest\n");
    const { exitCode, out, err } = await dev.run("register", "-d", "books");
    expect(exitCode).toBe(2);
    expect(err).not.toContain("one.test.yaml");
    expect(err).toMatch(/^books\/bad\.yaml:\d+:\d+: unknown tool kind 'nop'/);
    expect(out).toBe("books/one.yaml: books/one version 1\nbooks/two.yaml: books/two version 1\n");
    const again = await dev.run("register", "playbook", "books/one.yaml");
    expect(again).toMatchObject({
      exitCode: 0,
      out: "books/one.yaml: books/one version 1, unchanged\n",
    });
    const { out: listed } = await dev.run("catalog", "list");
    expect(listed).toMatch(/^books\/one +1 +Playbook/m);
    expect((await dev.run("catalog", "get", "books/one")).out).toBe(
      hello.replace("tests/hello", "books/one"),
    );
  });

  test("cancels what it is told to, and a run that follows it ends with 130", async () => {
    await dev.run("register", "sleeping.yaml");
    const following = startNoetl(["run", "tests/sleeping"], { cwd: place.folder });
    await following.says(/step start entered/);
    const [, id = ""] = /^execution (\d+)/.exec(following.out()) ?? [];
    const cancelled = await dev.run("cancel", id, "-r", "enough");
    expect(cancelled).toMatchObject({
      exitCode: 0,
      out: `${id}: the execution was cancelled\n`,
    });
    const { exitCode, out } = await following.ended;
    expect(exitCode).toBe(130);
    expect(out).toMatch(/cancelled after .*: enough/);
    expect((await dev.run("cancel", id)).out).toBe(`${id}: the execution had ended\n`);
  });

  test("an interrupted noetl run cancels its execution there", async () => {
    await dev.run("register", "sleeping.yaml");
    const following = startNoetl(["run", "tests/sleeping"], { cwd: place.folder });
    await following.says(/step start entered/);
    following.signal("SIGINT");
    expect((await following.ended).exitCode).toBe(130);
    const [, id = ""] = /^execution (\d+)/.exec(following.out()) ?? [];
    const { status } = JSON.parse((await dev.run("status", id, "--json")).out);
    expect(status).toBe("CANCELLED");
  });

  test("is the only one of its directory", async () => {
    const second = await dev.run("dev");
    expect(second).toMatchObject({ exitCode: 2, out: "" });
    expect(second.err).toContain(`process ${dev.pid} at ${dev.url}`);
    const reset = await dev.run("dev", "--reset");
    expect(reset.exitCode).toBe(2);
    expect((await dev.run("run", "tests/hello")).exitCode).toBe(0);
    expect(existsSync(place.path(".noetl/dev.json"))).toBe(true);
  });
});

describe("the life of noetl dev", () => {
  let place: Workplace;
  const fresh = () => {
    place = workplace(files);
    return place;
  };
  afterEach(async () => {
    for (const running of started.splice(0)) await stop(running);
    place.remove();
  });

  test("SIGTERM lets running tools end, then it ends with 0 and takes dev.json with it", async () => {
    const dev = await startDev(fresh());
    const following = startNoetl(["run", "tests/waiting"], { cwd: place.folder });
    await following.says(/step slow entered/);
    await until(() => existsSync(place.path("runs")));
    dev.signal("SIGTERM");
    await dev.says(/stopping/);
    place.write("go", "");
    expect((await dev.ended).exitCode).toBe(0);
    expect(existsSync(place.path(".noetl/dev.json"))).toBe(false);
    const again = await startDev(place);
    expect(again.url).not.toBe("");
    const { executions } = JSON.parse((await again.run("list", "--json")).out);
    await until(async () => {
      const { out } = await again.run("status", executions[0].execution_id, "--json");
      return JSON.parse(out).status === "COMPLETED";
    });
    expect(readFileSync(place.path("runs"), "utf8")).toBe("run\n");
    following.signal("SIGKILL");
    await following.ended;
  });

  test("what was running when it was killed goes on after the next start", async () => {
    const dev = await startDev(fresh());
    const following = startNoetl(["run", "tests/waiting", "--json"], { cwd: place.folder });
    await until(() => existsSync(place.path("runs")));
    dev.signal("SIGKILL");
    await dev.ended;
    expect(existsSync(place.path(".noetl/dev.json"))).toBe(true);
    place.write("go", "");
    const port = new URL(dev.url).port;
    await startDev(place, "--port", port);
    const { exitCode, out } = await following.ended;
    const { status, steps } = JSON.parse(out);
    expect({ exitCode, status }).toEqual({ exitCode: 0, status: "completed" });
    // Killed within moments of the hand-over, before the worker had spoken of it, it cost no attempt.
    expect(steps).toMatchObject([
      { step: "first", attempts: 1 },
      { step: "slow", attempts: expect.any(Number) },
      { step: "end", attempts: 1 },
    ]);
  }, 90_000);

  test("--reset forgets the log and the catalog", async () => {
    const dev = await startDev(fresh());
    await dev.run("run", "tests/hello");
    dev.signal("SIGTERM");
    await dev.ended;
    const again = await startDev(place);
    expect(JSON.parse((await again.run("list", "--json")).out).executions.length).toBe(1);
    again.signal("SIGTERM");
    await again.ended;
    const reset = await startDev(place, "--reset");
    expect(JSON.parse((await reset.run("list", "--json")).out).executions).toEqual([]);
  });

  test("bun run dev starts it from a checkout", async () => {
    const { scripts } = JSON.parse(readFileSync(join(repositoryRoot, "package.json"), "utf8"));
    expect(scripts.dev).toBe("bun scripts/dev.ts");
    fresh();
    const running = startNoetl(["--port", "0"], { cwd: place.folder, script: "scripts/dev.ts" });
    started.push(running);
    await running.says(/ready in \d+ ms/);
    running.signal("SIGINT");
    expect((await running.ended).exitCode).toBe(0);
  });

  test("a port that is taken makes it take the next free one", async () => {
    const taken = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response("mine") });
    const dev = await startDev(fresh(), "--port", String(taken.port));
    expect(Number(new URL(dev.url).port)).toBeGreaterThan(Number(taken.port));
    await taken.stop(true);
  });

  test("DATABASE_URL is refused, and not shown", async () => {
    const env = { DATABASE_URL: "postgres://app:hunter2@db/app" };
    const { exitCode, err } = await noetl(["dev"], { cwd: fresh().folder, env });
    expect(exitCode).toBe(2);
    expect(err).toContain("DATABASE_URL: noetl dev keeps its log in .noetl/data");
    expect(err).not.toContain("hunter2");
  });

  test("commands that need a server say that there is none", async () => {
    const { folder } = fresh();
    for (const argv of [["list"], ["status", "1"], ["run", "tests/hello"], ["catalog", "list"]]) {
      const { exitCode, err } = await noetl(argv, { cwd: folder });
      expect({ exitCode, named: /noetl dev/.test(err) }).toEqual({ exitCode: 2, named: true });
    }
  });
});
