// Holds the tools s3, gcs and file to one behaviour: against a server that speaks S3, and a folder.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { JsonObject } from "#core/model/json";
import { type Moto, motoMissing, startMoto } from "#tests/support/moto";
import { objectData, type ToolContextOverrides, toolContext } from "#tests/tools/context";
import { failureOf, outcomeOf } from "#tests/tools/outcome-of";
import { objectTool } from "#worker/tools/object";

const missing = motoMissing();
// Without the S3 server there is nothing to test against: the skip says what is missing.
if (missing !== undefined) test.skip(missing, () => undefined);

const startMsMax = 60_000;
const key = "AKIAEXAMPLE";
const secret = "s3cr3t-0f-the-bucket";
let root = "";
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "noetl-objects-test-"));
});
afterAll(() => rm(root, { recursive: true }));

const policy = () => ({ shell: false, fileRoots: [root] });

// The same reason: no server.
describe.skipIf(missing !== undefined)("a bucket", () => {
  let moto: Moto | undefined;
  beforeAll(async () => {
    moto = await startMoto();
    for (const bucket of ["trips", "many"]) await fetch(`${moto.url}/${bucket}`, { method: "PUT" });
  }, startMsMax);
  afterAll(() => moto?.stop());

  const tool = objectTool("s3");
  const data = () => ({ access_key_id: key, secret_access_key: secret, endpoint: moto?.url ?? "" });
  const context = (overrides: ToolContextOverrides = {}) =>
    toolContext({
      policy: policy(),
      credentials: {
        store: { name: "store", type: "s3", data: data() },
        hmac: { name: "hmac", type: "gcs_hmac", data: data() },
        account: { name: "account", type: "google_service_account", data: {} },
      },
      ...overrides,
    });
  const run = async (config: JsonObject, inContext = context(), using = tool) => {
    const output = await outcomeOf(using, { auth: "store", ...config }, inContext);
    if (output.status === "error") throw new Error(JSON.stringify(output.error));
    return objectData(output.data);
  };
  const failure = (config: JsonObject) => failureOf(tool, { auth: "store", ...config }, context());

  test("gives back what it was given, with its size and type", async () => {
    const uri = "s3://trips/a/b.txt";
    const put = await run({ uri, data: "grüße", content_type: "application/x-trip" });
    expect(put).toMatchObject({
      status: "success",
      uri,
      size: 7,
      content_type: "application/x-trip",
    });
    expect(await run({ uri })).toMatchObject({ size: 7, encoding: "utf8", data: "grüße" });
    expect(await run({ operation: "head", uri })).toMatchObject({ etag: put["etag"] ?? "" });
    const json = "s3://trips/doc.json";
    await run({ operation: "put", uri: json, data: { n: [1] } });
    expect(await run({ uri: json, encoding: "json" })).toMatchObject({ data: { n: [1] } });
    const bytes = Buffer.from([0xff, 0, 1]).toString("base64");
    await run({ uri: "s3://trips/raw", data: bytes, encoding: "base64" });
    expect(await run({ uri: "s3://trips/raw" })).toMatchObject({ data: bytes, encoding: "base64" });
  });

  test("takes content from a file within the roots and from a stored result", async () => {
    await writeFile(join(root, "big.bin"), Buffer.alloc(6_000_000, "x"));
    const big = await run({ source: "big.bin", destination: "s3://trips/big" });
    expect(big["size"]).toBe(6_000_000);
    const inContext = context({ results: { "noetl://execution/1/result/x/y": { a: 1 } } });
    const config = { source: "noetl://execution/1/result/x/y", destination: "s3://trips/result" };
    expect(await run(config, inContext)).toMatchObject({ size: 7 });
    const outside = { source: "../outside.bin", destination: "s3://trips/no" };
    expect((await failure(outside)).kind).toBe("forbidden");
  });

  test("lists by prefix, by folder and page by page", async () => {
    for (const name of ["x/1", "x/2", "y/1"]) await run({ uri: `s3://many/${name}`, data: "1" });
    const list = { operation: "list", uri: "s3://many" };
    const first = await run({ ...list, limit: 2 });
    expect(first).toMatchObject({ count: 2, truncated: true, next: "x/2" });
    const rest = await run({ ...list, limit: 2, start_after: "x/2" });
    expect(rest).toMatchObject({
      truncated: false,
      next: null,
      objects: [{ uri: "s3://many/y/1" }],
    });
    expect(await run({ ...list, delimiter: "/" })).toMatchObject({
      prefixes: ["x/", "y/"],
      count: 0,
    });
    expect(await run({ ...list, prefix: "x/" })).toMatchObject({ count: 2 });
  });

  test("copies and deletes", async () => {
    await run({ uri: "s3://trips/one", data: "first", content_type: "text/csv" });
    const copied = await run({ source: "s3://trips/one", destination: "s3://trips/two" });
    expect(copied).toMatchObject({ uri: "s3://trips/two", size: 5, content_type: "text/csv" });
    await run({ uri: "s3://trips/empty", data: "" });
    expect(
      await run({ source: "s3://trips/empty", destination: "s3://trips/empty2" }),
    ).toMatchObject({ size: 0 });
    await run({ operation: "delete", uri: "s3://trips/one" });
    expect(await failure({ uri: "s3://trips/one" })).toMatchObject({
      code: "NoSuchKey",
      kind: "s3",
      retryable: false,
    });
    expect((await run({ uri: "s3://trips/two" }))["data"]).toBe("first");
  });

  test("that is missing has the store's own code, and no secret is shown", async () => {
    const error = await failure({ uri: "s3://nowhere/a", data: "x" });
    expect(error).toMatchObject({ kind: "s3", code: "NoSuchBucket", retryable: false });
    const none = await failureOf(tool, { uri: "s3://trips/a" }, context());
    expect(none).toMatchObject({ kind: "credential" });
    expect((await failure({ uri: "https://trips/a" })).kind).toBe("config");
    const config = { uri: "s3://trips/a", data: "x", metadata: { a: "b" } };
    expect((await failure(config)).message).toContain("can not be sent");
  });

  test("of Google is reached with HMAC keys alone", async () => {
    const gcs = objectTool("gcs");
    const config = { auth: "hmac", source: "big.bin", destination: "gs://trips/from-gcs" };
    expect(await run(config, context(), gcs)).toMatchObject({
      status: "success",
      uri: "gs://trips/from-gcs",
      size: 6_000_000,
    });
    const account = await failureOf(gcs, { ...config, auth: "account" }, context());
    expect(account.kind).toBe("credential");
    expect(account.message).toContain("HMAC");
  });

  test("that this worker may not reach is not asked", async () => {
    const guarded = objectTool("s3", { egress: () => false });
    const error = await failureOf(guarded, { auth: "store", uri: "s3://trips/a" }, context());
    expect(error.kind).toBe("forbidden");
  });
});

