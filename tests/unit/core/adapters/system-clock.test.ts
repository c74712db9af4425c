// The real clock and the mint: ids only grow, whatever the machine's clock does.
import { expect, test } from "bun:test";
import fc from "fast-check";
import { snowflakeMint, systemClock } from "#core/adapters/system-clock";
import { InvariantViolation } from "#core/model/fault";
import {
  eventId,
  isSnowflake,
  snowflake,
  snowflakeEpochMs,
  snowflakeSequenceMax,
  snowflakeTimeMs,
} from "#core/model/ids";

const atMs = snowflakeEpochMs + 1_000_000;

test("ids grow while the clock stands still, steps back, and jumps ahead", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -5_000, max: 5_000 })), (steps) => {
      let nowMs = atMs;
      const mint = snowflakeMint({ nowMs: () => nowMs }, 3);
      let last = 0n;
      for (const step of steps) {
        nowMs = Math.max(snowflakeEpochMs, nowMs + step);
        for (const id of [mint.executionId(), mint.eventId(), mint.catalogId()]) {
          expect(BigInt(id)).toBeGreaterThan(last);
          expect(isSnowflake(id)).toBe(true);
          last = BigInt(id);
        }
      }
    }),
  );
});

test("an id says when it was minted, and by which machine", () => {
  const mint = snowflakeMint({ nowMs: () => atMs + 0.7 }, 1023);
  expect(mint.executionId() as string).toBe(
    snowflake({ timeMs: atMs, machine: 1023, sequence: 0 }),
  );
  expect(mint.catalogId()).toBe(snowflake({ timeMs: atMs, machine: 1023, sequence: 1 }));
  expect(snowflakeTimeMs(mint.eventId())).toBe(atMs);
});

test("more ids than a millisecond can number run ahead of the clock", () => {
  const mint = snowflakeMint({ nowMs: () => atMs }, 0);
  const ids = new Set(Array.from({ length: 3 * (snowflakeSequenceMax + 1) }, mint.executionId));
  expect(ids.size).toBe(3 * (snowflakeSequenceMax + 1));
  const last = [...ids].at(-1) ?? "";
  expect(snowflakeTimeMs(last)).toBe(atMs + 2);
});

test("mints of different machines never give out the same id", () => {
  const clock = { nowMs: () => atMs };
  const [one, two] = [snowflakeMint(clock, 1), snowflakeMint(clock, 2)];
  const ids = Array.from({ length: 5_000 }, () => [one.executionId(), two.executionId()]).flat();
  expect(new Set(ids).size).toBe(10_000);
});

test("an event's id is larger than the one it follows, whoever minted that and whenever", () => {
  fc.assert(
    fc.property(
      fc.record({
        timeMs: fc.integer({ min: atMs - 2, max: atMs + 2 }),
        machine: fc.constantFrom(0, 1, 7, 1023),
        sequence: fc.constantFrom(0, 1, snowflakeSequenceMax),
      }),
      (parts) => {
        const mint = snowflakeMint({ nowMs: () => atMs }, 7);
        const before = mint.eventId();
        const after = eventId(snowflake(parts));
        const id = mint.eventId(after);
        expect(BigInt(id)).toBeGreaterThan(BigInt(after));
        expect(BigInt(id)).toBeGreaterThan(BigInt(before));
        expect(BigInt(mint.eventId())).toBeGreaterThan(BigInt(id));
      },
    ),
  );
});

test("a clock before the epoch gives ids all the same", () => {
  const mint = snowflakeMint({ nowMs: () => 0 }, 0);
  expect([mint.executionId(), mint.executionId()].map(isSnowflake)).toEqual([true, true]);
});

test("a machine id that doesn't fit is a bug of the caller", () => {
  for (const machine of [-1, 1024, 1.5, Number.NaN]) {
    expect(() => snowflakeMint(systemClock(), machine)).toThrow(InvariantViolation);
  }
});

test("a sleep ends with its time, or at once when it is aborted", async () => {
  const { nowMs, sleep } = systemClock();
  const startedMs = nowMs();
  await sleep(20);
  // The timer and the clock may differ by a rounding.
  expect(nowMs() - startedMs).toBeGreaterThanOrEqual(18);
  const hourMs = 3_600_000;
  await sleep(hourMs, AbortSignal.abort());
  const control = new AbortController();
  const sleeping = sleep(30 * 24 * hourMs, control.signal);
  control.abort();
  await sleeping;
  await sleep(-5);
});
