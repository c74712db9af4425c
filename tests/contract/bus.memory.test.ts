// The memory bus holds the contract, and bounds what waits for a subscriber.

import { expect, test } from "bun:test";
import { memoryBus } from "#core/adapters/memory-bus";
import { hintsWaitingMax } from "#core/model/bus-limits";
import { busContract } from "#tests/contract/bus";
import { testTaker } from "#tests/contract/bus-hints";
import { pointer } from "#tests/support/pointers";
import { settled, until } from "#tests/support/virtual-clock";

busContract("the memory bus", async () => {
  const bus = memoryBus();
  return { bus, other: bus, close: () => bus.close() };
});

test("a subscriber's queue is bounded, and it is the oldest messages that are lost", async () => {
  const bus = memoryBus({ queueMessagesMax: 3 });
  const messages: string[] = [];
  bus.subscribe("a", ({ data }) => messages.push(data));
  for (let n = 0; n < 10; n++) bus.publish("a", String(n));
  await until(() => messages.length > 0);

  expect(messages).toEqual(["7", "8", "9"]);
});

test("a throwing handler is reported with its subject", async () => {
  const errors: unknown[] = [];
  const bus = memoryBus({ onError: (thrown, subject) => errors.push([String(thrown), subject]) });
  bus.subscribe("a.*", () => {
    throw new Error("broke");
  });
  bus.publish("a.b", "");
  await until(() => errors.length > 0);

  expect(errors).toEqual([["Error: broke", "a.b"]]);
});

test("what was waiting for a subscription that closes is not handed over", async () => {
  const bus = memoryBus();
  const messages: string[] = [];
  const subscription = bus.subscribe("a", ({ data }) => {
    messages.push(data);
    subscription.close();
  });
  bus.publish("a", "1");
  bus.publish("a", "2");
  await settled();

  expect(messages).toEqual(["1"]);
});

test("hints that nobody has room for are bounded, and it is the oldest that are lost", async () => {
  const bus = memoryBus();
  for (let n = 1; n <= hintsWaitingMax + 2; n++) bus.hint("red", pointer("a", n));
  const taker = testTaker(bus, "red", { places: 2 * hintsWaitingMax });
  await settled();

  expect(bus.status().hintsLost).toBe(2);
  expect(taker.took.map(({ command_id: id }) => id)).toEqual(
    Array.from({ length: hintsWaitingMax }, (_, n) => pointer("a", n + 3).command_id),
  );
});

test("takers with room have hints in turn", async () => {
  const bus = memoryBus();
  const takers = [1, 2, 3].map(() => testTaker(bus, "red", { places: 10 }));
  for (let n = 1; n <= 6; n++) bus.hint("red", pointer("a", n));
  await settled();

  expect(takers.map(({ took }) => took.length)).toEqual([2, 2, 2]);
});
