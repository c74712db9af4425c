// Filters over dates: the calendar against JavaScript's own, what is read as a date, and what is
// refused before or while a template runs.

import { describe, expect, test } from "bun:test";
import {
  compileTemplate,
  TemplateRuntimeError,
  TemplateSyntaxError,
} from "#core/playbook/template";
import { amount } from "#scripts/test-amount";

const environment = { nowMs: Date.UTC(2026, 0, 31, 8, 5, 9, 7) };

function evaluate(text: string, names: Readonly<Record<string, unknown>> = {}): unknown {
  return compileTemplate(text).evaluate(new Map(Object.entries(names)), environment);
}

function failure(
  text: string,
  names: Readonly<Record<string, unknown>> = {},
): TemplateRuntimeError {
  try {
    evaluate(text, names);
  } catch (error) {
    if (error instanceof TemplateRuntimeError) return error;
    throw error;
  }
  throw new Error(`expected a runtime error in ${text}`);
}

/** Numbers from 0 to 1, the same each time. */
function* randoms(count: number): Generator<number> {
  let state = 20_260_131;
  for (let index = 0; index < count; index++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    yield state / 4_294_967_296;
  }
}

const firstMs = -62_135_596_800_000;
const lastMs = 253_402_300_799_999;

/** Instants spread over all the years that there are, to the millisecond. */
function instants(count: number): readonly number[] {
  return [...randoms(count)].map((share) => Math.floor(firstMs + share * (lastMs - firstMs)));
}

describe("the calendar", () => {
  const shown = compileTemplate("{{ text | strftime('%Y-%m-%dT%H:%M:%S.%fZ') }}");
  const normal = compileTemplate("{{ seconds | datetime }}");
  const back = compileTemplate("{{ text | timestamp }}");

  test("is that of JavaScript's Date, for random instants, there and back", () => {
    for (const ms of instants(amount(10_000))) {
      const text = new Date(ms).toISOString();
      const scope = new Map<string, unknown>([["text", text]]);
      expect(shown.evaluate(scope, environment)).toBe(text.replace("Z", "000Z"));
      expect(back.evaluate(scope, environment)).toBeCloseTo(ms / 1_000, 3);
      const whole = Math.floor(ms / 1_000);
      const seconds = new Map<string, unknown>([["seconds", whole]]);
      const expected = new Date(whole * 1_000).toISOString().replace(".000Z", "Z");
      expect(normal.evaluate(seconds, environment)).toBe(expected);
    }
  });

  test("has the weekdays and days of the year of JavaScript's Date", () => {
    const template = compileTemplate("{{ t | strftime('%a %A %b %B %j %y %I %p') }}");
    for (const ms of instants(amount(1_000))) {
      const date = new Date(ms);
      const part = (options: Intl.DateTimeFormatOptions): string =>
        date.toLocaleString("en-US", { timeZone: "UTC", ...options });
      const start = Date.parse(`${date.toISOString().slice(0, 4)}-01-01T00:00:00Z`);
      const expected = [
        part({ weekday: "short" }),
        part({ weekday: "long" }),
        part({ month: "short" }),
        part({ month: "long" }),
        String(Math.floor((ms - start) / 86_400_000) + 1).padStart(3, "0"),
        String(date.getUTCFullYear() % 100).padStart(2, "0"),
        String(((date.getUTCHours() + 11) % 12) + 1).padStart(2, "0"),
        date.getUTCHours() < 12 ? "AM" : "PM",
      ].join(" ");
      expect(template.evaluate(new Map([["t", date.toISOString()]]), environment)).toBe(expected);
    }
  });

  test("adding days twice is adding their sum, and taking them away leads back", () => {
    const twice = compileTemplate("{{ t | date_add(days=a) | date_add(days=b) }}");
    const once = compileTemplate("{{ t | date_add(days=a + b) }}");
    const back = compileTemplate("{{ t | date_add(days=a) | date_add(days=-a) }}");
    for (const ms of instants(2_000)) {
      const days = Math.floor(ms / 86_400_000);
      const a = (days * 7_919) % 1_000_000;
      const b = (days * 104_729) % 100_000;
      const t = "5000-06-15T12:00:00Z";
      const scope = new Map<string, unknown>(Object.entries({ t, a, b }));
      expect(twice.evaluate(scope, environment)).toBe(once.evaluate(scope, environment));
      expect(back.evaluate(scope, environment)).toBe(t);
    }
  });

  test("a difference added again gives the other date", () => {
    const there = compileTemplate("{{ a | date_add(seconds=b | date_diff(a)) }}");
    const some = instants(2_000);
    for (const [index, ms] of some.entries()) {
      const whole = Math.floor(ms / 1_000) * 1_000;
      const other = Math.floor((some[(index + 7) % some.length] ?? 0) / 1_000) * 1_000;
      const [a, b] = [whole, other].map((at) => new Date(at).toISOString());
      const scope = new Map<string, unknown>(Object.entries({ a, b }));
      expect(there.evaluate(scope, environment)).toBe(b?.replace(".000Z", "Z"));
    }
  });
});

