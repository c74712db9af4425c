// Instants as the date filters see them: read from text or numbers, printed, moved and cut. All in
// UTC and within the years 1 to 9999; an offset in a text is understood, and gone afterwards.

import {
  type CalendarDay,
  calendarDay,
  dayNumber,
  daysInMonth,
  pad,
  secondsPerDay,
  secondsText,
} from "./clock.ts";

/** A point in time, exact to the microsecond. */
export interface Instant {
  /** Whole seconds since 1970. */
  readonly seconds: number;
  /** From 0 to 999,999. */
  readonly micros: number;
}

const microsPerSecond = 1_000_000;
const secondsMin = dayNumber({ year: 1, month: 1, day: 1 }) * secondsPerDay;
const secondsMax = dayNumber({ year: 10_000, month: 1, day: 1 }) * secondsPerDay - 1;
/** The longest text that can be a date. */
const dateCharsMax = 64;
const dateText =
  /^(\d{4})-(\d{2})-(\d{2})(?:[Tt ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(Z|z|[+-]\d{2}(?::?\d{2})?)?)?$/;

/** `type`: it is no date; `range`: there is no such day or time, or its year is not 1 to 9999. */
export type NoInstant = "type" | "range";

/** The instant of RFC 3339 text (also a date alone, or without an offset), or of epoch seconds. */
export function instantOf(value: unknown): Instant | NoInstant {
  if (typeof value === "number" || typeof value === "bigint") return ofSeconds(Number(value));
  if (typeof value !== "string" || value.length > dateCharsMax) return "type";
  const parts = dateText.exec(value);
  if (parts === null) return "type";
  const [year, month, day, hour, minute, second] = parts
    .slice(1, 7)
    .map((part) => Number(part ?? 0));
  const [fraction = "", zone = "Z"] = parts.slice(7);
  if (year === undefined || month === undefined || day === undefined) return "type";
  const offset = offsetSeconds(zone);
  const time = timeOf(hour, minute, second);
  if (offset === undefined || time === undefined) return "range";
  if (year < 1 || month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month))
    return "range";
  const seconds = dayNumber({ year, month, day }) * secondsPerDay + time - offset;
  return within({ seconds, micros: Number(fraction.slice(0, 6).padEnd(6, "0")) });
}

function timeOf(hour = 0, minute = 0, second = 0): number | undefined {
  if (hour > 23 || minute > 59 || second > 59) return undefined;
  return hour * 3_600 + minute * 60 + second;
}

/** Seconds east of UTC. */
function offsetSeconds(zone: string): number | undefined {
  if (zone === "Z" || zone === "z") return 0;
  const digits = zone.slice(1).replace(":", "");
  const east = timeOf(Number(digits.slice(0, 2)), Number(digits.slice(2)));
  return east === undefined || zone.startsWith("+") ? east : -east;
}

function ofSeconds(number: number): Instant | NoInstant {
  if (!Number.isFinite(number)) return "range";
  const whole = Math.floor(number);
  return moved({ seconds: whole, micros: 0 }, Math.round((number - whole) * microsPerSecond));
}

/** The instant so many microseconds later, which need not be whole seconds. */
function moved({ seconds, micros }: Instant, byMicros: number): Instant | NoInstant {
  const total = micros + byMicros;
  const carried = Math.floor(total / microsPerSecond);
  return within({ seconds: seconds + carried, micros: total - carried * microsPerSecond });
}

function within(instant: Instant): Instant | NoInstant {
  const { seconds } = instant;
  return seconds >= secondsMin && seconds <= secondsMax ? instant : "range";
}

/** RFC 3339 text in UTC; with milliseconds where there are any. */
export function instantText({ seconds, micros }: Instant): string {
  const ms = Math.floor(micros / 1_000);
  return `${secondsText(seconds)}${ms === 0 ? "" : `.${pad(ms, 3)}`}Z`;
}

/** Seconds since 1970, with their fraction. */
export function epochSeconds({ seconds, micros }: Instant): number {
  return seconds + micros / microsPerSecond;
}

/** What lies between two instants, in seconds. */
export function secondsBetween(from: Instant, to: Instant): number {
  return to.seconds - from.seconds + (to.micros - from.micros) / microsPerSecond;
}

export interface Shift {
  /** Whole months; the day of the month is cut to the last one that there is. */
  readonly months: number;
  /** Seconds after that. */
  readonly seconds: number;
}

export function later(instant: Instant, { months, seconds }: Shift): Instant | NoInstant {
  const start = months === 0 ? instant : monthsLater(instant, months);
  if (typeof start === "string") return start;
  const whole = Math.floor(seconds);
  if (!Number.isSafeInteger(whole)) return "range";
  const micros = Math.round((seconds - whole) * microsPerSecond);
  return moved({ seconds: start.seconds + whole, micros: start.micros }, micros);
}

