// Holds the http tool to its promises for what it sends and what it makes of the answer.

import { describe, expect, test } from "bun:test";

import type { JsonObject } from "#core/model/json";
import { toolContext } from "#tests/tools/context";
import { get, httpLog, httpServers } from "#tests/tools/http-answers";
import { failureOf } from "#tests/tools/outcome-of";
import { httpTool } from "#worker/tools/http";

const tool = httpTool();
const { base } = httpServers();

describe("the request", () => {
  test("is a GET by default, with parameters after those of the URL", async () => {
    const params = { a: "x y", n: 1, yes: true, none: null, list: [1, null, 2] };
    const { request, data } = await get({ url: `${base}/p?own=1`, params });
    expect(request?.method).toBe("GET");
    expect(request?.path).toBe("/p?own=1&a=x+y&n=1&yes=true&list=1&list=2");
    expect(data).toMatchObject({ status_code: 200, data: { path: "/p" } });
  });

  test("carries JSON, a form or text as its body, with the content type that fits", async () => {
    const json = "application/json";
    const form = "application/x-www-form-urlencoded";
    const text = "text/plain;charset=utf-8";
    for (const [fields, body, type] of [
      [{ json: { a: [1] } }, '{"a":[1]}', json],
      [{ json: '{"a": 1}' }, '{"a": 1}', json],
      [{ json: "word" }, '"word"', json],
      [{ json: false }, "false", json],
      [{ payload: { a: 1 } }, '{"a":1}', json],
      [{ data: [1] }, "[1]", json],
      [{ data: "a=b" }, "a=b", text],
      [{ body: "hello" }, "hello", text],
      [{ form: { a: "1 2", b: ["x", "y"], c: null } }, "a=1+2&b=x&b=y", form],
    ] as const) {
      const { request } = await get({ url: base, method: "post", ...fields });
      expect([request?.body, request?.headers.get("content-type")]).toEqual([body, type]);
    }
  });

  test("keeps the headers that the playbook sets, as text", async () => {
    const headers = { "Content-Type": "application/xml", "X-Number": 5, "X-None": null };
    const { request } = await get({ endpoint: base, method: "PUT", headers, body: "<a/>" });
    expect(request?.headers.get("content-type")).toBe("application/xml");
    expect(request?.headers.get("x-number")).toBe("5");
    expect(request?.headers.has("x-none")).toBe(false);
  });

  test("has the call's idempotency key unless it cannot have an effect or has its own", async () => {
    const context = toolContext({ idempotencyKey: "key-1" });
    const keys: (string | null | undefined)[] = [];
    for (const config of [
      { method: "POST" },
      { method: "DELETE" },
      { method: "POST", headers: { "idempotency-key": "mine" } },
      { method: "GET" },
      { method: "HEAD" },
    ]) {
      const { request } = await get({ url: base, ...config }, context);
      keys.push(request?.headers.get("idempotency-key"));
    }
    expect(keys).toEqual(["key-1", "key-1", "mine", null, null]);
  });

  test("is authenticated by its credential, unless it has an authorization header", async () => {
    const context = toolContext({
      credentials: { api: { name: "api", type: "bearer", data: { token: "t0" } } },
    });
    const { request } = await get({ url: base, auth: "api" }, context);
    expect(request?.headers.get("authorization")).toBe("Bearer t0");
    const own = { url: base, auth: "api", headers: { Authorization: "Custom" } };
    expect((await get(own, context)).request?.headers.get("authorization")).toBe("Custom");
  });

  test("takes user and password of the URL as basic authentication and does not repeat them", async () => {
    const url = base.replace("//", "//ada:p%40ss@");
    const { request, output } = await get({ url });
    expect(request?.headers.get("authorization")).toBe(`Basic ${btoa("ada:p@ss")}`);
    expect(JSON.stringify(output)).not.toContain("p%40ss");
  });

  test("with a bad field is a config failure that names the field", async () => {
    const bad: [JsonObject, string][] = [
      [{}, "url"],
      [{ url: "ftp://example.org" }, "url"],
      [{ url: "/relative" }, "url"],
      [{ url: base, method: "GE T" }, "method"],
      [{ url: base, headers: { "a b": "1" } }, "headers"],
      [{ url: base, headers: { a: "1\r\nx: 2" } }, "headers.a"],
      [{ url: base, headers: { a: { b: 1 } } }, "headers.a"],
      [{ url: base, params: [1] }, "params"],
      [{ url: base, method: "POST", json: {}, body: "x" }, "body"],
      [{ url: base, json: { a: 1 } }, "json"],
      [{ url: base, response_type: "xml" }, "response_type"],
      [{ url: base, timeout: "soon" }, "timeout"],
      [{ url: base, timeout: -1 }, "timeout"],
      [{ url: base, follow_redirects: "maybe" }, "follow_redirects"],
    ];
    for (const [config, field] of bad) {
      const failure = await failureOf(tool, config, toolContext());
      expect({ kind: failure.kind, field: failure.message.split(":")[0] }).toEqual({
        kind: "config",
        field,
      });
    }
  });
});