describe("what dates come to", () => {
  test.each([
    ["{{ '2026-01-31' | datetime }}", "2026-01-31T00:00:00Z"],
    ["{{ '2026-01-31 08:30' | datetime }}", "2026-01-31T08:30:00Z"],
    ["{{ '2026-01-31T08:30:00' | datetime }}", "2026-01-31T08:30:00Z"],
    ["{{ '2026-01-31t08:30:00z' | datetime }}", "2026-01-31T08:30:00Z"],
    ["{{ '2026-01-31 08:30:00.5+00' | datetime }}", "2026-01-31T08:30:00.500Z"],
    ["{{ '2026-01-31T00:30:00+05:30' | datetime }}", "2026-01-30T19:00:00Z"],
    ["{{ '2026-01-31T23:30:00-0130' | datetime }}", "2026-02-01T01:00:00Z"],
    ["{{ '2026-01-31T00:00:00.1234567Z' | strftime('%f') }}", "123456"],
    ["{{ '2026-01-31T00:00:00.0009Z' | datetime }}", "2026-01-31T00:00:00Z"],
    ["{{ 0 | datetime }}", "1970-01-01T00:00:00Z"],
    ["{{ -0.5 | datetime }}", "1969-12-31T23:59:59.500Z"],
    ["{{ 1700000000.25 | timestamp }}", 1_700_000_000.25],
    ["{{ '1969-12-31T23:59:59.5Z' | timestamp }}", -0.5],
    ["{{ now() | datetime }}", "2026-01-31T08:05:09.007Z"],
    ["{{ '2026-01-31' | strftime('%% %s %Z %z') }}", "% 1769817600 UTC +0000"],
    ["{{ '0007-01-01' | strftime('%Y') }}", "0007"],
    ["{{ '2026-01-31' | strftime('') }}", ""],
    ["{{ '2026-01-31' | date_add(months=1) }}", "2026-02-28T00:00:00Z"],
    ["{{ '2024-01-31' | date_add(months=1) }}", "2024-02-29T00:00:00Z"],
    ["{{ '2024-02-29' | date_add(years=1) }}", "2025-02-28T00:00:00Z"],
    ["{{ '2000-02-29' | date_add(years=100) }}", "2100-02-28T00:00:00Z"],
    ["{{ '2026-03-31' | date_add(months=-1, days=1) }}", "2026-03-01T00:00:00Z"],
    [
      "{{ '2026-01-01' | date_add(weeks=1, days=1, hours=1, minutes=1, seconds=1) }}",
      "2026-01-09T01:01:01Z",
    ],
    ["{{ '2026-01-01' | date_add(seconds=0.25) }}", "2026-01-01T00:00:00.250Z"],
    ["{{ '2026-01-01' | date_add(seconds=-0.25) }}", "2025-12-31T23:59:59.750Z"],
    ["{{ '2026-01-01' | date_add(months=-13) }}", "2024-12-01T00:00:00Z"],
    ["{{ '2026-01-01' | date_add }}", "2026-01-01T00:00:00Z"],
    ["{{ '2026-01-02' | date_diff('2026-01-01') }}", 86_400],
    ["{{ '2026-01-01' | date_diff('2026-01-02', 'hours') }}", -24],
    ["{{ '2026-01-01T12:00:00Z' | date_diff('2026-01-01', unit='days') }}", 0.5],
    ["{{ 0.25 | date_diff(0, 'milliseconds') }}", 250],
    ["{{ '2026-01-29' | date_diff('2026-01-01', 'weeks') }}", 4],
    ["{{ '2026-05-17T10:20:30.4Z' | date_trunc('year') }}", "2026-01-01T00:00:00Z"],
    ["{{ '2026-05-17T10:20:30.4Z' | date_trunc('month') }}", "2026-05-01T00:00:00Z"],
    ["{{ '2026-05-17T10:20:30.4Z' | date_trunc('week') }}", "2026-05-11T00:00:00Z"],
    ["{{ '2026-05-18' | date_trunc('week') }}", "2026-05-18T00:00:00Z"],
    ["{{ '2026-05-17T10:20:30.4Z' | date_trunc('day') }}", "2026-05-17T00:00:00Z"],
    ["{{ '2026-05-17T10:20:30.4Z' | date_trunc('hour') }}", "2026-05-17T10:00:00Z"],
    ["{{ '1969-05-17T10:20:30.4Z' | date_trunc('minute') }}", "1969-05-17T10:20:00Z"],
    ["{{ '2026-05-17T10:20:30.4Z' | date_trunc('second') }}", "2026-05-17T10:20:30Z"],
    ["{{ ['2026-05-17', 0] | map('strftime', '%j') | join(',') }}", "137,001"],
  ])("%s", (text, expected) => {
    expect(evaluate(text)).toBe(expected);
  });
});