describe("a store", () => {
  const tool = objectTool("s3");
  const keys = { access_key_id: key, secret_access_key: secret };

  test("that accepts and says nothing is left at the deadline; one that is away may come back", async () => {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => void sockets.add(socket));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const config = { ...keys, uri: "s3://a/b", endpoint: `http://127.0.0.1:${port}` };
    const silent = await failureOf(tool, { ...config, timeout_seconds: 0.3 }, toolContext());
    expect(silent).toMatchObject({ kind: "timeout", retryable: true });
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
    const away = await failureOf(tool, config, toolContext());
    expect(away).toMatchObject({ kind: "connection", retryable: true });
    expect(JSON.stringify(away)).not.toContain(secret);
  });

  test("is not sent the worker's own session token", async () => {
    const sent: (string | null)[] = [];
    const server = Bun.serve({
      port: 0,
      fetch: (request) => {
        sent.push(request.headers.get("x-amz-security-token"));
        return new Response("x", { headers: { etag: '"e"' } });
      },
    });
    const program = new URL("./object-process.ts", import.meta.url).pathname;
    const run = async (own: string, token: string): Promise<unknown> => {
      const child = Bun.spawn([process.execPath, program, server.url.href, token], {
        env: { PATH: process.env["PATH"] ?? "", AWS_SESSION_TOKEN: own },
        stdout: "pipe",
      });
      return JSON.parse(await new Response(child.stdout).text());
    };
    expect(await run("the-worker's", "")).toMatchObject({ error: { kind: "forbidden" } });
    expect(sent).toEqual([]);
    expect(await run("the-worker's", "the-call's")).toMatchObject({ status: "ok" });
    expect(await run("", "")).toMatchObject({ status: "ok" });
    expect(sent).toEqual(["the-call's", null]);
    await server.stop(true);
  });

  test("that refuses or is overloaded answers with its own code", async () => {
    const answers: Record<string, Response> = {};
    const server = Bun.serve({
      port: 0,
      fetch: (request) =>
        answers[new URL(request.url).pathname]?.clone() ?? new Response("", { status: 404 }),
    });
    const xml = (code: string) =>
      `<?xml version="1.0"?><Error><Code>${code}</Code><Message>no ${secret}</Message></Error>`;
    answers["/a/denied"] = new Response(xml("AccessDenied"), { status: 403 });
    answers["/a/slow"] = new Response(xml("SlowDown"), { status: 503 });
    const config = { ...keys, operation: "put", data: "x", endpoint: server.url.href };
    const denied = await failureOf(tool, { ...config, uri: "s3://a/denied" }, toolContext());
    expect(denied).toMatchObject({ kind: "s3", code: "AccessDenied", retryable: false });
    expect(denied.message).not.toContain(secret);
    const slow = await failureOf(tool, { ...config, uri: "s3://a/slow" }, toolContext());
    expect(slow).toMatchObject({ kind: "s3", code: "SlowDown", retryable: true });
    await server.stop(true);
  });
});

