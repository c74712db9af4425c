// What only a bus with a server can suffer: servers that are absent, restarted, killed, frozen or
// emptied, and listeners too slow for them.

import { afterEach, expect, test } from "bun:test";
import { fileURLToPath } from "node:url";
import { DiscardPolicy, jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { type NatsBusOptions, natsBus } from "#core/adapters/nats-bus";
import { busQueueMessagesMax, busUnconfirmedBytesMax } from "#core/model/bus-limits";
import type { Bus } from "#core/ports/bus";
import { commandConsumer, commandStream } from "#core/wire/subjects";
import { type NatsOptions, type ScratchNats, startNats } from "#tests/support/nats";
import { pointer } from "#tests/support/pointers";
import { until } from "#tests/support/virtual-clock";
import { testTaker } from "./bus-hints.ts";

const listenerPath = fileURLToPath(new URL("./nats-listener.ts", import.meta.url));

const open: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

async function scratch(options: NatsOptions = {}): Promise<ScratchNats> {
  const server = await startNats(options);
  open.push(server.stop);
  return server;
}

function busOf(servers: string, options: Partial<NatsBusOptions> = {}): Bus {
  const bus = natsBus({ servers, name: "test", ...options });
  open.push(() => bus.close());
  return bus;
}

async function managerOf(server: ScratchNats) {
  const connection = await connect({ servers: [server.url] });
  open.push(() => connection.close());
  return jetstreamManager(connection, { checkAPI: false });
}

const connected = (bus: Bus): Promise<void> => until(() => bus.status().state === "connected");

function heard(bus: Bus, pattern: string): string[] {
  const messages: string[] = [];
  bus.subscribe(pattern, ({ data }) => messages.push(data));
  return messages;
}

/** Publishes anew until one came through: while a server goes down, any single one may be lost. */
async function getsThrough(from: Bus, to: Bus, subject: string): Promise<void> {
  const messages = heard(to, subject);
  await until(() => {
    from.publish(subject, "again");
    return messages.length > 0;
  });
}

test("a server that is absent from the start keeps nobody waiting, and misses nothing", async () => {
  const server = await scratch({ startsLater: true });
  const bus = busOf(server.url);
  const messages = heard(bus, "a.*");
  const taker = testTaker(bus, "red", { places: 5 });
  bus.publish("a.b", "1");
  bus.publish("a.c", "2");
  bus.hint("red", pointer("a"));
  await until(() => bus.status().reason?.includes("refused") === true);
  expect(bus.status().state).toBe("connecting");
  await server.start();
  await until(() => messages.length === 2 && taker.took.length === 1);

  expect(messages).toEqual(["1", "2"]);
  expect(bus.status()).toMatchObject({ state: "connected", messagesLost: 0, hintsLost: 0 });
});

test("what waits for a server is bounded, and it is the oldest messages that are lost", async () => {
  const server = await scratch({ startsLater: true });
  const bus = busOf(server.url);
  const messages = heard(bus, "a");
  for (let n = 0; n < busQueueMessagesMax + 3; n++) bus.publish("a", String(n));
  expect(bus.status().messagesLost).toBe(3);
  await server.start();
  await until(() => messages.length === busQueueMessagesMax);

  expect([messages[0], messages.at(-1)]).toEqual(["3", String(busQueueMessagesMax + 2)]);
});

for (const signal of ["SIGTERM", "SIGKILL"] as const) {
  test(`subscriptions, groups and takers outlive a server that ends by ${signal}`, async () => {
    const server = await scratch();
    const bus = busOf(server.url);
    const other = busOf(server.url);
    const messages = heard(other, "a");
    const group = [bus, other].map((of) => {
      const members: string[] = [];
      of.subscribe("work", ({ data }) => members.push(data), { group: "pool" });
      return members;
    });
    const taker = testTaker(other, "red", { places: 50 });
    bus.hint("red", pointer("before"));
    await until(() => taker.took.length === 1);
    await server.kill(signal);
    await until(() => [bus, other].every((of) => of.status().state === "connecting"));
    for (let n = 0; n < 5; n++) bus.publish("a", String(n));
    bus.hint("red", pointer("meanwhile"));
    await server.start();
    await connected(bus);
    await connected(other);
    // A server that was killed may have forgotten a message that its consumer has counted, and the
    // next one then passes for delivered: a hint is lost, and the one after it is not.
    for (let n = 1; taker.took.length < 2; n++) {
      await Promise.race([until(() => taker.took.length > 1), Bun.sleep(500)]);
      if (signal === "SIGKILL" && taker.took.length < 2)
        bus.hint("red", pointer("meanwhile", n + 1));
    }
    await getsThrough(bus, other, "through");
    await getsThrough(other, bus, "back");
    for (let n = 0; n < 40; n++) bus.publish("work", String(n));
    await until(() => group.flat().length >= 40);

    expect(taker.took.map(({ step }) => step).slice(0, 2)).toEqual(["before", "meanwhile"]);
    expect(group.flat().length).toBe(40);
    // Who was back first may have published before the other one listened.
    expect(["01234", ""]).toContain(messages.join(""));
  });
}

test("hints that were stored before a kill are there after it", async () => {
  const server = await scratch();
  const bus = busOf(server.url);
  for (let n = 1; n <= 20; n++) bus.hint("red", pointer("a", n));
  const manager = await managerOf(server);
  await until(() => bus.status().state === "connected");
  let stored = 0;
  while (stored < 20) {
    stored = await manager.streams.info(commandStream).then(
      ({ state }) => state.messages,
      () => 0,
    );
  }
  await bus.close();
  await server.kill();
  await server.start();
  const taker = testTaker(busOf(server.url), "red", { places: 50 });
  await until(() => taker.took.length === 20);

  expect(taker.took.length).toBe(20);
});

test("hints flow again after somebody has deleted the stream, or the consumer", async () => {
  const server = await scratch();
  const bus = busOf(server.url);
  const taker = testTaker(busOf(server.url), "red", { places: 50 });
  const manager = await managerOf(server);
  // A consumer that is made again begins with what the stream still keeps.
  const flows = async (step: string): Promise<void> => {
    bus.hint("red", pointer(step));
    await until(() => taker.took.some((hint) => hint.step === step));
  };
  await flows("at the start");
  await manager.streams.delete(commandStream);
  await flows("after the stream");
  await manager.consumers.delete(commandStream, commandConsumer("red"));
  await flows("after the consumer");
  await manager.streams.delete(commandStream);
  await flows("after the stream again");

  expect(bus.status().hintsLost).toBe(0);
});

test("a taker that asks a consumer that is gone notices the silence", async () => {
  const server = await scratch();
  const bus = busOf(server.url);
  const taker = testTaker(bus, "red", { places: 1 });
  const manager = await managerOf(server);
  bus.hint("red", pointer("a", 1));
  await until(() => taker.took.length === 1);
  // Full, it has no fetch under way that could be told of the deletion.
  await manager.streams.delete(commandStream);
  taker.free(5);
  bus.hint("red", pointer("a", 2));
  await until(() => taker.took.length === 2);

  expect(taker.took.length).toBe(2);
}, 60_000);

test("a hint that is sent twice is taken once, the next attempt is another hint", async () => {
  const server = await scratch();
  const bus = busOf(server.url);
  const other = busOf(server.url);
  const taker = testTaker(busOf(server.url), "red", { places: 50 });
  bus.hint("red", pointer("a"));
  other.hint("red", pointer("a"));
  await until(() => taker.took.length === 1);
  other.hint("red", { ...pointer("a"), attempt: 2 });
  await until(() => taker.took.length === 2);

  expect(taker.took.map(({ attempt }) => attempt)).toEqual([1, 2]);
});

test("the stream is made as it has to be, and what an operator has added to it stays", async () => {
  const server = await scratch();
  const manager = await managerOf(server);
  await manager.streams.add({
    name: commandStream,
    subjects: ["noetl.commands.>"],
    description: "ours",
    discard: DiscardPolicy.Old,
    max_bytes: 1_000_000,
  });
  const bus = busOf(server.url);
  const taker = testTaker(bus, "red", { places: 5 });
  bus.hint("red", pointer("a"));
  await until(() => taker.took.length === 1);
  const { config } = await manager.streams.info(commandStream);

  expect(config).toMatchObject({
    description: "ours",
    subjects: ["noetl.commands.>"],
    retention: "limits",
    storage: "file",
    discard: "old",
    max_age: 120_000_000_000,
    max_bytes: 67_108_864,
    duplicate_window: 60_000_000_000,
  });
});

test("a consumer of another shape is replaced", async () => {
  const server = await scratch();
  const bus = busOf(server.url);
  bus.hint("red", pointer("a"));
  const manager = await managerOf(server);
  let made = false;
  while (!made) {
    made = await manager.consumers
      .add(commandStream, {
        durable_name: commandConsumer("red"),
        filter_subject: "noetl.commands.blue.>",
      })
      .then(
        () => true,
        () => false,
      );
  }
  const taker = testTaker(bus, "red", { places: 5 });
  await until(() => taker.took.length === 1);

  expect(taker.took[0]?.step).toBe("a");
});

test("many who come at once make one stream and one consumer of a pool", async () => {
  const server = await scratch();
  const buses = Array.from({ length: 8 }, () => busOf(server.url));
  const takers = buses.map((bus) => testTaker(bus, "red", { places: 5 }));
  for (const [index, bus] of buses.entries()) bus.hint("red", pointer("a", index + 1));
  await until(() => takers.flatMap(({ took }) => took).length === 8);
  const manager = await managerOf(server);
  const { state } = await manager.streams.info(commandStream);

  expect(state.consumer_count).toBe(1);
  expect(buses.every((bus) => bus.status().reason === undefined)).toBe(true);
});

test("a server without streams carries messages, and says why it keeps no hints", async () => {
  const server = await scratch({ configuration: "jetstream: disabled" });
  const bus = busOf(server.url);
  bus.hint("red", pointer("a"));
  testTaker(bus, "red", { places: 5 });
  await getsThrough(bus, bus, "a");
  await until(() => bus.status().reason !== undefined);

  expect(bus.status().state).toBe("connected");
  expect(bus.status().reason).toMatch(/^command hints can't be kept: /);
});

test("what a frozen server does not take is bounded, and nobody waits for it", async () => {
  const server = await scratch();
  const bus = busOf(server.url);
  await getsThrough(bus, bus, "before");
  server.freeze();
  const text = "x".repeat(500_000);
  const count = Math.ceil((1.5 * busUnconfirmedBytesMax) / text.length);
  for (let n = 0; n < count; n++) bus.publish("big", text);
  expect(bus.status().messagesLost).toBeGreaterThan(0);
  server.thaw();
  await getsThrough(bus, bus, "after");

  expect(bus.status().state).toBe("connected");
});

test("a message larger than the server takes is lost, and costs nothing else", async () => {
  const server = await scratch();
  const bus = busOf(server.url);
  await getsThrough(bus, bus, "before");
  const messages = heard(bus, "big");
  bus.publish("big", "x".repeat(2 * 1_048_576));
  bus.publish("big", "small");
  await until(() => messages.length > 0);

  expect(messages).toEqual(["small"]);
  expect(bus.status().messagesLost).toBe(1);
});

test("a listener too slow for the server is put out alone, and comes back", async () => {
  const server = await scratch({ configuration: 'max_pending: 2097152\nwrite_deadline: "500ms"' });
  const bus = busOf(server.url);
  const pongs = heard(bus, "pong");
  const listener = Bun.spawn([process.execPath, listenerPath, server.url], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "inherit",
  });
  open.push(async () => {
    listener.kill("SIGKILL");
    await listener.exited;
  });
  await until(() => {
    bus.publish("ping", "first");
    return pongs.includes("first");
  });
  const others = heard(bus, "flood");
  listener.kill("SIGSTOP");
  const text = "x".repeat(100_000);
  for (let n = 0; n < 300; n++) bus.publish("flood", text);
  await until(() => others.length === 300);
  listener.kill("SIGCONT");
  let output = "";
  const decoder = new TextDecoder();
  for await (const chunk of listener.stdout) {
    output += decoder.decode(chunk, { stream: true });
    if (/lost[\s\S]*connected to/.test(output)) break;
  }
  await until(() => {
    bus.publish("ping", "second");
    return pongs.includes("second");
  });

  expect(bus.status().messagesLost).toBe(0);
});

test("of several servers one that is there is enough", async () => {
  const absent = await scratch({ startsLater: true });
  const server = await scratch();
  const bus = busOf(`${absent.url}, ${server.url}`);
  await getsThrough(bus, bus, "a");

  expect(`nats://${bus.status().server}`).toBe(server.url);
});
