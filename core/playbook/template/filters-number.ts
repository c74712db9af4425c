// Filters that make or change numbers.

import { templateIntegerBitsMax } from "#core/model/limits";
import { narrow } from "./arithmetic.ts";
import { type Callable, define } from "./callable.ts";
import { fixed } from "./format.ts";
import { fail, type Run } from "./run.ts";
import { textArgument, wholeArgument } from "./text.ts";
import { kindOf, numberOf, truthOf, undefinedOperand } from "./values.ts";

const decimal = /^[+-]?(?:\d+(?:_\d+)*\.?(?:\d+(?:_\d+)*)?|\.\d+(?:_\d+)*)(?:[eE][+-]?\d+)?$/;
const prefixes: ReadonlyMap<number, RegExp> = new Map([
  [2, /^0[bB]_?/],
  [8, /^0[oO]_?/],
  [16, /^0[xX]_?/],
]);
/** Longer digit strings are no integers: their value would pass the bound on integers. */
const digitsMax = Math.floor(templateIntegerBitsMax / Math.log2(10));
const precisionMax = 300;
const exactDecimalsMax = 40;

/** The number of a text, or undefined; a text that says infinity or nan is no number here. */
function parseDecimal(text: string): number | undefined {
  const trimmed = text.trim();
  if (!decimal.test(trimmed)) return undefined;
  const value = Number(trimmed.replaceAll("_", ""));
  return Number.isFinite(value) ? value : undefined;
}

/** The integer of a text in a base from 2 to 36, exact; undefined for anything else. */
function parseWhole(text: string, base: number): bigint | undefined {
  const parts = /^([+-]?)(\w+)$/.exec(text.trim());
  if (parts === null) return undefined;
  const [, sign = "", body = ""] = parts;
  const prefix = prefixes.get(base);
  const digits = prefix === undefined ? body : body.replace(prefix, "");
  if (!/^[0-9a-zA-Z]+(?:_[0-9a-zA-Z]+)*$/.test(digits) || digits.length > digitsMax) {
    return undefined;
  }
  let value = 0n;
  for (const letter of digits.replaceAll("_", "")) {
    const digit = Number.parseInt(letter, 36);
    if (digit >= base) return undefined;
    value = value * BigInt(base) + BigInt(digit);
  }
  return sign === "-" ? -value : value;
}

/** The integer of a value; texts keep all their digits, fractions are cut off. */
function toInt(value: unknown, [instead, base]: readonly unknown[], run: Run): unknown {
  const fallback = instead === undefined ? 0 : instead;
  const radix = wholeArgument(base, 10, run);
  if (radix < 2 || radix > 36) return fail(run, "range", "the base of int is from 2 to 36");
  if (typeof value === "string") {
    const whole = parseWhole(value, radix);
    if (whole !== undefined) return narrow(whole, run);
  }
  const number = typeof value === "string" ? parseDecimal(value) : numberOf(value);
  if (number === undefined) return fallback;
  if (typeof number === "bigint") return narrow(number, run);
  if (!Number.isFinite(number)) return fallback;
  const cut = Math.trunc(number) + 0;
  return Number.isSafeInteger(cut) ? cut : narrow(BigInt(cut), run);
}

function toFloat(value: unknown, [instead]: readonly unknown[]): unknown {
  const number = typeof value === "string" ? parseDecimal(value) : numberOf(value);
  return number === undefined ? (instead === undefined ? 0 : instead) : Number(number);
}

/** The number a filter works on, or the error that says what came instead. */
function operand(value: unknown, run: Run): number | bigint {
  const number = numberOf(value);
  if (number !== undefined) return number;
  if (value === undefined) return undefinedOperand(run, 0, "taken as a number");
  return fail(run, "type", `expected a number, found ${kindOf(value)}`);
}

function absolute(value: unknown, _: readonly unknown[], run: Run): number | bigint {
  const number = operand(value, run);
  return number < 0 ? narrow(-number, run) : number;
}

/** To so many decimals: the nearest, a tie to the even digit; or `ceil`, or `floor`. */
function round(value: unknown, args: readonly unknown[], run: Run): number | bigint {
  const number = operand(value, run);
  const precision = wholeArgument(args[0], 0, run);
  const method = textArgument(args[1], "common", run);
  if (Math.abs(precision) > precisionMax) {
    return fail(run, "range", `the precision of round is within ${precisionMax}`);
  }
  if (!["common", "ceil", "floor"].includes(method)) {
    return fail(run, "range", "the method of round is 'common', 'ceil' or 'floor'");
  }
  if (precision >= 0 && (typeof number === "bigint" || Number.isSafeInteger(number))) return number;
  const scale = 10 ** precision;
  const size = Number(number);
  if (method === "ceil") return Math.ceil(size * scale) / scale;
  if (method === "floor") return Math.floor(size * scale) / scale;
  if (precision < 0) return Number(fixed(size * scale, 0)) * 10 ** -precision;
  return precision > exactDecimalsMax ? size : Number(fixed(size, precision)) + 0;
}

const decimalUnits: readonly string[] = ["kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"];

/** A number of bytes for people: `13 kB`; units of 1024 with `binary`. */
function fileSize(value: unknown, [binary]: readonly unknown[], run: Run): string {
  const number = typeof value === "string" ? parseDecimal(value) : operand(value, run);
  if (number === undefined) return fail(run, "type", "expected a number, found a string");
  const bytes = Number(number);
  const isBinary = truthOf(binary);
  const base = isBinary ? 1024 : 1000;
  if (bytes === 1) return "1 Byte";
  if (bytes < base) return `${Math.trunc(bytes)} Bytes`;
  const index = decimalUnits.findIndex((_, power) => bytes < base ** (power + 2));
  const power = index < 0 ? decimalUnits.length - 1 : index;
  const unit = decimalUnits[power] ?? "";
  const shown = isBinary ? `${unit.charAt(0).toUpperCase()}iB` : unit;
  return `${fixed((base * bytes) / base ** (power + 2), 1)} ${shown}`;
}

export const numberFilters: readonly Callable[] = [
  define("int", "default? base?", toInt),
  define("float", "default?", toFloat),
  define("abs", "", absolute),
  define("round", "precision? method?", round),
  define("filesizeformat", "binary?", fileSize),
];
