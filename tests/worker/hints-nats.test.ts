// Workers of one pool over a real NATS server: the clocks stand still, so whatever a worker does
// it does because of a hint.

import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { natsBus } from "#core/adapters/nats-bus";
import { workerTickMs } from "#core/model/limits";
import type { Bus } from "#core/ports/bus";
import { commandConsumer, commandStream } from "#core/wire/subjects";
import { type ScratchNats, startNats } from "#tests/support/nats";
import { pointer } from "#tests/support/pointers";
import { until } from "#tests/support/virtual-clock";
import { heldTool, setting, work } from "#tests/worker/running-worker";

let server: ScratchNats;
let connection: NatsConnection;
let manager: Awaited<ReturnType<typeof jetstreamManager>>;
let buses: Bus[];
beforeAll(async () => {
  server = await startNats();
  connection = await connect({ servers: [server.url] });
  manager = await jetstreamManager(connection, { checkAPI: false });
});
afterAll(async () => {
  await connection.close();
  await server.stop();
});
beforeEach(async () => {
  await manager.streams.delete(commandStream).catch(() => false);
  buses = [];
  return async () => {
    for (const bus of buses) await bus.close();
  };
});

function newBus(): Bus {
  const bus = natsBus({ servers: server.url, name: "test" });
  buses.push(bus);
  return bus;
}

/** So many workers of the pool ask for hints. */
async function asking(count: number): Promise<void> {
  let waiting = -1;
  while (waiting !== count) {
    waiting = await manager.consumers.info(commandStream, commandConsumer("default")).then(
      ({ num_waiting: found }) => found,
      () => -1,
    );
  }
}

test("two workers share a pool: a hint wakes one, many wake both", async () => {
  const control = newBus();
  const workers = [newBus(), newBus()].map((bus) => setting(heldTool(), { bus, slots: 2 }));
  await asking(2);
  for (const worker of workers) worker.control.ready.push(work("a"), work("b"));
  control.hint("default", pointer("a", 1));
  await until(() => workers.some(({ worker }) => worker.running() === 2));
  expect(workers.map(({ worker }) => worker.running()).sort()).toEqual([0, 2]);
  for (let n = 2; n <= 5; n++) control.hint("default", pointer("a", n));
  await until(() => workers.every(({ worker }) => worker.running() === 2));

  expect(workers.every(({ clock }) => clock.nowMs() === workers[0]?.clock.nowMs())).toBe(true);
});

test("a worker that has filled up since it asked hands its hint over to an idle one", async () => {
  const control = newBus();
  const full = setting(heldTool(), { bus: newBus(), slots: 1 });
  await asking(1);
  full.control.ready.push(work("a"));
  await full.clock.advance(workerTickMs);
  expect(full.worker.running()).toBe(1);
  const idle = setting(heldTool(), { bus: newBus(), slots: 1 });
  await asking(2);
  idle.control.ready.push(work("b"));
  const claims = full.control.claims.length;
  control.hint("default", pointer("b"));
  await until(() => idle.worker.running() === 1);

  expect(full.control.claims.length).toBe(claims);
});

test("a full worker asks for nothing, and asks again when it has room", async () => {
  const control = newBus();
  const held = heldTool();
  const bus = newBus();
  const { worker, ...own } = setting(held, { bus, slots: 1 });
  await asking(1);
  own.control.ready.push(work("a"));
  control.hint("default", pointer("a"));
  await until(() => worker.running() === 1);
  await asking(0);
  held.finish("a");
  await asking(1);
  own.control.ready.push(work("b"));
  control.hint("default", pointer("b"));
  await until(() => worker.running() === 1);

  expect(held.calls.map(({ step }) => step)).toEqual(["a", "b"]);
});
