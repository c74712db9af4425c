// The sending bus of the edge over a real NATS server: what it was given arrives, in order, before
// its end, and a server that is away costs the messages and nothing else.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { natsBus } from "#core/adapters/nats-bus";
import { natsSocketBus } from "#core/adapters/nats-socket-bus";
import type { CommandPointer } from "#core/ports/bus";
import { type ScratchNats, startNats } from "#tests/support/nats";
import { pointer } from "#tests/support/pointers";
import { until } from "#tests/support/virtual-clock";

const login = "edge:p%40ss%3Aw%25rd";

let server: ScratchNats;
beforeAll(async () => {
  server = await startNats({
    webSocket: true,
    configuration: 'authorization { user: "edge", password: "p@ss:w%rd" }',
  });
}, 60_000);
afterAll(() => server.stop());

const addressWith = (given: string): string =>
  (server.wsUrl ?? "").replace("ws://", `ws://${given}@`);
const sending = (given = login, notices: string[] = []) =>
  natsSocketBus({
    servers: addressWith(given),
    name: "test",
    onNotice: (message) => void notices.push(message),
  });
const listening = () =>
  natsBus({ servers: server.url.replace("nats://", `nats://${login}@`), name: "test" });

test("what was published before the close has arrived after it, in order", async () => {
  const listener = listening();
  const heard: string[] = [];
  listener.subscribe("edge.>", ({ data }) => void heard.push(data));
  await until(() => listener.status().state === "connected");
  const bus = sending();
  const sent = Array.from({ length: 200 }, (_, n) => `é ${n}`);
  for (const data of sent) bus.publish("edge.a", data);
  await bus.close();
  await until(() => heard.length === sent.length);
  expect(heard).toEqual(sent);
  expect(bus.status()).toMatchObject({ state: "closed", messagesLost: 0, hintsLost: 0 });
  await listener.close();
});

test("a hint wakes a taker, and the stream keeps one of each attempt", async () => {
  const listener = listening();
  const taken: CommandPointer[] = [];
  listener.hints("cpu", {
    room: () => 10,
    take: (hint) => {
      taken.push(hint);
      return true;
    },
  });
  // The taker's first hint shows that the stream is there.
  listener.hint("cpu", pointer("first"));
  await until(() => taken.length === 1);
  const bus = sending();
  bus.hint("cpu", pointer("second"));
  bus.hint("cpu", pointer("second"));
  bus.hint("cpu", pointer("third"));
  await bus.close();
  await until(() => taken.length === 3);
  expect(taken.map(({ step }) => step)).toEqual(["first", "second", "third"]);
  expect(taken[1]).toEqual(pointer("second"));
  await listener.close();
});

test("a bus that was given nothing connects to nobody", async () => {
  const notices: string[] = [];
  const bus = natsSocketBus({
    servers: "ws://127.0.0.1:1",
    name: "test",
    onNotice: (message) => void notices.push(message),
  });
  await bus.close();
  bus.publish("edge.a", "after the end");
  await bus.close();
  expect(notices).toEqual([]);
  expect(bus.status()).toMatchObject({ state: "closed", messagesLost: 0 });
});

test("a server that is away costs the messages, which are counted", async () => {
  const notices: string[] = [];
  const bus = natsSocketBus({
    servers: "ws://127.0.0.1:1",
    name: "test",
    onNotice: (message) => void notices.push(message),
  });
  bus.publish("edge.a", "one");
  bus.hint("cpu", pointer("two"));
  await bus.close();
  expect(notices).toHaveLength(1);
  expect(notices[0]).toContain("no messages over ws://127.0.0.1:1");
  expect(bus.status()).toMatchObject({ messagesLost: 1, hintsLost: 1 });
});

test("a message that the server doesn't take costs none of the others", async () => {
  const listener = listening();
  const heard: number[] = [];
  listener.subscribe("edge.>", ({ data }) => void heard.push(data.length));
  await until(() => listener.status().state === "connected");
  const bus = sending();
  bus.publish("edge.a", "before");
  bus.publish("edge.a", "x".repeat(2_000_000));
  bus.publish("edge.a", "after it");
  await bus.close();
  await until(() => heard.length === 2);
  expect(heard).toEqual([6, 8]);
  expect(bus.status().messagesLost).toBe(1);
  await listener.close();
});

test("a wrong password is shown nowhere", async () => {
  const notices: string[] = [];
  const bus = sending("edge:wrong-secret", notices);
  bus.publish("edge.a", "one");
  await bus.close();
  expect(notices).toHaveLength(1);
  expect(JSON.stringify([notices, bus.status()])).not.toContain("wrong-secret");
});

test("servers that are no WebSocket addresses are refused, and not shown", () => {
  for (const servers of ["nats://u:secret@h:4222", "", "wss://", "ws://h,tls://u:secret@h"]) {
    const open = () => natsSocketBus({ servers, name: "test" });
    expect(open).toThrow(/NATS_URL/);
    expect(open).not.toThrow(/secret/);
  }
});
