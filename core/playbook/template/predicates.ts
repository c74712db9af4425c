// The tests of the language that look at values only: what may follow `is`.

import { isRecord } from "./access.ts";
import { operations } from "./arithmetic.ts";
import { type Callable, define } from "./callable.ts";
import { Callee } from "./callee.ts";
import { plain } from "./contract.ts";
import { fail, type Run } from "./run.ts";
import {
  contains,
  equals,
  kindOf,
  numberOf,
  order,
  sameNumber,
  undefinedOperand,
} from "./values.ts";

/** Whether `value % divisor` is `rest`. */
function leaves(rest: number, [value, divisor]: readonly unknown[], run: Run): boolean {
  if (value === undefined) return undefinedOperand(run, 0, "divided");
  if (numberOf(value) === undefined) return fail(run, "type", `${kindOf(value)} can't be divided`);
  const left = numberOf(operations["%"](value, divisor, run));
  return left !== undefined && sameNumber(left, rest);
}

function isSequence(value: unknown): boolean {
  return (
    value === undefined || typeof value === "string" || Array.isArray(value) || isRecord(value)
  );
}

function isNumber(value: unknown): boolean {
  return numberOf(value) !== undefined;
}

function isInteger(value: unknown): boolean {
  return typeof value === "bigint" || Number.isSafeInteger(value);
}

function isCased(value: unknown, cased: (text: string) => string): boolean {
  if (typeof value !== "string") return false;
  return cased(value) === value && value.toLowerCase() !== value.toUpperCase();
}

function isSame(value: unknown, other: unknown): boolean {
  return value === other;
}

/** Whether a text passes a comparison with another text; nothing else does. */
function comparing(passes: (text: string, other: string) => boolean): Callable["apply"] {
  return (value, [other]) => {
    const text = plain(other);
    return typeof value === "string" && typeof text === "string" && passes(value, text);
  };
}

function includes(value: unknown, [part]: readonly unknown[], run: Run): boolean {
  return value !== undefined && contains(value, part, run);
}

const relations: readonly Callable[] = [
  define("eq", "other", (value, [other], run) => equals(value, other, run)),
  define("ne", "other", (value, [other], run) => !equals(value, other, run)),
  define("lt", "other", (value, [other], run) => order(value, other, run) < 0),
  define("le", "other", (value, [other], run) => order(value, other, run) <= 0),
  define("gt", "other", (value, [other], run) => order(value, other, run) > 0),
  define("ge", "other", (value, [other], run) => order(value, other, run) >= 0),
  define("in", "seq", (value, [seq], run) => contains(seq, value, run)),
  define("sameas", "other", (value, [other]) => isSame(value, plain(other))),
];

/** The tests of Jinja that make sense on plain data, and those that minijinja adds. */
export const valueTests: readonly Callable[] = [
  ...relations,
  define("defined", "", (value) => value !== undefined),
  define("undefined", "", (value) => value === undefined),
  define("none", "", (value) => value === null),
  define("boolean", "", (value) => typeof value === "boolean"),
  define("true", "", (value) => value === true),
  define("false", "", (value) => value === false),
  define("string", "", (value) => typeof value === "string"),
  define("number", "", isNumber),
  define("integer", "", isInteger),
  define("float", "", (value) => typeof value === "number" && !isInteger(value)),
  define("sequence", "", isSequence),
  define("iterable", "", isSequence),
  define("mapping", "", isRecord),
  define("callable", "", (value) => value instanceof Callee),
  define("escaped", "", () => false),
  define("even", "", (value, _, run) => leaves(0, [value, 2], run)),
  define("odd", "", (value, _, run) => leaves(1, [value, 2], run)),
  define("divisibleby", "num", (value, [num], run) => leaves(0, [value, num], run)),
  define("lower", "", (value) => isCased(value, (text) => text.toLowerCase())),
  define("upper", "", (value) => isCased(value, (text) => text.toUpperCase())),
  define(
    "startingwith",
    "prefix",
    comparing((text, prefix) => text.startsWith(prefix)),
  ),
  define(
    "endingwith",
    "suffix",
    comparing((text, suffix) => text.endsWith(suffix)),
  ),
  define("containing", "part", includes),
];

export const testAliases = {
  "==": "eq",
  "!=": "ne",
  "<": "lt",
  "<=": "le",
  ">": "gt",
  ">=": "ge",
  equalto: "eq",
  lessthan: "lt",
  greaterthan: "gt",
  safe: "escaped",
} as const;
