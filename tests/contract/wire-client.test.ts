// The worker's end of a kept socket, over real connections: it carries the same requests to the same
// handler, and where it can't, HTTP does.

import { afterEach, describe, expect, test } from "bun:test";
import { wireFetch } from "#core/adapters/wire-client";
import { wireBodyCharsMax, wireDeafMs, wireOpenMs, wireRetryMs } from "#core/model/limits";
import { cutProxy } from "#tests/support/cut-proxy";
import { settled, until, virtualClock } from "#tests/support/virtual-clock";
import { atEnd, cleanUp, client, linked, post, server, thrownBy } from "#tests/support/wire";

afterEach(cleanUp);

describe("what is carried", () => {
  test("the first request goes over HTTP, and those after it over the socket", async () => {
    const { url } = server();
    const { wire, overHttp } = await linked(url);
    expect((await wire.fetch(post(`${url}/api/second`))).status).toBe(200);
    expect(overHttp).toEqual([]);
  });

  const requests: Readonly<Record<string, (url: string) => Request>> = {
    "a body with its query and headers": (url) =>
      post(`${url}/api/echo?x=%20y&z`, {
        headers: {
          "content-type": "application/json",
          "x-noetl-cluster": "c",
          authorization: "b c",
        },
      }),
    "text of other alphabets": (url) => post(`${url}/api/echo`, { body: '{"a":"žluťoučký 🐎"}' }),
    "a request without a body": (url) => new Request(`${url}/api/echo`, { method: "DELETE" }),
    "an answer without a body": (url) => post(`${url}/api/none`),
    "an answer that isn't JSON, nor good": (url) => post(`${url}/api/text`),
  };
  for (const [what, make] of Object.entries(requests)) {
    test(`${what}: the same as over HTTP`, async () => {
      const { url } = server();
      const { wire, overHttp } = await linked(url);
      const [carried, plain] = [await wire.fetch(make(url)), await fetch(make(url))];
      expect(overHttp).toEqual([]);
      expect(carried.status).toBe(plain.status);
      for (const header of ["content-type", "x-noetl-epoch"]) {
        expect(carried.headers.get(header)).toBe(plain.headers.get(header));
      }
      expect(await carried.text()).toBe(await plain.text());
    });
  }

  test("answers come in any order, each to its request", async () => {
    const { url, held } = server();
    const { wire } = await linked(url);
    const asked = ["1", "2", "3"].map((name) => wire.fetch(post(`${url}/api/held/${name}`)));
    await until(() => held.size === 3);
    const order: string[] = [];
    for (const name of ["3", "1", "2"]) {
      held.get(name)?.answer();
      order.push((await (await asked[Number(name) - 1])?.text()) ?? "");
    }
    expect(order).toEqual(['{"held":"3"}', '{"held":"1"}', '{"held":"2"}']);
  });
});

