// Instants as playbooks write them: RFC 3339 text, or milliseconds since 1970.

const dayMs = 86_400_000;
/** Days from 0000-03-01 to 1970-01-01; years that start in March end with their leap day. */
const daysToEpoch = 719_468;

const rfc3339 =
  /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:([Zz])|([+-])(\d\d):(\d\d))$/;

/** Milliseconds since 1970; undefined for text that is neither RFC 3339 nor a number. */
export function instantMs(value: unknown): number | undefined {
  if (typeof value === "number") return Number.isFinite(value) ? Math.floor(value) : undefined;
  if (typeof value !== "string") return undefined;
  const text = value.trim();
  if (/^\d{1,16}$/.test(text)) return Number(text);
  const parts = rfc3339.exec(text);
  if (parts === null) return undefined;
  const [year, month, day, hours, minutes, seconds] = parts.slice(1, 7).map(Number);
  const date = dayNumber(year ?? 0, month ?? 0, day ?? 0);
  const clock = [hours ?? 24, minutes ?? 60, seconds ?? 60] as const;
  // A leap second counts as the one before it.
  if (date === undefined || clock[0] > 23 || clock[1] > 59 || clock[2] > 60) return undefined;
  const [, , , , , , , fraction = "", , sign, offsetHours = "0", offsetMinutes = "0"] = parts;
  const offset = (Number(offsetHours) * 60 + Number(offsetMinutes)) * (sign === "-" ? -1 : 1);
  const ms = Number(fraction.slice(0, 3).padEnd(3, "0"));
  const timeMs = ((clock[0] * 60 + clock[1] - offset) * 60 + Math.min(clock[2], 59)) * 1_000 + ms;
  return date * dayMs + timeMs;
}

/** Days since 1970-01-01 in the proleptic Gregorian calendar; undefined for no date. */
function dayNumber(year: number, month: number, day: number): number | undefined {
  if (month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return undefined;
  const marchYear = month <= 2 ? year - 1 : year;
  const marchMonth = (month + 9) % 12;
  const leapDays =
    Math.floor(marchYear / 4) - Math.floor(marchYear / 100) + Math.floor(marchYear / 400);
  const dayOfYear = Math.floor((153 * marchMonth + 2) / 5) + day - 1;
  return marchYear * 365 + leapDays + dayOfYear - daysToEpoch;
}

function daysIn(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return [4, 6, 9, 11].includes(month) ? 30 : 31;
}
