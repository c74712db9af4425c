// Programs that are fetched for a call: over http, and from buckets.

import { afterAll, describe, expect, test } from "bun:test";
import { createServer } from "node:net";
import type { JsonObject } from "#core/model/json";
import { scriptBytesMax } from "#core/model/limits";
import type { Failure } from "#core/model/outcome";
import { motoMissing, startMoto } from "#tests/support/moto";
import { type ToolContextOverrides, toolContext } from "#tests/tools/context";
import { javascriptTool } from "#worker/tools/javascript";
import { programText } from "#worker/tools/script-source";
import { sqlCall } from "#worker/tools/sql-call";
import { ToolFailure } from "#worker/tools/tool";

const seen: { method: string; path: string; token: string | null; own: string | null }[] = [];

const elsewhere = Bun.serve({
  port: 0,
  fetch: ({ headers }) => {
    seen.push({
      method: "GET",
      path: "/elsewhere",
      token: headers.get("authorization"),
      own: null,
    });
    return new Response("moved");
  },
});

const hung = Promise.withResolvers<Response>();
const server = Bun.serve({
  port: 0,
  fetch: (request) => {
    const { pathname, search } = new URL(request.url);
    const { method, headers } = request;
    const token = headers.get("authorization");
    seen.push({ method, path: pathname + search, token, own: headers.get("x-own") });
    switch (pathname) {
      case "/program.js":
        return new Response("return 6 * 7");
      case "/big":
        return new Response(Buffer.alloc(5 * 1_048_576, 32));
      case "/endless":
        return new Response(endless());
      case "/latin":
        return new Response(new Uint8Array([0x78, 0xe9]));
      case "/away":
        return Response.redirect(`${elsewhere.url}`, 302);
      case "/silent":
        return hung.promise;
      case "/stalls":
        return new Response(stalling());
      default:
        return new Response("no", { status: Number(pathname.slice(1)) || 404 });
    }
  },
});
const base = `http://127.0.0.1:${server.port}`;

afterAll(async () => {
  hung.resolve(new Response("late"));
  await Promise.all([server.stop(true), elsewhere.stop(true)]);
});

function endless(): ReadableStream {
  return new ReadableStream({ pull: (controller) => controller.enqueue(Buffer.alloc(65_536, 32)) });
}

/** A beginning, and then nothing. */
function stalling(): ReadableStream {
  return new ReadableStream({ start: (controller) => controller.enqueue(Buffer.from("x = 1")) });
}

const http = (path: string, more: JsonObject = {}): JsonObject => ({
  script: { uri: "program", source: { type: "http", endpoint: `${base}${path}`, ...more } },
});

async function failure(config: JsonObject, overrides: ToolContextOverrides = {}): Promise<Failure> {
  try {
    await programText(config, toolContext(overrides));
  } catch (error) {
    if (error instanceof ToolFailure) return error.failure;
    throw error;
  }
  throw new Error("expected a failure, found a program");
}