describe("what goes over HTTP", () => {
  const json = { "content-type": "application/json" };
  const requests: Readonly<Record<string, (url: string) => Request>> = {
    "what is read": (url) => new Request(`${url}/api/echo`),
    "a body above the bound": (url) =>
      post(`${url}/api/echo`, { body: JSON.stringify("x".repeat(wireBodyCharsMax)) }),
    "what streams": (url) =>
      post(`${url}/api/echo`, { headers: { ...json, accept: "text/event-stream" } }),
    "a body that isn't JSON": (url) =>
      post(`${url}/api/echo`, { headers: { "content-type": "application/octet-stream" } }),
    "a server below a path of its host": (url) => post(`${url}/noetl/api/echo`),
  };
  for (const [what, make] of Object.entries(requests)) {
    test(`${what}, beside an open socket`, async () => {
      const { url } = server();
      const { wire, overHttp } = await linked(url);
      const response = await wire.fetch(make(url));
      expect(overHttp).toHaveLength(1);
      expect((await response.json()).body).toBe(await make(url).text());
    });
  }

  test("everything, where the server has no socket; it is asked for one now and then", async () => {
    const { url } = server({ wire: false });
    const { wire, clock, sockets, overHttp } = client();
    const ask = async (): Promise<void> => {
      expect((await wire.fetch(post(`${url}/api/echo`))).status).toBe(200);
      await until(() => sockets.every(({ readyState }) => readyState === WebSocket.CLOSED));
      await settled();
    };
    for (let nth = 0; nth < 3; nth++) await ask();
    expect(sockets).toHaveLength(1);
    await clock.advance(wireRetryMs);
    await ask();
    expect(sockets).toHaveLength(2);
    expect(overHttp).toHaveLength(4);
  });

  test("everything, while a socket takes too long to open, which is then given up", async () => {
    const { url } = server();
    const deaf = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => {} } });
    atEnd(() => deaf.stop(true));
    const clock = virtualClock();
    const sockets: WebSocket[] = [];
    const overHttp: string[] = [];
    const wire = wireFetch({
      clock,
      fetch: (request) => {
        overHttp.push(request.url);
        return fetch(request);
      },
      webSocket: () => {
        const socket = new WebSocket(`ws://127.0.0.1:${deaf.port}/`);
        sockets.push(socket);
        return socket;
      },
    });
    await wire.fetch(post(`${url}/api/echo`));
    await wire.fetch(post(`${url}/api/echo`));
    expect(sockets.map(({ readyState }) => readyState)).toEqual([WebSocket.CONNECTING]);
    await clock.advance(wireOpenMs);
    expect(sockets[0]?.readyState).not.toBe(WebSocket.CONNECTING);
    expect(overHttp).toHaveLength(2);
  });

  test("everything, while nothing is behind a proxy: its answer opens no socket", async () => {
    const away = Bun.serve({ port: 0, fetch: () => new Response(null, { status: 502 }) });
    atEnd(() => away.stop(true));
    const { wire, sockets } = client();
    await wire.fetch(post(`http://127.0.0.1:${away.port}/api/echo`));
    await settled();
    expect(sockets).toEqual([]);
  });
});

describe("a request that is given up", () => {
  test("ends as a fetch does, tells the server, and leaves the socket to the others", async () => {
    const { url, held } = server();
    const { wire, sockets, overHttp } = await linked(url);
    const ending = new AbortController();
    const given = thrownBy(wire.fetch(post(`${url}/api/held/a`, { signal: ending.signal })));
    const other = wire.fetch(post(`${url}/api/held/b`));
    await until(() => held.size === 2);
    ending.abort();
    const plain = await thrownBy(fetch(post(url, { signal: ending.signal })));
    expect(await given).toMatchObject({ name: "AbortError", message: (plain as Error).message });
    const heard = held.get("a")?.request.signal;
    await until(() => heard?.aborted === true);
    expect(held.get("b")?.request.signal.aborted).toBe(false);
    let frames = 0;
    sockets[0]?.addEventListener("message", () => {
      frames += 1;
    });
    // The answer that comes all the same is nobody's, and is not sent.
    held.get("a")?.answer();
    await until(() => !held.has("a"));
    held.get("b")?.answer();
    expect(await (await other).json()).toEqual({ held: "b" });
    expect(frames).toBe(1);
    expect((await wire.fetch(post(`${url}/api/echo`))).status).toBe(200);
    expect(overHttp).toEqual([]);
  });

  test("before it was sent never reaches the server", async () => {
    const { url, held } = server();
    const { wire } = await linked(url);
    const signal = AbortSignal.abort();
    expect(await thrownBy(wire.fetch(post(`${url}/api/held/a`, { signal })))).toMatchObject({
      name: "AbortError",
    });
    await wire.fetch(post(`${url}/api/echo`));
    expect(held.size).toBe(0);
  });
});

