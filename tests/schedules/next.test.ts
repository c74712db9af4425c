// Ticks against the calendar: days on which clocks change, and a search minute by minute.
import { describe, expect, test } from "bun:test";
import {
  checkTiming,
  type Timing,
  tickAfter,
  ticksAfter,
  ticksBefore,
} from "#control/schedules/next";
import type { Fault } from "#core/model/fault";

const dayMs = 86_400_000;
const at = (text: string): number => Date.parse(text);
const iso = (ms: number): string => new Date(ms).toISOString().replace(":00.000Z", "Z");

const cron = (expression: string, timezone = "UTC", more: Partial<Timing> = {}): Timing => ({
  when: { kind: "cron", cron: expression },
  timezone,
  createdAtMs: 0,
  ...more,
});

const every = (seconds: number, more: Partial<Timing> = {}): Timing => ({
  when: { kind: "interval", intervalSeconds: seconds },
  timezone: "UTC",
  createdAtMs: at("2026-01-01T00:00:00.250Z"),
  ...more,
});

const next = (timing: Timing, from: string, n: number): readonly string[] =>
  ticksAfter(timing, at(from), n).map(iso);

describe("where clocks change", () => {
  const cases: readonly (readonly [string, string, string, readonly string[]])[] = [
    // Berlin, 29 March 2026: 02:00 becomes 03:00.
    [
      "30 2 * * *",
      "Europe/Berlin",
      "2026-03-28T00:00Z",
      ["2026-03-28T01:30Z", "2026-03-29T01:00Z", "2026-03-30T00:30Z"],
    ],
    [
      "0 2,3 * * *",
      "Europe/Berlin",
      "2026-03-28T12:00Z",
      ["2026-03-29T01:00Z", "2026-03-30T00:00Z"],
    ],
    [
      "30 2,14 * * *",
      "Europe/Berlin",
      "2026-03-28T14:00Z",
      ["2026-03-29T01:00Z", "2026-03-29T12:30Z"],
    ],
    [
      "*/30 * * * *",
      "Europe/Berlin",
      "2026-03-29T00:00Z",
      ["2026-03-29T00:30Z", "2026-03-29T01:00Z", "2026-03-29T01:30Z"],
    ],
    // Berlin, 25 October 2026: 03:00 becomes 02:00.
    [
      "30 2 * * *",
      "Europe/Berlin",
      "2026-10-24T12:00Z",
      ["2026-10-25T00:30Z", "2026-10-26T01:30Z"],
    ],
    [
      "0 * * * *",
      "Europe/Berlin",
      "2026-10-24T23:30Z",
      ["2026-10-25T00:00Z", "2026-10-25T01:00Z", "2026-10-25T02:00Z"],
    ],
    // New York, 8 March and 1 November 2026.
    [
      "15 2 * * *",
      "America/New_York",
      "2026-03-07T12:00Z",
      ["2026-03-08T07:00Z", "2026-03-09T06:15Z"],
    ],
    [
      "15 1 * * *",
      "America/New_York",
      "2026-10-31T12:00Z",
      ["2026-11-01T05:15Z", "2026-11-02T06:15Z"],
    ],
    // Half an hour in Lord Howe, and none in Kolkata.
    [
      "15 2 * * *",
      "Australia/Lord_Howe",
      "2026-10-03T00:00Z",
      ["2026-10-03T15:30Z", "2026-10-04T15:15Z"],
    ],
    [
      "45 1 * * *",
      "Australia/Lord_Howe",
      "2026-04-04T00:00Z",
      ["2026-04-04T14:45Z", "2026-04-05T15:15Z"],
    ],
    ["30 2 * * *", "Asia/Kolkata", "2026-03-28T12:00Z", ["2026-03-28T21:00Z", "2026-03-29T21:00Z"]],
  ];
  for (const [expression, zone, from, expected] of cases) {
    test(`${expression} in ${zone} after ${from}`, () => {
      expect(next(cron(expression, zone), from, expected.length)).toEqual([...expected]);
    });
  }

  test("an interval knows nothing of clocks", () => {
    const timing = every(3_600, { timezone: "Europe/Berlin", startsAtMs: at("2026-03-28T23:30Z") });
    const ticks = ticksAfter(timing, at("2026-03-28T23:00Z"), 6);
    expect(ticks.slice(1).map((tick, n) => tick - (ticks[n] ?? 0))).toEqual(
      Array(5).fill(3_600_000),
    );
  });
});