describe("a program behind an address", () => {
  test("is fetched with the method, the headers and the credential of its source", async () => {
    const credentials = { hub: { name: "hub", type: "bearer", data: { token: "t0ken" } } };
    const config = http("/program.js?v=2", {
      method: "POST",
      headers: { "x-own": 1 },
      auth: "hub",
    });
    expect(await programText(config, toolContext({ credentials }))).toBe("return 6 * 7");
    expect(seen.at(-1)).toEqual({
      method: "POST",
      path: "/program.js?v=2",
      token: "Bearer t0ken",
      own: "1",
    });
  });

  test("needs no type where its address says it", async () => {
    const script = { uri: `${base}/program.js` };
    expect(await programText({ script }, toolContext())).toBe("return 6 * 7");
  });

  test("runs as any other one does, and is fetched for each call", async () => {
    const tool = javascriptTool();
    const before = seen.length;
    try {
      for (const _call of [1, 2]) {
        const output = await tool.run(http("/program.js"), toolContext());
        expect(output).toMatchObject({ status: "ok", data: 42 });
      }
    } finally {
      await tool.close();
    }
    expect(seen.length - before).toBe(2);
  });

  test("may be SQL", async () => {
    const call = await sqlCall(http("/program.js"), toolContext());
    expect(call.texts).toEqual(["return 6 * 7"]);
    const late = sqlCall({ ...http("/silent"), timeout: 0.05 }, toolContext());
    await expect(late).rejects.toMatchObject({ failure: { kind: "timeout" } });
  });

  test("follows a redirect without the credential once the origin changes", async () => {
    const config = http("/away", { auth: { type: "bearer", token: "t0ken" } });
    expect(await programText(config, toolContext())).toBe("moved");
    expect(seen.at(-1)).toMatchObject({ path: "/elsewhere", token: null });
  });

  test("may come only from where the worker may send requests", async () => {
    const allowed = new URL(base).host;
    const egress = ({ host }: URL): boolean => host === allowed;
    const policy = { shell: false, fileRoots: [], egress };
    expect(await programText(http("/program.js"), toolContext({ policy }))).toBe("return 6 * 7");
    expect(await failure(http("/away"), { policy })).toMatchObject({ kind: "forbidden" });
  });

  test("that can't be had is a failure of the script with the server's status", async () => {
    for (const [status, retryable] of [
      [404, false],
      [401, false],
      [429, true],
      [503, true],
    ] as const) {
      expect(await failure(http(`/${status}`))).toEqual({
        kind: "script",
        code: status,
        message: `the script could not be fetched: ${base} answered with HTTP ${status}`,
        retryable,
      });
    }
  });

  test("is refused beyond its bound while it comes, announced or not", async () => {
    for (const path of ["/big", "/endless"]) {
      expect(await failure(http(path))).toEqual({
        kind: "config",
        message: `script: expected at most ${scriptBytesMax} bytes, found more`,
        retryable: false,
      });
    }
  });

  test("is text in UTF-8, or none", async () => {
    expect(await failure(http("/latin"))).toMatchObject({ kind: "script", code: "encoding" });
  });

  test("is waited for as long as its own timeout, the call's and the command's allow", async () => {
    const timedOut = { kind: "timeout", retryable: true };
    for (const path of ["/silent", "/stalls"]) {
      expect(await failure(http(path, { timeout: 0.05 }))).toMatchObject(timedOut);
      expect(await failure({ ...http(path), timeout: 0.05 })).toMatchObject(timedOut);
      expect(await failure(http(path), { timeoutMs: 50 })).toMatchObject(timedOut);
    }
  });

  test("ends with its call", async () => {
    const signal = AbortSignal.abort(new Error("cancelled"));
    expect(await failure(http("/silent"), { signal })).toMatchObject({ kind: "cancelled" });
  });

  test("behind nothing, or behind a line that only takes, is a connection failure", async () => {
    const gone = { script: { uri: "http://127.0.0.1:1/x.py" } };
    expect(await failure(gone)).toMatchObject({ kind: "connection", retryable: true });
    const deaf = createServer((socket) =>
      socket.on("data", () => undefined).on("error", () => undefined),
    );
    await new Promise<void>((resolve) => deaf.listen(0, "127.0.0.1", () => resolve()));
    const address = deaf.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const script = {
      uri: `http://127.0.0.1:${port}/x.py`,
      source: { type: "http", timeout: 0.05 },
    };
    expect(await failure({ script })).toMatchObject({ kind: "timeout" });
    deaf.close();
  });

  test("has no other methods and no other schemes", async () => {
    expect(await failure(http("/program.js", { method: "DELETE" }))).toMatchObject({
      kind: "config",
    });
    const ftp = { script: { uri: "x", source: { type: "http", endpoint: "ftp://h/x" } } };
    expect(await failure(ftp)).toMatchObject({ kind: "config" });
  });
});

