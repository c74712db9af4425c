// Filters over dates. Jinja has none; these are pure, in UTC, and know no clock: `now()` is the one
// value that comes from outside.

import { type Callable, define } from "./callable.ts";
import { secondsPerDay } from "./clock.ts";
import {
  epochSeconds,
  formatFault,
  formatted,
  type Instant,
  instantOf,
  instantText,
  later,
  type NoInstant,
  secondsBetween,
  type TruncUnit,
  truncated,
  truncUnits,
} from "./dates.ts";
import { admitChars, fail, operandText, type Run, spend } from "./run.ts";
import { strictText } from "./text.ts";
import { kindOf, numberOf, undefinedOperand } from "./values.ts";

/** The instant of an operand; `index` says which, for the message. */
function instant(value: unknown, index: number, run: Run): Instant {
  if (value === undefined) return undefinedOperand(run, index, "read as a date");
  const found = instantOf(value);
  if (found === "type") {
    const wanted = "expected RFC 3339 text, YYYY-MM-DD or epoch seconds";
    const what = typeof value === "string" ? "another text" : kindOf(value);
    return fail(run, "type", `${operandText(run, index)} is no date: ${wanted}, found ${what}`);
  }
  return inCalendar(found, run);
}

function inCalendar(found: Instant | NoInstant, run: Run): Instant {
  if (typeof found !== "string") return found;
  return fail(run, "range", "the calendar has no such day or time from the year 1 to 9999");
}

function strftime(value: unknown, [format]: readonly unknown[], run: Run): string {
  const text = strictText(format, run);
  spend(run, text.length);
  const fault = formatFault(text);
  if (fault !== undefined) return fail(run, "type", fault);
  const shown = formatted(instant(value, 0, run), text);
  admitChars(run, shown.length);
  return shown;
}

/** How long the units are whose length is always the same. */
const secondsByUnit: ReadonlyMap<string, number> = new Map([
  ["weeks", 7 * secondsPerDay],
  ["days", secondsPerDay],
  ["hours", 3_600],
  ["minutes", 60],
  ["seconds", 1],
  ["milliseconds", 0.001],
]);
const diffUnits = [...secondsByUnit.keys()].join(", ");

function dateAdd(value: unknown, args: readonly unknown[], run: Run): string {
  const [weeks, days, hours, minutes, seconds, months, years] = args.map((argument) =>
    amount(argument, run),
  );
  const wholeMonths = (months ?? 0) + 12 * (years ?? 0);
  if (!Number.isSafeInteger(wholeMonths)) {
    return fail(run, "type", "date_add takes months and years as whole numbers");
  }
  const total =
    ((weeks ?? 0) * 7 + (days ?? 0)) * secondsPerDay +
    (hours ?? 0) * 3_600 +
    (minutes ?? 0) * 60 +
    (seconds ?? 0);
  const start = instant(value, 0, run);
  return instantText(inCalendar(later(start, { months: wholeMonths, seconds: total }), run));
}

function amount(value: unknown, run: Run): number {
  if (value === undefined) return 0;
  const number = numberOf(value);
  if (number === undefined) {
    return fail(run, "type", `date_add takes numbers, found ${kindOf(value)}`);
  }
  return Number(number);
}

function dateDiff(value: unknown, [other, unit]: readonly unknown[], run: Run): number {
  const to = instant(value, 0, run);
  const from = instant(other, 1, run);
  const seconds = secondsByUnit.get(unit === undefined ? "seconds" : strictText(unit, run));
  if (seconds === undefined) {
    return fail(run, "range", `the unit of date_diff is one of ${diffUnits}`);
  }
  const between = secondsBetween(from, to);
  return seconds < 1 ? Math.round(between / seconds) : between / seconds;
}

function dateTrunc(value: unknown, [unit]: readonly unknown[], run: Run): string {
  const name = strictText(unit, run);
  if (!isTruncUnit(name)) return fail(run, "range", truncFault);
  return instantText(inCalendar(truncated(instant(value, 0, run), name), run));
}

function isTruncUnit(name: unknown): name is TruncUnit {
  return (truncUnits as readonly unknown[]).includes(name);
}

const truncFault = `the unit of date_trunc is one of ${truncUnits.join(", ")}`;

export const dateFilters: readonly Callable[] = [
  {
    ...define("strftime", "format", strftime),
    check: (_, format) => (typeof format === "string" ? formatFault(format) : undefined),
  },
  define("timestamp", "", (value, _, run) => epochSeconds(instant(value, 0, run))),
  define("datetime", "", (value, _, run) => instantText(instant(value, 0, run))),
  define("date_add", "weeks= days= hours= minutes= seconds= months= years=", dateAdd),
  {
    ...define("date_diff", "other unit?", dateDiff),
    check: (index, unit) =>
      index === 1 && !(typeof unit === "string" && secondsByUnit.has(unit))
        ? `the unit of date_diff is one of ${diffUnits}`
        : undefined,
  },
  {
    ...define("date_trunc", "unit", dateTrunc),
    check: (_, unit) => (isTruncUnit(unit) ? undefined : truncFault),
  },
];