describe("the response", () => {
  test("with a status outside 2xx is an error that keeps the body", async () => {
    for (const [status, retryable] of [
      [400, false],
      [404, false],
      [408, true],
      [429, true],
      [500, true],
      [503, true],
      [304, false],
    ] as const) {
      const { output } = await get({ url: `${base}/status/${status}` });
      expect(output.status).toBe("error");
      expect(output.error).toEqual({
        kind: "http",
        code: status,
        message: `HTTP ${status} response`,
        retryable,
      });
      expect(output.http).toMatchObject({ status });
      if (status !== 304) expect(output.data).toMatchObject({ data: { why: "asked" } });
    }
  });

  test("says in seconds how long to wait, from a number or a date", async () => {
    const url = `${base}/status/503`;
    const seconds = await get({ url, params: { retry_after: "7" } });
    expect(seconds.output.http?.["retry_after_s"]).toBe(7);
    const past = "Wed, 21 Oct 2015 07:28:00 GMT";
    const date = await get({ url, params: { retry_after: past } });
    expect(date.output.http?.["retry_after_s"]).toBe(0);
    expect((await get({ url })).output.http).not.toHaveProperty("retry_after_s");
  });

  test("has its headers in lower case, without cookies", async () => {
    const { output } = await get({ url: `${base}/cookie` });
    expect(output.http).toMatchObject({ headers: { "x-other": "Kept" } });
    expect(JSON.stringify(output)).not.toContain("s3cret");
  });

  test("that is not JSON is its text, in its own character set", async () => {
    expect((await get({ url: `${base}/text` })).data["data"]).toBe("plain, not json");
    expect((await get({ url: `${base}/latin1` })).data["data"]).toBe("é");
    expect((await get({ url: `${base}/empty` })).data).toMatchObject({
      status_code: 204,
      data: "",
    });
  });

  test("that is JSON null is null", async () => {
    expect((await get({ url: `${base}/null` })).data["data"]).toBeNull();
  });

  test("is text or base64 when asked for", async () => {
    const text = await get({ url: base, response_type: "text" });
    expect(text.data["data"]).toBe('{"path":"/"}');
    const binary = await get({ url: `${base}/bytes`, response_type: "binary" });
    expect(binary.data["data"]).toBe("AP8B/g==");
  });

  test("keeps every digit of integers beyond a double as text", async () => {
    expect((await get({ url: `${base}/bigint` })).data["data"]).toEqual({
      id: "12345678901234567890",
      ok: 9007199254740991,
      exp: "1e400",
    });
  });

  test("holds the body once", async () => {
    const { data } = await get({ url: base });
    expect(Object.keys(data).sort()).toEqual([
      "data",
      "elapsed_ms",
      "headers",
      "status_code",
      "url",
    ]);
  });

  test("larger than the limit ends the transfer", async () => {
    const small = httpTool({ bodyBytesMax: 1_000_000 });
    httpLog.fresh();
    const failure = await failureOf(small, { url: `${base}/endless` }, toolContext());
    expect(failure).toEqual({
      kind: "result",
      message: "the response body is larger than 1000000 bytes",
      retryable: false,
    });
    await httpLog.aborted.promise;
    expect(httpLog.endlessBytes).toBeLessThan(50_000_000);
  });
});
