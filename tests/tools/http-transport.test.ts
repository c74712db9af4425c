// Holds the http tool to its promises on the way: redirects, broken connections, certificates,
// time.

import { describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { toolContext } from "#tests/tools/context";
import { answer, get, httpLog, httpServers } from "#tests/tools/http-answers";
import { failureOf, outcomeOf } from "#tests/tools/outcome-of";
import { httpTool } from "#worker/tools/http";

const tool = httpTool();
const { base, other } = httpServers();

describe("redirects", () => {
  const redirect = (status: number, to: string) =>
    `${base}/redirect/${status}?to=${encodeURIComponent(to)}`;

  test("are followed, and the last address is told", async () => {
    const { data } = await get({ url: redirect(302, "/there") });
    expect(data).toMatchObject({
      status_code: 200,
      url: `${base}/there`,
      data: { path: "/there" },
    });
  });

  test("turn a POST into a GET where browsers do, and keep it for 307 and 308", async () => {
    const methods: (string | undefined)[] = [];
    for (const status of [301, 302, 303, 307, 308]) {
      const { request } = await get({
        url: redirect(status, "/x"),
        method: "POST",
        json: { a: 1 },
      });
      methods.push(`${request?.method} ${request?.body}`);
    }
    expect(methods).toEqual(["GET ", "GET ", "GET ", 'POST {"a":1}', 'POST {"a":1}']);
  });

  test("are not followed when the playbook says so", async () => {
    const { output } = await get({ url: redirect(302, "/x"), follow_redirects: "false" });
    expect(output.http).toMatchObject({ status: 302, headers: { location: "/x" } });
  });

  test("keep credentials within the origin and drop them outside", async () => {
    const context = toolContext({
      credentials: {
        api: { name: "api", type: "api_key", data: { api_key: "k3y", header: "X-Mine" } },
      },
    });
    const headers = { Authorization: "Bearer t0", Cookie: "a=b", "X-Plain": "kept" };
    const names = ["authorization", "cookie", "x-mine", "x-plain"];
    const sent = async (to: string) => {
      const { request } = await get({ url: redirect(307, to), headers, auth: "api" }, context);
      return names.map((name) => request?.headers.get(name));
    };
    expect(await sent("/x")).toEqual(["Bearer t0", "a=b", "k3y", "kept"]);
    expect(await sent(`${other}/x`)).toEqual([null, null, null, "kept"]);
  });

  test("that go round in circles end after a bounded number", async () => {
    httpLog.fresh();
    const url = `${base}/redirect/302?to=`;
    const failure = await failureOf(tool, { url }, toolContext());
    expect(failure).toMatchObject({ kind: "http", message: "bad redirect: more than 10 hops" });
    expect(httpLog.seen).toHaveLength(11);
  });

  test("to other schemes are refused", async () => {
    for (const to of ["file:///etc/passwd", "data:text/plain,x", "ftp://example.org/"]) {
      const failure = await failureOf(tool, { url: redirect(302, to) }, toolContext());
      expect(failure.message).toBe("bad redirect: expected an http or https location");
    }
  });

  test("go nowhere the worker may not send requests", async () => {
    const guarded = httpTool({ egress: (url) => url.origin === base });
    const allowed = await outcomeOf(guarded, { url: redirect(302, "/x") }, toolContext());
    expect(allowed.status).toBe("ok");
    httpLog.fresh();
    const failure = await failureOf(guarded, { url: redirect(302, other) }, toolContext());
    expect(failure.kind).toBe("forbidden");
    expect(httpLog.seen).toHaveLength(1);
    expect((await failureOf(guarded, { url: other }, toolContext())).kind).toBe("forbidden");
    // What the worker was told holds for a tool that was told nothing, and beside what it was told.
    const policy = { shell: false, fileRoots: [], egress: () => false };
    for (const one of [tool, guarded]) {
      const refused = await failureOf(one, { url: redirect(302, "/x") }, toolContext({ policy }));
      expect(refused.kind).toBe("forbidden");
    }
  });
});

describe("the way there", () => {
  test("refused or unresolved is a retryable connection failure without the path", async () => {
    const gone = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response() });
    const refused = `http://127.0.0.1:${gone.port}/token-s3cret`;
    await gone.stop(true);
    for (const url of [refused, "http://nowhere.invalid/token-s3cret"]) {
      const failure = await failureOf(tool, { url }, toolContext());
      expect(failure).toMatchObject({ kind: "connection", retryable: true });
      expect(failure.message).not.toContain("s3cret");
    }
  });

  test("cut in the middle of a body is a retryable connection failure", async () => {
    const cut = Bun.listen({
      hostname: "127.0.0.1",
      port: 0,
      socket: {
        data(socket) {
          socket.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc");
          socket.flush();
          socket.terminate();
        },
      },
    });
    const failure = await failureOf(tool, { url: `http://127.0.0.1:${cut.port}` }, toolContext());
    cut.stop(true);
    expect(failure).toMatchObject({ kind: "connection", retryable: true });
  });

  test("with an untrusted certificate fails for good, unless verify_ssl is false", async () => {
    const pem = await selfSigned();
    const secure = Bun.serve({ port: 0, hostname: "127.0.0.1", tls: pem, fetch: answer });
    const url = `https://127.0.0.1:${secure.port}/x`;
    const failure = await failureOf(tool, { url }, toolContext());
    expect(failure).toMatchObject({ kind: "connection", retryable: false });
    const { data } = await get({ url, verify_ssl: false });
    expect(data).toMatchObject({ data: { path: "/x" } });
    await secure.stop(true);
  });

  test("that takes too long is a retryable timeout, and the server sees the request end", async () => {
    httpLog.fresh();
    const config = { url: `${base}/slow`, timeout_seconds: 0.05 };
    expect(await failureOf(tool, config, toolContext())).toEqual({
      kind: "timeout",
      message: "timed out after 50 ms",
      retryable: true,
    });
    await httpLog.aborted.promise;
  });

  test("cannot take longer than the command has left, whatever the playbook says", async () => {
    httpLog.fresh();
    const config = { url: `${base}/slow`, timeout: 3_600 };
    const failure = await failureOf(tool, config, toolContext({ timeoutMs: 50 }));
    expect(failure.message).toBe("timed out after 50 ms");
  });

  test("ends at once when the call is cancelled", async () => {
    httpLog.fresh();
    const controller = new AbortController();
    const running = failureOf(
      tool,
      { url: `${base}/slow` },
      toolContext({ signal: controller.signal }),
    );
    controller.abort();
    expect(await running).toMatchObject({ kind: "cancelled", retryable: false });
  });
});

async function selfSigned(): Promise<{ readonly key: string; readonly cert: string }> {
  const folder = await mkdtemp(join(tmpdir(), "noetl-tls-"));
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const flags = ["-newkey", "rsa:2048", "-nodes", "-subj", "/CN=test", "-days", "1"];
  const command = ["openssl", "req", "-x509", ...flags, "-keyout", key, "-out", cert];
  await Bun.spawn(command, { stdout: "ignore", stderr: "ignore" }).exited;
  const pem = { key: await Bun.file(key).text(), cert: await Bun.file(cert).text() };
  await rm(folder, { recursive: true });
  return pem;
}