describe("files", () => {
  const tool = objectTool("file");
  const context = () => toolContext({ policy: policy() });
  const run = async (config: JsonObject) => {
    const output = await outcomeOf(tool, config, context());
    if (output.status === "error") throw new Error(JSON.stringify(output.error));
    return objectData(output.data);
  };

  test("are written whole, read, listed, copied and deleted", async () => {
    await mkdir(join(root, "sub"), { recursive: true });
    const put = await run({ uri: "sub/a.txt", data: "one" });
    expect(put).toMatchObject({ status: "success", uri: "sub/a.txt", size: 3 });
    expect((await run({ uri: "sub/a.txt" }))["data"]).toBe("one");
    await run({ operation: "copy", source: "sub/a.txt", destination: "sub/deep/b.txt" });
    expect(await run({ operation: "list", uri: "sub" })).toMatchObject({
      objects: [{ uri: "sub/a.txt" }, { uri: "sub/deep/b.txt" }],
      truncated: false,
    });
    expect(await run({ operation: "list", uri: "sub", delimiter: "/", limit: 1 })).toMatchObject({
      objects: [{ uri: "sub/a.txt" }],
      truncated: true,
      next: "a.txt",
    });
    await run({ operation: "delete", uri: "sub/a.txt" });
    const gone = await failureOf(tool, { uri: "sub/a.txt" }, context());
    expect(gone).toMatchObject({ kind: "file", code: "ENOENT", retryable: false });
    expect(await readdir(join(root, "sub"))).toEqual(["deep"]);
    expect(await readFile(join(root, "sub/deep/b.txt"), "utf8")).toBe("one");
  });

  test("outside the roots are out of reach, links included", async () => {
    await symlink("/etc", join(root, "link"));
    for (const uri of ["/etc/hostname", "../x", "link/hostname"]) {
      expect((await failureOf(tool, { uri }, context())).kind).toBe("forbidden");
    }
    expect((await failureOf(tool, { uri: "a", auth: "x" }, context())).kind).toBe("credential");
  });
});
