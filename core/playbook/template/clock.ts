// Calendar text of an instant, computed: the language has no clock of its own to ask.

const dayMs = 86_400_000;
/** Days from 0000-03-01 to 1970-01-01; years that start in March end with their leap day. */
const daysToEpoch = 719_468;
const daysPerEra = 146_097;
const yearsPerEra = 400;

/** An instant as RFC 3339 text in UTC with milliseconds: `2026-01-31T08:00:00.000Z`. */
export function rfc3339(instantMs: number): string {
  const ms = Math.floor(instantMs);
  const days = Math.floor(ms / dayMs);
  const rest = ms - days * dayMs;
  const { year, month, day } = civil(days);
  const date = `${pad(year, 4)}-${pad(month, 2)}-${pad(day, 2)}`;
  const hours = pad(Math.floor(rest / 3_600_000), 2);
  const minutes = pad(Math.floor(rest / 60_000) % 60, 2);
  const seconds = pad(Math.floor(rest / 1_000) % 60, 2);
  return `${date}T${hours}:${minutes}:${seconds}.${pad(rest % 1_000, 3)}Z`;
}

/** The date of a day counted from 1970-01-01, in the proleptic Gregorian calendar. */
function civil(days: number): {
  readonly year: number;
  readonly month: number;
  readonly day: number;
} {
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

function pad(value: number, width: number): string {
  return String(value).padStart(width, "0");
}
