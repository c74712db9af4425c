// The mcp tool against servers made with the protocol's own package, and against what is none.

import { afterAll, describe, expect, test } from "bun:test";
import type { JsonObject } from "#core/model/json";
import { callsOf, toolContext } from "#tests/tools/context";
import { startMcpServer } from "#tests/tools/mcp-server";
import { mcpTool } from "#worker/tools/mcp";

const streams = startMcpServer();
const whole = startMcpServer({ json: true });
const closed = startMcpServer({ token: "t0ken" });
const { run, data, error } = callsOf(mcpTool({ version: "9", servers: { shop: streams.url } }));

afterAll(() => Promise.all([streams.stop(), whole.stop(), closed.stop()]));

const sum: JsonObject = { tool: "add", arguments: { a: 2, b: 3 } };

describe("a call of a server's tool", () => {
  for (const [as, server] of [
    ["a stream", streams],
    ["one piece", whole],
  ] as const) {
    test(`is answered with the envelope, from ${as}`, async () => {
      expect(await data({ endpoint: server.url, ...sum })).toEqual({
        status: "success",
        server: null,
        endpoint: server.url,
        method: "tools/call",
        tool: "add",
        arguments: { a: 2, b: 3 },
        text: "5\nis the sum",
        result: {
          content: [
            { type: "text", text: "5" },
            { type: "text", text: "is the sum" },
          ],
          structuredContent: { sum: 5 },
        },
        initialize: {
          protocolVersion: "2025-11-25",
          serverInfo: { name: "shop", version: "1.2.3" },
          capabilities: { tools: {} },
        },
      });
    });
  }

  test("has a session to itself, which is ended", async () => {
    streams.seen.length = 0;
    await data({ url: streams.url, ...sum });
    const said = streams.seen.map(({ method, rpc }) => rpc ?? method);
    expect(said).toEqual(["initialize", "notifications/initialized", "tools/call", "DELETE"]);
    expect(streams.open()).toBe(0);
  });

  test("has the call's idempotency key, and nothing before it has", async () => {
    streams.seen.length = 0;
    await data({ url: streams.url, ...sum });
    const keyed = streams.seen.filter(({ headers }) => headers.has("idempotency-key"));
    expect(keyed[0]?.rpc).toBe("tools/call");
    expect(keyed.map(({ headers }) => headers.get("idempotency-key"))).toEqual([
      toolContext().idempotencyKey,
    ]);
  });

  test("may be given any time", async () => {
    const timeoutMs = Number.MAX_SAFE_INTEGER;
    const output = await data({ url: streams.url, ...sum, timeout: 1e9 }, { timeoutMs });
    expect(output).toMatchObject({ status: "success" });
  });

  test("takes its arguments from input where it has none of its own", async () => {
    const output = await data({ url: streams.url, tool: "add", input: { a: 1, b: 1 } });
    expect(output).toMatchObject({ text: "2\nis the sum", arguments: { a: 1, b: 1 } });
  });

  test("goes to the address that the worker knows by the server's name", async () => {
    expect(await data({ server: "shop", ...sum })).toMatchObject({ server: "shop" });
    const unnamed = callsOf(mcpTool({ url: whole.url }));
    expect(await unnamed.data({ server: "anything", ...sum })).toMatchObject({
      endpoint: whole.url,
    });
    expect(await error({ server: "nowhere", ...sum })).toMatchObject({
      kind: "config",
      message:
        "server: expected a name in NOETL_MCP_SERVERS of this worker, or NOETL_MCP_URL, found nowhere",
    });
    expect((await error({ server: "__proto__", ...sum })).message).toEndWith("found __proto__");
  });

  test("shows no secrets that stand in the address", async () => {
    const url = new URL(whole.url);
    url.username = "me";
    url.password = "s3cret";
    url.search = "?key=s3cret";
    const output = await run({ endpoint: url.href, ...sum });
    expect(output.status).toBe("ok");
    expect(JSON.stringify(output)).not.toContain("s3cret");
    expect(whole.seen.at(-1)?.headers.get("authorization")).toBe(`Basic ${btoa("me:s3cret")}`);
  });
});

describe("other requests", () => {
  test("list the tools, ask how the server is, and whatever else it answers", async () => {
    expect(await data({ url: streams.url, method: "tools/list" })).toMatchObject({
      method: "tools/list",
      tool: null,
      result: { tools: [{ name: "add" }] },
    });
    expect(await data({ url: streams.url, action: "health" })).toMatchObject({
      method: "health",
      status: "success",
      result: {},
    });
    expect(await data({ url: streams.url, method: "ping", params: {} })).toMatchObject({
      method: "ping",
    });
  });
});