describe("what is refused", () => {
  test.each([
    ["{{ a | strftime(‸'%Q') }}", "strftime has no '%Q'"],
    ["{{ a | strftime(‸'100%') }}", "a '%' without a letter"],
    ["{{ a | date_trunc(‸'fortnight') }}", "the unit of date_trunc is one of year, month, week"],
    ["{{ a | date_diff(b, ‸'month') }}", "the unit of date_diff is one of weeks, days"],
    ["{{ a | date_add(‸day=1) }}", "did you mean 'days'?"],
    ["{{ a | date_add(‸1) }}", "takes at most 0 arguments"],
  ])("before anything runs: %s", (marked, message) => {
    try {
      compileTemplate(marked.replace("‸", ""));
    } catch (error) {
      if (!(error instanceof TemplateSyntaxError)) throw error;
      expect(error.message).toContain(message);
      expect(error.offset).toBe(marked.indexOf("‸"));
      return;
    }
    throw new Error("expected a syntax error");
  });

  test.each([
    ["{{ t | datetime }}", "type", "secret-value"],
    ["{{ t | datetime }}", "type", "9".repeat(1_000_000)],
    ["{{ t | datetime }}", "type", `2026-01-31${" ".repeat(1_000_000)}`],
    ["{{ t | datetime }}", "type", "1700000000"],
    ["{{ t | datetime }}", "type", "2026-1-31"],
    ["{{ t | datetime }}", "type", ["2026-01-31"]],
    ["{{ t | datetime }}", "type", true],
    ["{{ t | datetime }}", "type", null],
    ["{{ t | datetime }}", "undefined_operand", undefined],
    ["{{ '2026-01-01' | date_diff(t) }}", "undefined_operand", undefined],
    ["{{ t | datetime }}", "range", "2026-02-29"],
    ["{{ t | datetime }}", "range", "2026-13-01"],
    ["{{ t | datetime }}", "range", "2026-00-10"],
    ["{{ t | datetime }}", "range", "2026-01-32"],
    ["{{ t | datetime }}", "range", "0000-01-01"],
    ["{{ t | datetime }}", "range", "2026-01-01T24:00:00Z"],
    ["{{ t | datetime }}", "range", "2026-01-01T23:59:60Z"],
    ["{{ t | datetime }}", "range", "2026-01-01T00:00:00+25:00"],
    ["{{ t | datetime }}", "range", "9999-12-31T23:59:59-00:01"],
    ["{{ t | datetime }}", "range", "0001-01-01T00:00:00+00:01"],
    ["{{ t | datetime }}", "range", 253_402_300_800],
    ["{{ t | datetime }}", "range", -62_135_596_801],
    ["{{ t | datetime }}", "range", 1e300],
    ["{{ '2026-01-01' | date_add(years=t) }}", "range", 8_000],
    ["{{ '2026-01-01' | date_add(years=t) }}", "range", -2_026],
    ["{{ '2026-01-01' | date_add(days=t) }}", "range", 1e300],
    ["{{ '2026-01-01' | date_add(months=t) }}", "type", 0.5],
    ["{{ '2026-01-01' | date_add(days=t) }}", "type", "3"],
    ["{{ '0001-01-02' | date_trunc(t) }}", "range", "fortnight"],
    ["{{ '0001-01-02' | date_diff(0, t) }}", "range", "month"],
    ["{{ '0001-01-02' | strftime(t) }}", "type", "%Q"],
    ["{{ '0001-01-02' | strftime(t) }}", "type", 5],
  ])("while it runs: %s of %s", (text, code, t) => {
    const error = failure(text, { t });
    expect(error.code).toBe(code as typeof error.code);
    expect(error.message).not.toContain("secret-value");
    expect(error.message.length).toBeLessThan(200);
  });

  test("a format that makes more text than there may be stops at a limit", () => {
    const names = { format: "%A".repeat(3_000_000) };
    expect(failure("{{ 0 | strftime(format) }}", names).code).toBe("limit");
  });

  test("the error names the words of the template that are no date", () => {
    const error = failure("{{ order.placed | strftime('%Y') }}", { order: { placed: "soon" } });
    expect(error.message).toBe(
      "'order.placed' is no date: expected RFC 3339 text, YYYY-MM-DD or epoch seconds, found another text",
    );
  });
});