describe("what expressions know", () => {
  test("leap days, last days, weekdays by number, names and nicknames", () => {
    expect(next(cron("0 0 29 2 *"), "2026-01-01T00:00Z", 2)).toEqual([
      "2028-02-29T00:00Z",
      "2032-02-29T00:00Z",
    ]);
    expect(next(cron("0 0 L * *"), "2028-01-31T12:00Z", 2)).toEqual([
      "2028-02-29T00:00Z",
      "2028-03-31T00:00Z",
    ]);
    expect(next(cron("0 9 * * FRI#2"), "2026-01-01T00:00Z", 2)).toEqual([
      "2026-01-09T09:00Z",
      "2026-02-13T09:00Z",
    ]);
    expect(next(cron("0 0 1 JAN,jul *"), "2026-02-01T00:00Z", 2)).toEqual([
      "2026-07-01T00:00Z",
      "2027-01-01T00:00Z",
    ]);
    expect(next(cron("@hourly"), "2026-02-01T00:10Z", 1)).toEqual(["2026-02-01T01:00Z"]);
    expect(ticksAfter(cron("*/20 * * * * *"), 500, 2)).toEqual([20_000, 40_000]);
  });

  const refused: readonly (readonly [string, Timing, string])[] = [
    ["no fields", cron(""), "five fields"],
    ["four fields", cron("* * * *"), "five fields"],
    ["seven fields", cron("* * * * * * *"), "five fields"],
    ["a date", cron("2026-01-01T00:00:00"), "five fields"],
    ["an unknown name", cron("@reboot"), "five fields"],
    ["a very long one", cron(`${"1,".repeat(200)}1 * * * *`), "five fields"],
    ["a minute that isn't", cron("60 * * * *"), "30 2 * * MON-FRI"],
    ["words", cron("a b c d e"), "30 2 * * MON-FRI"],
    ["30 February", cron("0 0 30 2 *"), "within five years"],
    ["31 April", cron("0 0 31 4 *"), "within five years"],
    ["an interval of 0", every(0), "expected a whole number"],
    ["half a second", every(0.5), "expected a whole number"],
    ["an interval over a year", every(40_000_000), "expected a whole number"],
    ["an end before the start", every(60, { startsAtMs: 10, endsAtMs: 10 }), "after starts_at"],
    ["an offset for a zone", cron("* * * * *", "+01:00"), "timezone"],
    ["a zone that isn't", cron("* * * * *", "Europe/Berln"), "such as Europe/Berlin"],
  ];
  for (const [what, timing, message] of refused) {
    test(`${what} is refused`, () => {
      const check = (): void => checkTiming(timing, at("2026-01-01T00:00Z"));
      expect(check).toThrow(message);
      try {
        check();
      } catch (thrown) {
        expect((thrown as Fault).code).toBe("invalid");
      }
    });
  }
});

describe("from and until", () => {
  test("the start may be a tick, the end is none", () => {
    const bounds = { startsAtMs: at("2026-01-01T10:00Z"), endsAtMs: at("2026-01-01T12:00Z") };
    const hours = ["2026-01-01T10:00Z", "2026-01-01T11:00Z"];
    expect(next(cron("0 * * * *", "UTC", bounds), "2025-01-01T00:00Z", 5)).toEqual(hours);
    expect(next(every(3_600, bounds), "2025-01-01T00:00Z", 5)).toEqual(hours);
    expect(tickAfter(cron("0 * * * *", "UTC", bounds), at("2026-01-01T11:00Z"))).toBeUndefined();
  });

  test("intervals are counted from when the schedule was made, and do not drift", () => {
    const timing = every(7);
    const [first = 0] = ticksAfter(timing, timing.createdAtMs, 1);
    expect(first).toBe(timing.createdAtMs + 7_000);
    expect(tickAfter(timing, timing.createdAtMs + 1_000_000)).toBe(timing.createdAtMs + 1_001_000);
    expect(ticksAfter(timing, 0, 1)).toEqual([first]);
  });

  test("the newest ticks before a moment are those that lead up to it", () => {
    const stretch = { fromMs: at("2026-10-24T22:00Z"), beforeMs: at("2026-10-25T03:00Z") };
    for (const timing of [
      cron("*/30 * * * *", "Europe/Berlin"),
      every(1_800, { createdAtMs: 0 }),
    ]) {
      const all = ticksAfter(timing, stretch.fromMs - 1, 100).filter((ms) => ms < stretch.beforeMs);
      expect(all).toHaveLength(10);
      for (const n of [0, 1, 4, 10, 50]) {
        expect(ticksBefore(timing, stretch, n)).toEqual(n === 0 ? [] : all.slice(-n));
      }
    }
  });
});

