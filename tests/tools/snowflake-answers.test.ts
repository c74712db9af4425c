// What a broken service, or something else in its place, answers: the call fails with a clear error,
// the worker goes on, and the next call works. The service's client throws at some of these where
// nobody can catch it.

import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import type { JsonObject } from "#core/model/json";
import { callsOf } from "#tests/tools/context";
import { startSnowflake } from "#tests/tools/snowflake-server";
import { snowflakeTool } from "#worker/tools/snowflake";
import { SnowflakeProcess } from "#worker/tools/snowflake-process";

const password = "s3cret-of-the-account";
let instead: (path: string) => Response | undefined = () => undefined;
const server = startSnowflake({ password, instead: (path) => instead(path) });
const tool = snowflakeTool();
const { data, error } = callsOf(tool);
beforeEach(() => {
  instead = () => undefined;
});
afterAll(async () => {
  await tool.close?.();
  await server.stop();
});

const account: JsonObject = { account: "acme", user: "etl", password, host: server.url };
const call: JsonObject = { ...account, command: "select 1", timeout: 20 };
const logins = "/session/v1/login-request";
const statements = "/queries/v1/query-request";

const json = { headers: { "content-type": "application/json" } };
const half = '{"success":true,"code":null,"data":{"rowtype":[{"name":"A"';
const rowsOf = (over: JsonObject): Response =>
  Response.json({
    success: true,
    code: null,
    data: {
      ...{ queryId: "q", sqlState: "00000", queryResultFormat: "json", parameters: [] },
      ...{ total: 1, returned: 1, statementTypeId: 4_096 },
      ...{ rowtype: [{ name: "A", type: "fixed", scale: 0 }], rowset: [["1"]] },
      ...over,
    },
  });

/** By name: what comes in place of an answer to a login or to a statement. */
const everywhere: Readonly<Record<string, () => Response>> = {
  "malformed JSON": () => new Response('{"success": tru', json),
  "half of the JSON": () => new Response(half, json),
  "half of the bytes that were announced": () =>
    new Response(half, { headers: { ...json.headers, "content-length": String(half.length * 2) } }),
  HTML: () => new Response("<html>proxy</html>", { headers: { "content-type": "text/html" } }),
  nothing: () => new Response(""),
  null: () => Response.json(null),
  "a list": () => Response.json([]),
  "a number": () => Response.json(5),
  "no data": () => Response.json({ success: true, data: null }),
  "other types": () =>
    rowsOf({ rowtype: "x", rowset: 7, total: "many", parameters: "p", token: {}, masterToken: [] }),
  "what is no gzip": () =>
    new Response("abc", { headers: { ...json.headers, "content-encoding": "gzip" } }),
};
const ofStatements: Readonly<Record<string, () => Response>> = {
  ...everywhere,
  "rows that are no lists": () => rowsOf({ rowset: [7, null] }),
  "a column that is null": () => rowsOf({ rowtype: [null] }),
  "a parameter that is null": () => rowsOf({ parameters: [null] }),
  "parts at no address": () => rowsOf({ chunks: [{ url: "no address", rowCount: "x" }] }),
  "rows in a form nobody asked for": () =>
    rowsOf({ queryResultFormat: "arrow", rowsetBase64: "AAAA", rowset: null }),
};

const unreadable = {
  kind: "snowflake",
  code: "bad_answer",
  message: expect.stringMatching(/^the service's answer cannot be read/),
  retryable: true,
};

for (const [path, answers] of [
  [logins, everywhere],
  [statements, ofStatements],
] as const) {
  describe(`in place of an answer to ${path}`, () => {
    test.each(Object.entries(answers))(
      "%s fails the call, and the next one works",
      async (_, answer) => {
        instead = (asked) => (asked === path ? answer() : undefined);
        const failed = await error(call);
        expect(failed).toMatchObject(unreadable);
        expect(JSON.stringify(failed)).not.toContain(password);
        instead = () => undefined;
        expect(await data(call)).toMatchObject({ row_count: 2 });
      },
      30_000,
    );
  });
}

test("an answer to the goodbye that makes no sense costs nothing", async () => {
  instead = (path) => (path === "/session" ? Response.json([null]) : undefined);
  expect(await data(call)).toMatchObject({ row_count: 2 });
  expect(await data(call)).toMatchObject({ row_count: 2 });
});

describe("a connection", () => {
  const listening = async (server: Server): Promise<string> => {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    return `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
  };

  test.each([
    ["at once", ""],
    ["in the middle of the head", "HTTP/1.1 200 OK\r\ncontent-le"],
    ["in the middle of the body", "HTTP/1.1 200 OK\r\ncontent-length: 90\r\n\r\n{"],
  ])(
    "that is closed %s fails the call, which may be made again",
    async (_, written) => {
      const closing = createServer((socket) => {
        socket.on("error", () => undefined);
        socket.once("data", () => socket.end(written));
      });
      const host = await listening(closing);
      const failed = await error({ ...call, host });
      expect(failed).toMatchObject({ retryable: true });
      expect(failed.message).not.toBe("");
      closing.close();
    },
    30_000,
  );
});

describe("the process of the client", () => {
  const secrets = [password];
  const held = { account: "acme", username: "etl", password, accessUrl: server.url };
  const hanging = { account: held, statements: ["select hangs"], binds: undefined, secrets };

  test("may die in the middle of a call, which fails", async () => {
    const runner = new SnowflakeProcess(process.env);
    const reply = runner.call(hanging, new AbortController().signal);
    runner.kill();
    expect(await reply).toMatchObject({
      kind: "broken",
      failure: { kind: "snowflake", code: "client_ended", retryable: true },
    });
    await runner.ended;
    expect(runner.usable).toBe(false);
  });

  test("is killed when it does not stop", async () => {
    const silent = Bun.serve({ port: 0, fetch: () => new Promise<Response>(() => undefined) });
    const runner = new SnowflakeProcess(process.env);
    const account = { ...held, accessUrl: `http://127.0.0.1:${silent.port}` };
    const stopping = new AbortController();
    const reply = runner.call({ ...hanging, account }, stopping.signal);
    process.kill(runner.pid, "SIGSTOP");
    stopping.abort();
    expect(await reply).toMatchObject({ kind: "broken" });
    await runner.ended;
    await silent.stop(true);
  }, 20_000);

  // Only Linux shows the arguments and the environment of a process as files.
  test.skipIf(process.platform !== "linux")(
    "shows secrets neither in its arguments nor in its environment, and has none of the worker's",
    async () => {
      process.env["NOETL_TEST_SECRET"] = "worker's own";
      server.seen.length = 0;
      const runner = new SnowflakeProcess(process.env);
      const stopping = new AbortController();
      const reply = runner.call(hanging, stopping.signal);
      while (!server.seen.some(({ path }) => path === statements)) await Bun.sleep(5);
      const shown = ["cmdline", "environ"].map((name) =>
        readFileSync(`/proc/${runner.pid}/${name}`, "utf8"),
      );
      stopping.abort();
      expect(await reply).toMatchObject({ kind: "failed", failure: { kind: "cancelled" } });
      expect(shown.join("\n")).toContain("snowflake-main");
      expect(shown.join("\n")).not.toContain(password);
      expect(shown.join("\n")).not.toContain("worker's own");
      delete process.env["NOETL_TEST_SECRET"];
      runner.kill();
      await runner.ended;
      expect(readdirSync("/proc")).not.toContain(String(runner.pid));
    },
    20_000,
  );
});
