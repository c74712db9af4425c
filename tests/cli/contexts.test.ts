// Contexts and tokens: which server a command asks, and that a token is shown to nobody else.

import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import { chmodSync, existsSync, readFileSync, rmSync, statSync } from "node:fs";
import { contextsFile, readContexts, writeContexts } from "#cli/contexts";
import { runHere } from "./in-process.ts";
import { workplace } from "./noetl.ts";

const place = workplace();
const directory = place.path("noetl");
const home = { NOETL_CONFIG_HOME: place.folder, NOETL_DIRECTORY: directory };

interface Heard {
  readonly path: string;
  readonly token: string | null;
}

/** A server that says who it is, and keeps what it was shown. */
function standIn(
  answer: (path: string, token: string | null) => Response = () => Response.json([]),
) {
  const heard: Heard[] = [];
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: (request) => {
      const path = new URL(request.url).pathname;
      heard.push({ path, token: request.headers.get("authorization") });
      return path === "/api/health"
        ? Response.json({ status: "ok", version: "0.0.0" })
        : answer(path, request.headers.get("authorization"));
    },
  });
  return { url: `http://127.0.0.1:${server.port}`, heard, stop: () => server.stop(true) };
}

const own = standIn();
const other = standIn();
afterAll(async () => {
  await Promise.all([own.stop(), other.stop()]);
  place.remove();
});
beforeEach(() => {
  rmSync(contextsFile(home), { force: true });
  rmSync(directory, { recursive: true, force: true });
  own.heard.length = 0;
  other.heard.length = 0;
});

const keep = (url: string, token?: string, current = true): void => {
  const prod = { server_url: url, runtime: "auto" as const };
  writeContexts(
    {
      ...(current ? { current: "prod" } : {}),
      contexts: { prod: token === undefined ? prod : { ...prod, token } },
    },
    contextsFile(home),
  );
};
const run = (argv: readonly string[], environment: Readonly<Record<string, string>> = {}) =>
  runHere(argv, { ...home, ...environment });
const devAt = (url: string, token: string): void => {
  place.write("noetl/dev.json", JSON.stringify({ pid: process.pid, url, token, started_at: "" }));
};

describe("a command asks", () => {
  test("the current context, with its token", async () => {
    keep(own.url, "secret-1");
    expect(await run(["list", "--json"])).toMatchObject({ exitCode: 0, err: "" });
    expect(own.heard).toEqual([{ path: "/api/executions", token: "Bearer secret-1" }]);
  });

  test("the running noetl dev of the directory first, with the token of that", async () => {
    keep(other.url, "secret-1");
    devAt(own.url, "of-dev");
    await run(["list"], { NOETL_TOKEN: "of-the-environment" });
    expect(own.heard.at(-1)).toEqual({ path: "/api/executions", token: "Bearer of-dev" });
    expect(other.heard).toEqual([]);
  });

  test("what NOETL_SERVER_URL names before those, with NOETL_TOKEN", async () => {
    keep(other.url, "secret-1");
    devAt(other.url, "of-dev");
    await run(["list"], { NOETL_SERVER_URL: own.url, NOETL_TOKEN: "mine" });
    expect(own.heard).toEqual([{ path: "/api/executions", token: "Bearer mine" }]);
    await run(["list"], { NOETL_SERVER_URL: own.url, NOETL_SESSION_TOKEN: "session" });
    expect(own.heard.at(-1)?.token).toBe("Bearer session");
    expect(other.heard).toEqual([]);
  });

  test("what a flag names before all of them", async () => {
    keep(other.url, "secret-1");
    const port = new URL(own.url).port;
    for (const flags of [
      ["--server", own.url],
      ["--server-url", own.url],
      ["-p", port],
    ]) {
      own.heard.length = 0;
      await run(["list", ...flags], { NOETL_SERVER_URL: other.url });
      expect(own.heard).toHaveLength(1);
    }
    keep(own.url, "kept", false);
    await run(["list", "--context", "prod"], { NOETL_SERVER_URL: other.url });
    expect(own.heard.at(-1)?.token).toBe("Bearer kept");
    expect(other.heard).toEqual([]);
  });
});