describe("a socket that is lost", () => {
  test("fails what is under way as a cut connection does, on both ends; HTTP goes on", async () => {
    const { url, held } = server();
    const proxy = await cutProxy({ host: "127.0.0.1", port: Number(new URL(url).port) });
    atEnd(() => proxy.close());
    const at = `http://127.0.0.1:${proxy.port}`;
    const { wire, overHttp } = await linked(at);
    const given = thrownBy(wire.fetch(post(`${at}/api/held/a`)));
    await until(() => held.size === 1);
    const heard = held.get("a")?.request.signal;
    proxy.reset();
    // It may have been done: nobody may take it for a request that was never sent.
    expect(await given).toMatchObject({ code: "ECONNRESET" });
    await until(() => heard?.aborted === true);
    expect((await wire.fetch(post(`${at}/api/echo`))).status).toBe(200);
    expect(overHttp).toEqual(["/api/echo"]);
  });

  test("is followed by another one after a restart, but not at once", async () => {
    const first = server();
    const { url } = first;
    const { wire, clock, sockets, overHttp } = await linked(url);
    await first.stop();
    await until(() => sockets[0]?.readyState === WebSocket.CLOSED);
    expect(await thrownBy(wire.fetch(post(`${url}/api/echo`)))).toMatchObject({
      code: "ECONNREFUSED",
    });
    server({ port: Number(new URL(url).port) });
    await wire.fetch(post(`${url}/api/echo`));
    await settled();
    expect(sockets).toHaveLength(1);
    await clock.advance(wireRetryMs);
    await wire.fetch(post(`${url}/api/echo`));
    await until(() => sockets[1]?.readyState === WebSocket.OPEN);
    await settled();
    overHttp.length = 0;
    expect((await wire.fetch(post(`${url}/api/echo`))).status).toBe(200);
    expect(overHttp).toEqual([]);
  });

  test("without a word is left as soon as a request was waited for in vain", async () => {
    const { url } = server();
    const proxy = await cutProxy({ host: "127.0.0.1", port: Number(new URL(url).port) });
    atEnd(() => proxy.close());
    const at = `http://127.0.0.1:${proxy.port}`;
    const { wire, clock, sockets, overHttp } = await linked(at);
    proxy.silence();
    const ending = new AbortController();
    const given = thrownBy(wire.fetch(post(`${at}/api/echo`, { signal: ending.signal })));
    await settled();
    await clock.advance(wireDeafMs);
    ending.abort();
    expect(await given).toMatchObject({ name: "AbortError" });
    const next = thrownBy(wire.fetch(post(`${at}/api/echo`)));
    await until(() => overHttp.length === 1);
    proxy.heal();
    await next;
    await clock.advance(wireRetryMs);
    expect((await wire.fetch(post(`${at}/api/echo`))).status).toBe(200);
    await until(() => sockets[1]?.readyState === WebSocket.OPEN);
  });

  test("is not taken for one on which another answer came, or that had no time to", async () => {
    const { url, held } = server();
    const { wire, clock, overHttp } = await linked(url);
    const slow = new AbortController();
    const given = thrownBy(wire.fetch(post(`${url}/api/held/a`, { signal: slow.signal })));
    await until(() => held.size === 1);
    await wire.fetch(post(`${url}/api/echo`));
    await clock.advance(wireDeafMs);
    slow.abort();
    await given;
    const quick = new AbortController();
    const second = thrownBy(wire.fetch(post(`${url}/api/held/b`, { signal: quick.signal })));
    await until(() => held.has("b"));
    await clock.advance(wireDeafMs - 1);
    quick.abort();
    await second;
    expect((await wire.fetch(post(`${url}/api/echo`))).status).toBe(200);
    expect(overHttp).toEqual([]);
  });

  test("by its own client fails what is under way, and HTTP serves the rest", async () => {
    const { url, held } = server();
    const { wire, sockets, overHttp } = await linked(url);
    const given = thrownBy(wire.fetch(post(`${url}/api/held/a`)));
    await until(() => held.size === 1);
    wire.close();
    expect(await given).toMatchObject({ code: "ECONNRESET" });
    await until(() => sockets[0]?.readyState === WebSocket.CLOSED);
    await wire.fetch(post(`${url}/api/echo`));
    expect(overHttp).toEqual(["/api/echo"]);
  });
});