/** How far ahead of UTC the zone is, by the time zone database of the platform. */
function offsetMs(zone: string, ms: number): number {
  const options = { timeZone: zone, timeZoneName: "longOffset" } as const;
  const said = new Intl.DateTimeFormat("en-US", options).formatToParts(ms);
  const name = said.find(({ type }) => type === "timeZoneName")?.value ?? "";
  const [, sign, hours, minutes] = /([+-])(\d\d):(\d\d)/.exec(name) ?? [];
  return (sign === "-" ? -1 : 1) * (Number(hours ?? 0) * 60 + Number(minutes ?? 0)) * 60_000;
}

/** Minute, hour, day, month and weekday. */
function localFields(ms: number): readonly number[] {
  const local = new Date(ms);
  const date = [local.getUTCDate(), local.getUTCMonth() + 1, local.getUTCDay()];
  return [local.getUTCMinutes(), local.getUTCHours(), ...date];
}

describe("60 expressions over 40 days", () => {
  let seed = 20_261_122;
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff;
    return Math.floor((seed / 0x80000000) * below);
  };
  type Field = { readonly text: string; readonly has: (value: number) => boolean };
  const any: Field = { text: "*", has: () => true };
  const field = (low: number, high: number): Field => {
    const size = high - low + 1;
    const [from, to] = [low + random(size), low + random(size)].sort((a, b) => a - b) as [
      number,
      number,
    ];
    const last = Math.min(to, from + 5);
    const step = 2 + random(Math.min(size - 1, 15));
    switch (random(4)) {
      case 0:
        return { text: `${from}`, has: (value) => value === from };
      case 1:
        return { text: `${from}-${last}`, has: (value) => value >= from && value <= last };
      case 2:
        return { text: `*/${step}`, has: (value) => (value - low) % step === 0 };
      default:
        return { text: `${from},${to}`, has: (value) => value === from || value === to };
    }
  };
  // No clocks change here in these days: what they do then is told above.
  const zones = ["UTC", "Asia/Kolkata", "America/New_York"];
  const startMs = at("2026-06-10T00:00Z");
  const local = new Map(
    zones.map((zone) => {
      const fromMs = startMs + offsetMs(zone, startMs);
      const minutes = Array.from({ length: 40 * 1_440 }, (_, n) =>
        localFields(fromMs + n * 60_000),
      );
      return [zone, minutes];
    }),
  );

  test("have the ticks that a look at each minute finds, in order and each once", () => {
    for (let round = 0; round < 60; round++) {
      const zone = zones[round % zones.length] ?? "UTC";
      const day = random(3) === 0 ? field(1, 28) : any;
      const weekday = random(3) === 0 ? field(0, 6) : any;
      const month = random(4) === 0 ? field(1, 12) : any;
      const [minute, hour] = [field(0, 59), random(3) === 0 ? any : field(0, 23)];
      const expression = [minute, hour, day, month, weekday].map(({ text }) => text).join(" ");
      // Of day and weekday one is enough where both are said: so cron has it.
      const isEither = day.text !== "*" && weekday.text !== "*";
      const expected = (local.get(zone) ?? []).flatMap((parts, n) => {
        const [m = 0, h = 0, d = 0, mo = 0, wd = 0] = parts;
        const dayFits = isEither ? day.has(d) || weekday.has(wd) : day.has(d) && weekday.has(wd);
        const fits = minute.has(m) && hour.has(h) && month.has(mo) && dayFits;
        return fits ? [startMs + n * 60_000] : [];
      });
      const endsAtMs = startMs + 40 * dayMs;
      const found: number[] = [];
      for (let from = startMs - 1; ; from = found.at(-1) ?? 0) {
        const page = ticksAfter(cron(expression, zone, { endsAtMs }), from, 500);
        found.push(...page);
        if (page.length < 500) break;
      }
      expect([expression, zone, found]).toEqual([expression, zone, expected]);
    }
  }, 60_000);
});