describe("a token", () => {
  test("of noetl dev is read anew when a restart has made another one", async () => {
    const dev = standIn((_path, token) => {
      if (token === "Bearer new") return Response.json([]);
      devAt(dev.url, "new");
      return Response.json({ error: { code: "unauthenticated", message: "?" } }, { status: 401 });
    });
    devAt(dev.url, "old");
    expect(await run(["list"])).toMatchObject({ exitCode: 0, err: "" });
    await dev.stop();
    const listed = dev.heard.filter(({ path }) => path === "/api/executions");
    expect(listed.map(({ token }) => token)).toEqual(["Bearer old", "Bearer new"]);
  });

  test("of a context is not shown to another server, nor that of the environment to a third", async () => {
    keep(other.url, "secret-1");
    await run(["list", "--server", own.url]);
    await run(["list", "--server", own.url], {
      NOETL_SERVER_URL: other.url,
      NOETL_TOKEN: "of-the-other",
    });
    expect(own.heard.map(({ token }) => token)).toEqual([null, null]);
  });

  test("of a context is shown where a flag names its server by the address", async () => {
    keep(own.url, "secret-1", false);
    await run(["list", "--server", `${own.url}/`]);
    expect(own.heard.map(({ token }) => token)).toEqual(["Bearer secret-1"]);
  });

  test("does not follow a redirection", async () => {
    const away = standIn(() => Response.redirect(`${other.url}/api/executions`, 307));
    keep(away.url, "secret-1");
    const { exitCode, err } = await run(["list"]);
    await away.stop();
    expect(exitCode).toBe(1);
    expect(err).toContain("redirects to another address");
    expect(other.heard).toEqual([]);
  });

  test("is in no message, whatever is wrong with it or with the server", async () => {
    const strange = standIn(() => new Response("<html>secret-1</html>"));
    keep(strange.url, "secret-1");
    const said = [
      await run(["list"]),
      await run(["list", "--json"]),
      await run(["list", "--token", "secret-1 \u001b[2J"]),
      await run(["list", "--server", "http://127.0.0.1:1"], { NOETL_TOKEN: "secret-1" }),
      await run(["context", "list"]),
      await run(["context", "current", "--json"]),
      await run(["context", "use", "prod", "--json"]),
      await run(["config"], { NOETL_TOKEN: "secret-1" }),
    ];
    await strange.stop();
    for (const { out, err } of said) expect(out + err).not.toContain("secret-1");
    expect(said.map(({ exitCode }) => exitCode)).toEqual([1, 1, 2, 1, 0, 0, 0, 0]);
  });

  test("on the command line is warned about, and one over plain http to elsewhere", async () => {
    const { err } = await run(["list", "--server", own.url, "--token", "t"]);
    expect(err).toContain("can be seen by others");
    const far = await run(["list", "--server", "http://noetl.invalid"], { NOETL_TOKEN: "t" });
    expect(far.err).toContain("the token can be read on the way");
  });

  test("that the server doesn't know ends with 4 and says how to sign in; one that may not, too", async () => {
    const problem = (status: number, code: string, message: string) => () =>
      Response.json({ error: { code, message } }, { status });
    const unknown = standIn(
      problem(401, "unauthenticated", "expected an access token, found none"),
    );
    const refused = await run(["list", "--server", unknown.url]);
    expect(refused.exitCode).toBe(4);
    expect(refused.err).toContain(`not signed in to ${unknown.url}`);
    expect(refused.err).toContain("noetl context add");
    const document = await run(["list", "--server", unknown.url, "--json"]);
    expect(JSON.parse(document.out)).toMatchObject({ error: { code: "unauthenticated" } });
    await unknown.stop();

    const weak = standIn(problem(403, "forbidden", "expected role admin, found role viewer"));
    const forbidden = await run(["list", "--server", weak.url]);
    await weak.stop();
    expect(forbidden).toMatchObject({ exitCode: 4, out: "" });
    expect(forbidden.err).toContain("expected role admin, found role viewer");
  });
});

describe("the file of contexts", () => {
  test("is its owner's alone, also over one that others could read", async () => {
    keep(own.url, "secret-1");
    chmodSync(contextsFile(home), 0o644);
    await run(["context", "add", "second", "--server-url", other.url]);
    expect(statSync(contextsFile(home)).mode & 0o777).toBe(0o600);
    expect(readContexts(contextsFile(home))).toEqual({
      current: "prod",
      contexts: {
        prod: { server_url: own.url, token: "secret-1", runtime: "auto" },
        second: { server_url: other.url, runtime: "auto" },
      },
    });
  });

  test("says what there is, changes it, and forgets it", async () => {
    expect((await run(["context", "add", "one", "--server-url", own.url])).out).toContain(
      "now the current context",
    );
    await run(["context", "add", "two", "--server-url", `${other.url}//`, "--runtime", "local"]);
    expect((await run(["context", "list"])).out).toMatch(/\*\s+one .*\n\s+two .*local/);
    await run(["context", "use", "two"]);
    expect((await run(["context", "current"])).out).toBe(`two: ${other.url}\n`);
    await run(["context", "set-runtime", "distributed", "one"]);
    expect(readContexts(contextsFile(home)).contexts["one"]?.runtime).toBe("distributed");
    const gone = await run(["context", "delete", "two"]);
    expect(gone.err).toContain("there is none now");
    expect((await run(["context", "current"])).exitCode).toBe(2);
  });

  test.each([
    [["context", "add", "../x", "--server-url", "http://a"], "expected a name"],
    [["context", "add", "x"], "expected --server-url"],
    [["context", "add", "x", "--server-url", "ftp://a"], "an http or https address"],
    [["context", "add", "x", "--server-url", "http://a", "--runtime", "far"], "expected runtime"],
    [["context", "use", "nobody"], 'no context "nobody"'],
    [["context", "frobnicate"], "unknown command context frobnicate"],
    [["list", "--context", "nobody"], 'no context "nobody"'],
    [["list", "--port", "99999999"], "--port: expected a port"],
  ])("%p is refused", async (argv, message) => {
    const { exitCode, err } = await run(argv);
    expect(exitCode).toBe(2);
    expect(err).toContain(message);
    expect(existsSync(contextsFile(home))).toBe(false);
  });

  test("that is not as expected is told of by its name, not by what it holds", async () => {
    for (const text of ['{"contexts": {"a": {"token": "secret-1"}}}', "secret-1", "[]"]) {
      place.write("contexts.json", text);
      const { exitCode, err } = await run(["list"]);
      expect(exitCode).toBe(2);
      expect(err).toContain("contexts.json");
      expect(err).not.toContain("secret-1");
    }
    expect(readFileSync(contextsFile(home), "utf8")).toBe("[]");
  });
});

test("what a server says doesn't move the cursor of a terminal", async () => {
  const path = "evil\u001b[2J\u202e\u0007";
  const hostile = standIn(() =>
    Response.json([
      {
        ...{ execution_id: "1", catalog_id: "2", path, version: 1, status: "RUNNING\r" },
        start_time: "\u009b2J",
      },
    ]),
  );
  const shown = await run(["list", "--server", hostile.url]);
  await hostile.stop();
  expect(shown.out).toContain("evil");
  expect(shown.out.replaceAll("\n", "")).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/);
});
