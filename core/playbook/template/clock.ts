// The calendar, computed: the language has no clock of its own to ask. Days are counted from
// 1970-01-01 in the proleptic Gregorian calendar, everything is UTC.

export const secondsPerDay = 86_400;
/** Days from 0000-03-01 to 1970-01-01; years that start in March end with their leap day. */
const daysToEpoch = 719_468;
const daysPerEra = 146_097;
const yearsPerEra = 400;

export interface CalendarDay {
  readonly year: number;
  /** From 1. */
  readonly month: number;
  readonly day: number;
}

/** An instant as RFC 3339 text in UTC with milliseconds: `2026-01-31T08:00:00.000Z`. */
export function rfc3339(instantMs: number): string {
  const ms = Math.floor(instantMs);
  const seconds = Math.floor(ms / 1_000);
  return `${secondsText(seconds)}.${pad(ms - seconds * 1_000, 3)}Z`;
}

/** `2026-01-31T08:00:00` of seconds since 1970. */
export function secondsText(seconds: number): string {
  const days = Math.floor(seconds / secondsPerDay);
  const rest = seconds - days * secondsPerDay;
  const { year, month, day } = calendarDay(days);
  const date = `${pad(year, 4)}-${pad(month, 2)}-${pad(day, 2)}`;
  const minutes = Math.floor(rest / 60);
  return `${date}T${pad(Math.floor(minutes / 60), 2)}:${pad(minutes % 60, 2)}:${pad(rest % 60, 2)}`;
}

/** The date of a day counted from 1970-01-01. */
export function calendarDay(days: number): CalendarDay {
  const shifted = days + daysToEpoch;
  const era = Math.floor(shifted / daysPerEra);
  const dayOfEra = shifted - era * daysPerEra;
  const leapDays =
    Math.floor(dayOfEra / 1_460) - Math.floor(dayOfEra / 36_524) + Math.floor(dayOfEra / 146_096);
  const yearOfEra = Math.floor((dayOfEra - leapDays) / 365);
  const dayOfYear =
    dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const marchMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * marchMonth + 2) / 5) + 1;
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9;
  const year = yearOfEra + era * yearsPerEra + (month <= 2 ? 1 : 0);
  return { year, month, day };
}

/** The day of a date, counted from 1970-01-01; the inverse of `calendarDay`. */
export function dayNumber({ year, month, day }: CalendarDay): number {
  const marchYear = month <= 2 ? year - 1 : year;
  const era = Math.floor(marchYear / yearsPerEra);
  const yearOfEra = marchYear - era * yearsPerEra;
  const marchMonth = month > 2 ? month - 3 : month + 9;
  const dayOfYear = Math.floor((153 * marchMonth + 2) / 5) + day - 1;
  const leapDays = Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100);
  return era * daysPerEra + yearOfEra * 365 + leapDays + dayOfYear - daysToEpoch;
}

export function daysInMonth(year: number, month: number): number {
  const next = month === 12 ? { year: year + 1, month: 1 } : { year, month: month + 1 };
  return dayNumber({ ...next, day: 1 }) - dayNumber({ year, month, day: 1 });
}

export function pad(value: number, width: number): string {
  return String(value).padStart(width, "0");
}
