// What every bus must do, whatever carries its messages: one suite, run against each of them.

import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import type { Bus, BusMessage } from "#core/ports/bus";
import { until } from "#tests/support/virtual-clock";
import { hintContract } from "./bus-hints.ts";

export interface BusUnderTest {
  readonly bus: Bus;
  /** Another connection to the same messages; the same bus where there is only one. */
  readonly other: Bus;
  close(): Promise<void>;
}

export function busContract(name: string, open: () => Promise<BusUnderTest>): void {
  describe(name, () => {
    let subject: BusUnderTest;
    let bus: Bus;
    let fences = 0;
    beforeEach(async () => {
      subject = await open();
      bus = subject.bus;
    });
    afterEach(() => subject.close());

    const received = (pattern: string, group?: string): BusMessage[] => {
      const messages: BusMessage[] = [];
      const options = group === undefined ? {} : { group };
      bus.subscribe(pattern, (message) => messages.push(message), options);
      return messages;
    };

    /** Everything published before has been handed over: one more message came through. */
    const handedOver = async (): Promise<void> => {
      fences += 1;
      const seen = received(`contract.fence.${fences}`);
      bus.publish(`contract.fence.${fences}`, "");
      await until(() => seen.length > 0);
    };

    test("a message reaches every subscriber of its subject, as it was", async () => {
      const one = received("a.b");
      const two = received("a.b");
      await handedOver();
      subject.other.publish("a.b", '{"text": "é\\n"}');
      await until(() => one.length > 0 && two.length > 0);

      expect(one).toEqual([{ subject: "a.b", data: '{"text": "é\\n"}' }]);
      expect(two).toEqual(one);
    });

    const patterns: readonly [pattern: string, subject: string, matches: boolean][] = [
      ["a.b", "a.b", true],
      ["a.b", "a.c", false],
      ["a.b", "a.b.c", false],
      ["a.b.c", "a.b", false],
      ["a.*", "a.b", true],
      ["a.*", "a", false],
      ["a.*", "a.b.c", false],
      ["*.b", "a.b", true],
      ["a.*.c", "a.b.c", true],
      ["a.*.c", "a.b.d", false],
      ["a.>", "a.b", true],
      ["a.>", "a.b.c.d", true],
      ["a.>", "a", false],
      ["a.>", "b.a", false],
      [">", "a", true],
      [">", "a.b", true],
    ];
    for (const [pattern, to, matches] of patterns) {
      test(`${pattern} ${matches ? "takes" : "leaves"} ${to}`, async () => {
        const messages = received(pattern);
        bus.publish(to, "x");
        await handedOver();

        expect(messages.filter(({ subject }) => subject === to).length).toBe(matches ? 1 : 0);
      });
    }

    test("messages of one publisher arrive in their order", async () => {
      const messages = received("order.*");
      for (let n = 0; n < 100; n++) bus.publish(`order.${n % 3}`, String(n));
      await until(() => messages.length === 100);

      expect(messages.map(({ data }) => Number(data))).toEqual([...Array(100).keys()]);
    });

    test("of a group one takes each message, and the work is shared", async () => {
      const members = [1, 2, 3].map(() => received("work.>", "pool"));
      const outsider = received("work.>");
      for (let n = 0; n < 60; n++) bus.publish("work.x", String(n));
      await until(() => outsider.length === 60 && members.flat().length >= 60);
      await handedOver();

      expect(members.flat().length).toBe(60);
      expect(members.every((messages) => messages.length > 0)).toBe(true);
    });

    test("groups do not take from each other", async () => {
      const red = received("work.x", "red");
      const blue = received("work.x", "blue");
      bus.publish("work.x", "1");
      await until(() => red.length > 0 && blue.length > 0);

      expect([red.length, blue.length]).toEqual([1, 1]);
    });

    test("a closed subscription hears no more, the others do", async () => {
      const messages: string[] = [];
      const closing = bus.subscribe("a.b", ({ data }) => messages.push(data));
      const staying = received("a.b");
      bus.publish("a.b", "1");
      await until(() => messages.length === 1);
      closing.close();
      closing.close();
      bus.publish("a.b", "2");
      await until(() => staying.length === 2);
      await handedOver();

      expect(messages).toEqual(["1"]);
    });

    test("publishing never runs a handler inside the call", async () => {
      const messages = received("a.b");
      bus.publish("a.b", "1");
      const during = messages.length;
      await until(() => messages.length > 0);

      expect(during).toBe(0);
    });

    test("a handler that throws costs neither its own later messages nor another's", async () => {
      const heard: string[] = [];
      bus.subscribe("a.b", ({ data }) => {
        heard.push(data);
        throw new Error("handler broke");
      });
      const other = received("a.b");
      bus.publish("a.b", "1");
      bus.publish("a.b", "2");
      await until(() => heard.length === 2 && other.length === 2);

      expect(heard).toEqual(["1", "2"]);
    });

    test("handlers that publish to each other for ever leave room for everything else", async () => {
      let echoes = 0;
      const ping = bus.subscribe("ping", () => {
        echoes += 1;
        bus.publish("pong", "");
      });
      const pong = bus.subscribe("pong", () => bus.publish("ping", ""));
      bus.publish("ping", "");
      await until(() => echoes > 20);
      ping.close();
      pong.close();
      await handedOver();

      expect(echoes).toBeGreaterThan(20);
    });

    test("a closed bus takes messages and subscribers and does nothing", async () => {
      const messages = received("a.b");
      await bus.close();
      bus.publish("a.b", "1");
      bus.subscribe("a.b", () => {}).close();
      await bus.close();

      expect(messages).toEqual([]);
      expect(bus.status().state).toBe("closed");
    });

    test("a bus that works says so", async () => {
      await handedOver();
      expect(bus.status()).toMatchObject({ state: "connected", messagesLost: 0, hintsLost: 0 });
    });
  });

  describe(name, () => hintContract(open));
}