describe("an error", () => {
  test("that the tool tells of is an outcome with its content", async () => {
    const output = await run({ url: streams.url, tool: "fails" });
    expect(output).toMatchObject({
      status: "error",
      error: { kind: "mcp", code: "tool_error", message: "out of stock", retryable: false },
      data: { status: "error", text: "out of stock", result: { isError: true } },
    });
  });

  test("of the protocol is one with its code and data", async () => {
    const output = await run({ url: whole.url, tool: "none" });
    expect(output).toMatchObject({
      status: "error",
      error: { kind: "mcp", code: -32_602, message: "no tool none", retryable: false },
      data: { status: "error", result: { error: { code: -32_602, data: { name: "none" } } } },
    });
    expect(await error({ url: whole.url, method: "resources/list" })).toMatchObject({
      kind: "mcp",
      code: -32_601,
    });
  });

  test("of the credentials is the server's status", async () => {
    const credentials = {
      good: { name: "good", type: "bearer", data: { token: "t0ken" } },
      bad: { name: "bad", type: "bearer", data: { token: "wr0ng" } },
    };
    const call = { url: closed.url, ...sum };
    expect(await data({ ...call, auth: "good" }, { credentials })).toMatchObject({
      status: "success",
    });
    for (const auth of [{}, { auth: "bad" }]) {
      const failed = await error({ ...call, ...auth }, { credentials });
      expect(failed).toMatchObject({ kind: "mcp", code: 401, retryable: false });
      expect(JSON.stringify(failed)).not.toContain("wr0ng");
    }
  });

  test("is a timeout where a server hangs, and a cancellation where the call is", async () => {
    const hangs = { url: streams.url, tool: "hangs" };
    expect(await error({ ...hangs, timeout: 0.1 })).toMatchObject({
      kind: "timeout",
      retryable: true,
    });
    const silent = Bun.serve({ port: 0, fetch: () => new Promise<Response>(() => undefined) });
    const never = { url: `http://127.0.0.1:${silent.port}`, ...sum, timeout: 0.1 };
    expect(await error(never)).toMatchObject({ kind: "timeout" });
    await silent.stop(true);
    const ending = new AbortController();
    const asked = error(hangs, { signal: ending.signal });
    ending.abort(new Error("cancelled"));
    expect(await asked).toMatchObject({ kind: "cancelled" });
  });

  test("is what a server is that is none", async () => {
    let answer = (): Response => new Response("hello");
    const other = Bun.serve({ port: 0, fetch: () => answer() });
    const call = { url: `http://127.0.0.1:${other.port}/`, ...sum };
    try {
      expect(await error(call)).toMatchObject({ kind: "mcp", code: "protocol" });
      answer = () => Response.json({ hello: 1 });
      expect(await error(call)).toMatchObject({ kind: "mcp", code: "protocol" });
      answer = () => new Response("busy", { status: 503 });
      expect(await error(call)).toMatchObject({ kind: "mcp", code: 503, retryable: true });
      answer = () => new Response(null, { headers: { "content-type": "text/event-stream" } });
      expect(await error({ ...call, timeout: 5 })).toMatchObject({ kind: "connection" });
    } finally {
      await other.stop(true);
    }
    expect(await error({ url: "http://127.0.0.1:1/mcp", ...sum })).toMatchObject({
      kind: "connection",
      retryable: true,
    });
  });

  test("is an answer beyond its bound, as a stream and in one piece", async () => {
    for (const { url } of [streams, whole]) {
      const failed = await error({ url, tool: "huge" });
      expect(failed).toMatchObject({ kind: "result", retryable: false });
      expect(failed.message).toContain("larger than");
    }
  });

  test("is a request to where the worker may not send any", async () => {
    const policy = { shell: false, fileRoots: [], egress: () => false };
    expect(await error({ url: whole.url, ...sum }, { policy })).toMatchObject({
      kind: "forbidden",
    });
  });

  test("names the field that is missing", async () => {
    expect(await error({ url: whole.url })).toMatchObject({ kind: "config" });
    expect(await error(sum)).toMatchObject({ kind: "config" });
    expect(await error({ url: "file:///etc/passwd", ...sum })).toMatchObject({ kind: "config" });
  });
});