describe("a program in a bucket", () => {
  const missing = motoMissing();
  // Without moto there is no server to talk to: the skip says how to get it.
  if (missing !== undefined) test.skip(missing, () => undefined);

  // Skipped for the reason above.
  test.skipIf(missing !== undefined)("is had by bucket and key, or by address", async () => {
    const moto = await startMoto();
    try {
      const keys = { accessKeyId: "id", secretAccessKey: "secret", region: "us-east-1" };
      await fetch(`${moto.url}/box`, { method: "PUT" });
      const box = new Bun.S3Client({ ...keys, bucket: "box", endpoint: moto.url });
      await box.write("dir/a b.py", "x = 1");
      await box.write("big.py", Buffer.alloc(scriptBytesMax + 1, 32));
      const data = { access_key_id: "id", secret_access_key: "secret" };
      const credentials = {
        bucket: { name: "bucket", type: "s3", data },
        hmac: { name: "hmac", type: "gcs_hmac", data },
      };
      const context = toolContext({ credentials });
      const of = (source: JsonObject, uri = ""): JsonObject => ({
        script: { uri, source: { endpoint: moto.url, ...source } },
      });
      const s3 = { type: "s3", auth: "bucket" };
      const direct = of({ ...s3, bucket: "box", key: "dir/a b.py" });
      expect(await programText(direct, context)).toBe("x = 1");
      expect(await programText(of({ auth: "bucket" }, "s3://box/dir/a b.py"), context)).toBe(
        "x = 1",
      );
      const gcs = of({ type: "gcs", auth: "hmac" }, "gs://box/dir/a b.py");
      expect(await programText(gcs, context)).toBe("x = 1");

      const failed = (config: JsonObject) => failure(config, { credentials });
      const none = of(s3, "s3://box/none.py");
      expect(await failed(none)).toMatchObject({ kind: "script", code: 404, retryable: false });
      const big = await failed(of(s3, "s3://box/big.py"));
      expect(big).toMatchObject({ kind: "config" });
    } finally {
      await moto.stop();
    }
  });

  const refusing = Bun.serve({ port: 0, fetch: () => new Response("<Error/>", { status: 403 }) });
  const silent = Bun.serve({ port: 0, fetch: () => hung.promise });
  afterAll(() => Promise.all([refusing.stop(true), silent.stop(true)]));
  const bucket = (endpoint: string, more: JsonObject = {}): JsonObject => ({
    script: {
      uri: "s3://box/a.py",
      source: { endpoint, access_key_id: "id", secret_access_key: "s3cret", ...more },
    },
  });

  test("is refused with the status where the keys are wrong, and shows neither", async () => {
    const failed = await failure(bucket(`http://127.0.0.1:${refusing.port}`));
    expect(failed).toMatchObject({ kind: "script", code: 403, retryable: false });
    expect(JSON.stringify(failed)).not.toMatch(/s3cret|Signature/);
  });

  test("of a server that never answers ends with the timeout", async () => {
    const config = bucket(`http://127.0.0.1:${silent.port}`, { timeout: 0.05 });
    expect(await failure(config)).toMatchObject({ kind: "timeout" });
  });

  test("is never read with the keys of the worker's own environment", async () => {
    process.env["AWS_ACCESS_KEY_ID"] = "worker";
    process.env["AWS_SECRET_ACCESS_KEY"] = "workers";
    try {
      const script = { uri: "s3://box/a.py" };
      expect(await failure({ script })).toMatchObject({ kind: "credential" });
    } finally {
      delete process.env["AWS_ACCESS_KEY_ID"];
      delete process.env["AWS_SECRET_ACCESS_KEY"];
    }
  });

  test("is not asked for where the worker's own session token would be sent along", async () => {
    process.env["AWS_SESSION_TOKEN"] = "the-worker's";
    try {
      const config = bucket(`http://127.0.0.1:${refusing.port}`);
      expect(await failure(config)).toMatchObject({ kind: "forbidden" });
    } finally {
      delete process.env["AWS_SESSION_TOKEN"];
    }
  });

  test("takes only credentials that have keys", async () => {
    const credentials = { hub: { name: "hub", type: "bearer", data: { token: "t0ken" } } };
    const script = { uri: "gs://box/a.py", source: { auth: "hub" } };
    expect(await failure({ script }, { credentials })).toMatchObject({
      kind: "credential",
      message:
        'a script of gcs cannot use credential "hub" of type "bearer", expected gcs_hmac or gcs or s3',
    });
  });

  test("has a bucket and a key", async () => {
    for (const uri of ["s3://box", "s3://box/", "box/a.py"]) {
      const script = { uri, source: { type: "s3" } };
      expect(await failure({ script })).toMatchObject({ kind: "config" });
    }
  });
});
