// Python's percent formatting (`'%05.2f' % x`, the `format` filter), bounded in width.

import { templateOutputCharsMax } from "#core/model/limits";
import { characterCount, charactersOf, hasSurrogates } from "./access.ts";
import { plain } from "./contract.ts";
import { repr, textOf } from "./print.ts";
import { admitChars, fail, type Run } from "./run.ts";
import { kindOf, numberOf } from "./values.ts";

const directives = new RegExp(
  [
    String.raw`%(?:\((?<key>[^)]*)\))?(?<flags>[-+ 0#]*)(?<width>\*|\d+)?`,
    String.raw`(?:\.(?<precision>\d+))?[hlL]?(?<letter>[a-zA-Z%])?`,
  ].join(""),
  "g",
);
const precisionMax = 100;

interface FormatOptions {
  readonly run: Run;
  /** The value of `%(key)s`. */
  readonly named: (key: string) => unknown;
}

interface Directive {
  readonly flags: string;
  readonly width: number;
  readonly precision: number | undefined;
  readonly letter: string;
}

/** The text with each directive replaced by its value. Every value has to be used. */
export function formatPercent(
  text: string,
  values: readonly unknown[],
  { run, named }: FormatOptions,
): string {
  const parts: string[] = [];
  let chars = 0;
  const add = (part: string): void => {
    chars += part.length;
    admitChars(run, chars);
    parts.push(part);
  };
  let next = 0;
  let at = 0;
  let usedName = false;
  for (const match of text.matchAll(directives)) {
    const { key, flags = "", width, precision, letter } = match.groups ?? {};
    add(text.slice(at, match.index));
    at = match.index + match[0].length;
    if (letter === "%") {
      add("%");
      continue;
    }
    if (letter === undefined || width === "*") {
      return fail(run, "type", "a '%' of the format is not followed by a known directive");
    }
    usedName ||= key !== undefined;
    if (key === undefined && next >= values.length) {
      return fail(run, "type", "the format names more values than are given");
    }
    const value = key === undefined ? values[next++] : named(key);
    const decimals = precision === undefined ? undefined : Number(precision);
    add(
      formatOne(plain(value), run, {
        flags,
        width: Number(width ?? 0),
        precision: decimals,
        letter,
      }),
    );
  }
  if (!usedName && next < values.length) {
    return fail(run, "type", "the format names fewer values than are given");
  }
  add(text.slice(at));
  return parts.join("");
}

function formatOne(value: unknown, run: Run, form: Directive): string {
  if (form.width > templateOutputCharsMax || (form.precision ?? 0) > precisionMax) {
    return fail(run, "range", "the width or precision of a format is too large");
  }
  if ("sra".includes(form.letter)) {
    const text = form.letter === "s" ? textOf(value, run) : repr(value, run);
    return pad(form.precision === undefined ? text : cut(text, form.precision), "", form);
  }
  if (form.letter === "c") {
    return pad(
      typeof value === "number" ? String.fromCodePoint(value) : textOf(value, run),
      "",
      form,
    );
  }
  const given = numberOf(value);
  if (given === undefined) {
    return fail(run, "type", `'%${form.letter}' takes a number, found ${kindOf(value)}`);
  }
  const digits = formatDigits(given < 0 ? -given : given, run, form);
  const sign =
    given < 0 ? "-" : form.flags.includes("+") ? "+" : form.flags.includes(" ") ? " " : "";
  return pad(digits, sign, form);
}

function formatDigits(size: number | bigint, run: Run, form: Directive): string {
  const precision = form.precision ?? 6;
  switch (form.letter) {
    case "d":
    case "i":
    case "u":
      return whole(size).toString();
    case "x":
      return `${form.flags.includes("#") ? "0x" : ""}${whole(size).toString(16)}`;
    case "X":
      return `${form.flags.includes("#") ? "0X" : ""}${whole(size).toString(16).toUpperCase()}`;
    case "o":
      return `${form.flags.includes("#") ? "0o" : ""}${whole(size).toString(8)}`;
    case "f":
    case "F":
      return fixed(Number(size), precision);
    case "e":
    case "E": {
      const [mantissa = "", exponent = ""] = Number(size).toExponential(precision).split("e");
      const text = `${mantissa}e${exponent.charAt(0)}${exponent.slice(1).padStart(2, "0")}`;
      return form.letter === "E" ? text.toUpperCase() : text;
    }
    default:
      return fail(run, "type", `'%${form.letter}' is not a known directive`);
  }
}

function whole(size: number | bigint): bigint {
  if (typeof size === "bigint") return size;
  return Number.isFinite(size) ? BigInt(Math.trunc(size)) : 0n;
}

/** The first characters of a text, none cut in two. */
function cut(text: string, count: number): string {
  return hasSurrogates(text) ? charactersOf(text).slice(0, count).join("") : text.slice(0, count);
}

function pad(text: string, sign: string, form: Directive): string {
  const missing = form.width - characterCount(text) - sign.length;
  if (missing <= 0) return sign + text;
  if (form.flags.includes("-")) return sign + text + " ".repeat(missing);
  const zeros = form.flags.includes("0") && !"srac".includes(form.letter);
  return zeros ? sign + "0".repeat(missing) + text : " ".repeat(missing) + sign + text;
}

/** A number with so many decimals; a tie goes to the even digit, as in Python. */
export function fixed(value: number, decimals: number): string {
  if (!Number.isFinite(value) || Math.abs(value) >= 1e21) return String(value);
  const text = value.toFixed(decimals);
  const exact = value.toFixed(Math.min(100, decimals + 60));
  const point = exact.indexOf(".");
  const tail = exact.slice(point + 1 + decimals);
  if (!/^50*$/.test(tail)) return text;
  // A tie: toFixed went away from zero; the other neighbour is the truncated text.
  const below = decimals === 0 ? exact.slice(0, point) : exact.slice(0, point + 1 + decimals);
  return Number(below.at(-1)) % 2 === 0 ? below : text;
}
