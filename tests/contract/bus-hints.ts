// What every bus must do with hints, whatever carries them.

import { afterEach, beforeEach, expect, test } from "bun:test";
import type { Bus, CommandPointer, HintSubscription } from "#core/ports/bus";
import { pointer } from "#tests/support/pointers";
import { until } from "#tests/support/virtual-clock";
import type { BusUnderTest } from "./bus.ts";

/** A taker with so many places, which are free again when the test says so. */
export interface TestTaker {
  readonly took: CommandPointer[];
  /** Hints that came at a bad time. */
  readonly refused: CommandPointer[];
  /** Free places; the subscription is woken. */
  free(places: number): void;
  readonly subscription: HintSubscription;
}

export interface TakerOptions {
  readonly places: number;
  /** Says that there is room, and then takes nothing. */
  readonly isFalse?: boolean;
}

export function testTaker(bus: Bus, pool: string, { places, isFalse }: TakerOptions): TestTaker {
  let left = places;
  const took: CommandPointer[] = [];
  const refused: CommandPointer[] = [];
  const subscription = bus.hints(pool, {
    room: () => left,
    take: (hint) => {
      if (left === 0 || isFalse === true) {
        refused.push(hint);
        return false;
      }
      left -= 1;
      took.push(hint);
      return true;
    },
  });
  const free = (more: number): void => {
    left += more;
    subscription.wake();
  };
  return { took, refused, free, subscription };
}

const steps = (...takers: readonly TestTaker[]): readonly string[] =>
  takers.flatMap(({ took }) => took.map(({ command_id: id }) => id)).sort();

export function hintContract(open: () => Promise<BusUnderTest>): void {
  let subject: BusUnderTest;
  let bus: Bus;
  beforeEach(async () => {
    subject = await open();
    bus = subject.bus;
  });
  afterEach(() => subject.close());

  const hints = (count: number): readonly CommandPointer[] =>
    Array.from({ length: count }, (_, n) => pointer("step", n + 1));

  test("a hint reaches one taker of its pool, as it was, and nobody of another", async () => {
    const one = testTaker(bus, "red", { places: 5 });
    const two = testTaker(subject.other, "red", { places: 5 });
    const blue = testTaker(bus, "blue", { places: 5 });
    const sent = { ...pointer("über / step"), server_url: "http://127.0.0.1:8082" };
    subject.other.hint("red", sent);
    await until(() => one.took.length + two.took.length > 0);
    bus.hint("blue", pointer("fence"));
    await until(() => blue.took.length > 0);

    expect([...one.took, ...two.took]).toEqual([sent]);
    expect(steps(blue)).toEqual([pointer("fence").command_id]);
  });

  test("hints from before the first taker are kept for it", async () => {
    for (const hint of hints(3)) bus.hint("red", hint);
    const taker = testTaker(subject.other, "red", { places: 5 });
    await until(() => taker.took.length === 3);

    expect(steps(taker)).toEqual(hints(3).map((hint) => hint.command_id));
  });

  test("nobody is given more than there is room for, and the rest when there is more", async () => {
    const taker = testTaker(bus, "red", { places: 2 });
    for (const hint of hints(5)) bus.hint("red", hint);
    await until(() => taker.took.length === 2);
    taker.free(1);
    await until(() => taker.took.length === 3);
    expect(taker.refused).toEqual([]);
    taker.free(10);
    await until(() => taker.took.length === 5);

    expect(steps(taker)).toEqual(hints(5).map((hint) => hint.command_id));
  });

  test("a taker without room costs the others nothing", async () => {
    const full = testTaker(bus, "red", { places: 0 });
    const idle = testTaker(subject.other, "red", { places: 100 });
    for (const hint of hints(20)) bus.hint("red", hint);
    await until(() => idle.took.length === 20);

    expect(full.took).toEqual([]);
    expect(full.refused).toEqual([]);
  });

  test("what one takes back at the last moment goes to another", async () => {
    const refusing = testTaker(bus, "red", { places: 5, isFalse: true });
    const idle = testTaker(subject.other, "red", { places: 100 });
    for (const hint of hints(20)) subject.other.hint("red", hint);
    await until(() => idle.took.length === 20);

    expect(refusing.took).toEqual([]);
    expect(steps(idle)).toEqual(steps({ ...idle, took: [...hints(20)] }));
  });

  test("the work is shared by all who have room, and each hint has one taker", async () => {
    const takers = [bus, subject.other, bus, subject.other].map((of) =>
      testTaker(of, "red", { places: 8 }),
    );
    for (const hint of hints(32)) bus.hint("red", hint);
    await until(() => steps(...takers).length === 32);

    expect(new Set(steps(...takers)).size).toBe(32);
    expect(takers.map(({ took }) => took.length)).toEqual([8, 8, 8, 8]);
  });

  test("a closed subscription is given nothing more, the others are", async () => {
    const closing = testTaker(bus, "red", { places: 100 });
    const staying = testTaker(subject.other, "red", { places: 100 });
    closing.subscription.close();
    closing.subscription.close();
    for (const hint of hints(10)) bus.hint("red", hint);
    await until(() => staying.took.length === 10);

    expect(closing.took).toEqual([]);
  });

  test("sending a hint never runs a taker inside the call", async () => {
    const taker = testTaker(bus, "red", { places: 5 });
    bus.hint("red", pointer("a"));
    const during = taker.took.length;
    await until(() => taker.took.length > 0);

    expect(during).toBe(0);
  });

  test("a taker that throws costs its own hint only", async () => {
    let calls = 0;
    bus.hints("red", {
      room: () => 10,
      take: () => {
        calls += 1;
        throw new Error("taker broke");
      },
    });
    for (const hint of hints(3)) bus.hint("red", hint);
    await until(() => calls === 3);

    expect(calls).toBe(3);
  });

  test("a closed bus takes hints and takers and does nothing", async () => {
    const taker = testTaker(bus, "red", { places: 5 });
    await bus.close();
    bus.hint("red", pointer("a"));
    taker.free(1);
    testTaker(bus, "red", { places: 5 }).subscription.close();

    expect(taker.took).toEqual([]);
  });
}
