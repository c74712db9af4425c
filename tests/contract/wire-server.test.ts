// The control plane's end of a kept socket, over real connections: how it stops, and what it refuses.

import { afterEach, describe, expect, test } from "bun:test";
import { connect } from "node:net";
import { wireRequestsMax } from "#core/model/limits";
import { settled, until } from "#tests/support/virtual-clock";
import { atEnd, cleanUp, closeOf, linked, post, server, thrownBy } from "#tests/support/wire";

afterEach(cleanUp);

const goingAway = { code: 1001, reason: "the server stops" };

describe("a server that stops", () => {
  test("closes a socket on which nothing is under way, with word of it", async () => {
    const { url, stop } = server();
    const { sockets } = await linked(url);
    const closed = closeOf(sockets[0]);
    await stop();
    expect(await closed).toMatchObject(goingAway);
  });

  test("answers what is under way, and closes the socket after the last answer", async () => {
    const { url, held, stop } = server();
    const { wire, sockets } = await linked(url);
    const closed = closeOf(sockets[0]);
    const given = ["a", "b"].map((name) => wire.fetch(post(`${url}/api/held/${name}`)));
    await until(() => held.size === 2);
    const stopped = stop();
    held.get("a")?.answer();
    expect((await given[0])?.status).toBe(200);
    expect(sockets[0]?.readyState).toBe(WebSocket.OPEN);
    held.get("b")?.answer();
    expect((await given[1])?.status).toBe(200);
    expect(await closed).toMatchObject(goingAway);
    await stopped;
  });

  test("begins nothing new: that is known to be undone, and what comes after it takes HTTP at once", async () => {
    const { url, held, stop } = server();
    const { wire, sockets, overHttp } = await linked(url);
    const given = wire.fetch(post(`${url}/api/held/a`));
    await until(() => held.size === 1);
    let frames = 0;
    sockets[0]?.addEventListener("message", () => {
      frames += 1;
    });
    const stopped = stop();
    for (const name of ["b", "c"]) {
      const thrown = await thrownBy(wire.fetch(post(`${url}/api/held/${name}`)));
      expect(thrown).toMatchObject({ code: "ECONNREFUSED" });
    }
    expect(overHttp).toEqual(["/api/held/b", "/api/held/c"]);
    expect(frames).toBe(1);
    held.get("a")?.answer();
    expect(await (await given).json()).toEqual({ held: "a" });
    await stopped;
  });
});

describe("a server refuses", () => {
  const upgrade = { connection: "Upgrade", upgrade: "websocket", "sec-websocket-version": "13" };
  const handshake = { ...upgrade, "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==" };

  test("a socket to a page of a browser, and to anything at another address", async () => {
    const { url } = server();
    const page = { ...handshake, origin: "https://example.org" };
    expect((await fetch(`${url}/api/wire`, { headers: page })).status).toBe(403);
    expect((await fetch(`${url}/api/wire`)).status).toBe(422);
    expect((await fetch(`${url}/api/wire2`, { headers: handshake })).status).toBe(200);
    expect((await fetch(`${url}/api/echo`, { headers: handshake })).status).toBe(200);
  });

  const frames: Readonly<Record<string, readonly (string | Uint8Array<ArrayBuffer>)[]>> = {
    "what is no frame": ["hello"],
    "bytes in place of text": [new Uint8Array(3)],
    "an id that is under way": ["1 POST /api/held/a\n{}\n", "1 POST /api/held/b\n{}\n"],
    "a header that is none": ['1 POST /api/echo\n{"a b":"c"}\n'],
  };
  for (const [what, sent] of Object.entries(frames)) {
    test(`${what}: the socket is closed`, async () => {
      const { url } = server();
      const socket = new WebSocket(`${url.replace("http", "ws")}/api/wire`);
      const closed = new Promise<CloseEvent>((resolve) => {
        socket.onclose = resolve;
      });
      socket.onopen = () => {
        for (const frame of sent) socket.send(frame);
      };
      expect((await closed).code).toBe(1002);
    });
  }

  test("a stream, with a word about where to ask for it", async () => {
    const { url } = server();
    const { wire } = await linked(url);
    const response = await wire.fetch(post(`${url}/api/stream`));
    expect(response.status).toBe(422);
    expect((await response.json()).error.message).toContain("HTTP");
  });

  test("more requests at a time than a socket may have, until others are over", async () => {
    const { url, held } = server();
    const { wire, overHttp } = await linked(url);
    const many = Array.from({ length: wireRequestsMax }, (_, nth) =>
      wire.fetch(post(`${url}/api/held/${nth}`)),
    );
    await until(() => held.size === wireRequestsMax);
    const refused = await wire.fetch(post(`${url}/api/echo`));
    expect(refused.status).toBe(503);
    expect(refused.headers.get("retry-after")).toBe("1");
    held.get("0")?.answer();
    await many[0];
    expect((await wire.fetch(post(`${url}/api/echo`))).status).toBe(200);
    expect(overHttp).toEqual([]);
    for (const { answer } of held.values()) answer();
    await Promise.all(many);
  });

  test("a worker that takes no answers: it is cut off, and what is under way for it is told", async () => {
    const { url, held } = server();
    const socket = connect(Number(new URL(url).port), "127.0.0.1");
    atEnd(() => socket.destroy());
    const lines = Object.entries({ host: "a", ...handshake }).map((pair) => pair.join(": "));
    socket.write(`GET /api/wire HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`);
    await new Promise((resolve) => socket.once("data", resolve));
    socket.pause();
    socket.on("error", () => {});
    const ask = (frame: string): boolean => socket.write(masked(frame));
    ask("1 POST /api/held/a\n{}\n");
    await until(() => held.size === 1);
    const heard = held.get("a")?.request.signal;
    for (let id = 2; heard?.aborted === false && id < 100; id++) {
      ask(`${id} POST /api/large\n{}\n`);
      await settled();
    }
    await until(() => heard?.aborted === true);
  });
});

/** A text frame as a client sends it, with a mask that changes nothing. */
function masked(text: string): Uint8Array {
  const bytes = new TextEncoder().encode(text);
  return new Uint8Array([0x81, 0x80 | bytes.length, 0, 0, 0, 0, ...bytes]);
}
