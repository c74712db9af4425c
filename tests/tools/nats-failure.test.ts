// What the nats tool says when the server is away, silent, gone in the middle or lets nobody in.

import { describe, expect, test } from "bun:test";
import { connect, createServer, type Socket } from "node:net";

import { natsMissing } from "#tests/support/nats";
import { toolContext } from "#tests/tools/context";
import { natsAvailable, natsCalls } from "#tests/tools/nats-calls";
import { failureOf, outcomeOf } from "#tests/tools/outcome-of";

// Without the server's program there is nothing to test against: the skip says how to get it.
if (!natsAvailable) test.skip(natsMissing, () => undefined);

const read = { operation: "kv_get", bucket: "kept", key: "a" } as const;

/** A server that takes connections and says nothing, or only what it is told to say. */
async function silent(greeting?: string) {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    if (greeting !== undefined) socket.write(greeting);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("expected a port");
  const stop = (): void => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  return { url: `nats://127.0.0.1:${address.port}`, stop };
}

/** A way to a server on which the connections there are can be made to say nothing any more. */
async function mutableProxy(url: string) {
  const { hostname, port } = new URL(url);
  const open = new Set<{ readonly client: Socket; readonly upstream: Socket }>();
  const proxy = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    for (const socket of [client, upstream]) socket.on("error", () => undefined);
    client.pipe(upstream);
    upstream.pipe(client);
    open.add({ client, upstream });
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  const address = proxy.address();
  if (address === null || typeof address === "string") throw new Error("expected a port");
  return {
    url: `nats://127.0.0.1:${address.port}`,
    mute: (): void => {
      for (const { client, upstream } of open) upstream.unpipe(client);
    },
    stop: (): void => {
      for (const { client, upstream } of open)
        for (const socket of [client, upstream]) socket.destroy();
      proxy.close();
    },
  };
}

// The same reason as above: no server.
describe.skipIf(!natsAvailable)("a server", () => {
  const { failure, run, server, tool } = natsCalls();

  test("that is not there is a connection that may come back", async () => {
    const { url, stop } = await silent();
    stop();
    const error = await failureOf(tool, { ...read, url }, toolContext());
    expect(error).toMatchObject({ kind: "connection", retryable: true });
    expect(error.message).toContain(url.replace("nats://", ""));
  });

  test("that accepts and says nothing is left at the deadline", async () => {
    const { url, stop } = await silent();
    const config = { ...read, url, timeout_seconds: 0.3 };
    expect(await failureOf(tool, config, toolContext())).toMatchObject({
      kind: "timeout",
      retryable: true,
    });
    stop();
  });

  test("that stops answering in the middle is left at the request's end, and met anew", async () => {
    await run({ operation: "kv_put", bucket: "kept", key: "a", value: "x", create: true });
    server().freeze();
    const error = await failure({ ...read, timeout_ms: 300 }).finally(() => server().thaw());
    expect(error).toMatchObject({ kind: "timeout", retryable: true });
    expect((await run(read))["value"]).toBe("x");
  });

  test("whose connection fell silent is met on another one", async () => {
    await run({ operation: "kv_put", bucket: "kept", key: "a", value: "x", create: true });
    const proxy = await mutableProxy(server().url);
    const config = { ...read, url: proxy.url, timeout_ms: 300 };
    expect((await outcomeOf(tool, config, toolContext())).status).toBe("ok");
    proxy.mute();
    expect((await failureOf(tool, config, toolContext())).kind).toBe("timeout");
    expect((await outcomeOf(tool, config, toolContext())).status).toBe("ok");
    proxy.stop();
  });

  test("that was restarted is met on a new connection", async () => {
    await run({ operation: "kv_put", bucket: "kept", key: "a", value: "x", create: true });
    await server().kill();
    await server().start();
    expect((await run(read))["value"]).toBe("x");
  });

  test("cancelling ends a wait for messages at once", async () => {
    const cancel = new AbortController();
    const take = { operation: "js_consume", stream: "KV_kept", consumer: "c", create: true };
    const taking = failure({ ...take, timeout_ms: 30_000, batch: 5 }, { signal: cancel.signal });
    cancel.abort(new Error("lease lost"));
    expect((await taking).kind).toBe("cancelled");
  });
});

// The same reason as above: no server.
describe.skipIf(!natsAvailable)("credentials", () => {
  const secret = "p4ss-w0rd-of-nats";
  const { failure, server, tool } = natsCalls({
    configuration: `authorization { user: "trips", password: "${secret}" }\n`,
  });

  test("that are right let us in, from a credential, from fields and from the address", async () => {
    const login = { nats_user: "trips", nats_password: secret, nats_url: server().url };
    const credentials = { bus: { name: "bus", type: "nats", data: login } };
    expect((await failure(read, { credentials })).code).toBe("no_bucket");
    const fields = { ...read, url: server().url, user: "trips", password: secret };
    expect((await failureOf(tool, fields, toolContext())).code).toBe("no_bucket");
    const url = server().url.replace("nats://", `nats://trips:${secret}@`);
    expect((await failureOf(tool, { ...read, url }, toolContext())).code).toBe("no_bucket");
  });

  test("that are wrong are an error that shows no password", async () => {
    const wrong = `${secret}-not`;
    const url = server().url.replace("nats://", `nats://trips:${wrong}@`);
    const error = await failureOf(tool, { ...read, url }, toolContext());
    expect(error).toMatchObject({ kind: "nats", code: "auth", retryable: false });
    expect(JSON.stringify(error)).not.toContain(secret);
  });

  test("of another type are refused", async () => {
    const credentials = { bus: { name: "bus", type: "postgres", data: {} } };
    expect(await failure(read, { credentials })).toMatchObject({ kind: "credential" });
  });
});
