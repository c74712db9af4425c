// The memory bus holds the contract, and bounds what waits for a subscriber.

import { expect, test } from "bun:test";
import { memoryBus } from "#core/adapters/memory-bus";
import { busContract } from "#tests/contract/bus";
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