function monthsLater({ seconds, micros }: Instant, months: number): Instant | NoInstant {
  const days = Math.floor(seconds / secondsPerDay);
  const { year, month, day } = calendarDay(days);
  const index = year * 12 + month - 1 + months;
  if (!(index >= 12 && index < 120_000)) return "range";
  const target = { year: Math.floor(index / 12), month: (index % 12) + 1 };
  const last = daysInMonth(target.year, target.month);
  const targetDays = dayNumber({ ...target, day: Math.min(day, last) });
  return within({ seconds: seconds + (targetDays - days) * secondsPerDay, micros });
}

export const truncUnits = ["year", "month", "week", "day", "hour", "minute", "second"] as const;
export type TruncUnit = (typeof truncUnits)[number];

/** The start of the unit that the instant is in; a week starts on Monday. */
export function truncated({ seconds }: Instant, unit: TruncUnit): Instant | NoInstant {
  const days = Math.floor(seconds / secondsPerDay);
  const date = calendarDay(days);
  const startOf = (day: number): Instant | NoInstant =>
    within({ seconds: day * secondsPerDay, micros: 0 });
  switch (unit) {
    case "year":
      return startOf(dayNumber({ ...date, month: 1, day: 1 }));
    case "month":
      return startOf(dayNumber({ ...date, day: 1 }));
    case "week":
      return startOf(days - ((weekday(days) + 6) % 7));
    case "day":
      return startOf(days);
    case "hour":
      return { seconds: seconds - modulo(seconds, 3_600), micros: 0 };
    case "minute":
      return { seconds: seconds - modulo(seconds, 60), micros: 0 };
    case "second":
      return { seconds, micros: 0 };
    default: {
      const none: never = unit;
      return none;
    }
  }
}

function modulo(value: number, by: number): number {
  return value - Math.floor(value / by) * by;
}

/** From 0, Sunday: 1970-01-01 was a Thursday. */
function weekday(days: number): number {
  return modulo(days + 4, 7);
}

const dayNames = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const monthNames = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
];
const letters = "YmdHMSfjaAbBypIZzs%";
const directives = /%([\s\S]?)/g;

/** What is wrong with a format, if anything. */
export function formatFault(format: string): string | undefined {
  for (const [, letter = ""] of format.matchAll(directives)) {
    if (letter !== "" && letters.includes(letter)) continue;
    const shown = /^[a-zA-Z]$/.test(letter) ? `'%${letter}'` : "a '%' without a letter";
    return `strftime has no ${shown}, expected % with one of ${[...letters].join(" ")}`;
  }
  return undefined;
}

/** The text of a format that `formatFault` finds nothing wrong with; names are English. */
export function formatted(instant: Instant, format: string): string {
  const days = Math.floor(instant.seconds / secondsPerDay);
  const at: Broken = { instant, days, date: calendarDay(days) };
  return format.replace(directives, (_, letter: string) => directiveText(letter, at));
}

interface Broken {
  readonly instant: Instant;
  readonly days: number;
  readonly date: CalendarDay;
}

function directiveText(letter: string, { instant, days, date }: Broken): string {
  const { year, month, day } = date;
  const ofDay = modulo(instant.seconds, secondsPerDay);
  const hour = Math.floor(ofDay / 3_600);
  switch (letter) {
    case "Y":
      return pad(year, 4);
    case "y":
      return pad(year % 100, 2);
    case "m":
      return pad(month, 2);
    case "B":
      return nameOf(monthNames, month - 1);
    case "b":
      return nameOf(monthNames, month - 1).slice(0, 3);
    case "d":
      return pad(day, 2);
    case "j":
      return pad(days - dayNumber({ year, month: 1, day: 1 }) + 1, 3);
    case "A":
      return nameOf(dayNames, weekday(days));
    case "a":
      return nameOf(dayNames, weekday(days)).slice(0, 3);
    case "H":
      return pad(hour, 2);
    case "I":
      return pad(((hour + 11) % 12) + 1, 2);
    case "p":
      return hour < 12 ? "AM" : "PM";
    case "M":
      return pad(Math.floor(ofDay / 60) % 60, 2);
    case "S":
      return pad(ofDay % 60, 2);
    case "f":
      return pad(instant.micros, 6);
    case "s":
      return String(instant.seconds);
    case "Z":
      return "UTC";
    case "z":
      return "+0000";
    default:
      return letter;
  }
}

function nameOf(names: readonly string[], index: number): string {
  return names[index] ?? "";
}
