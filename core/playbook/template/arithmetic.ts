// Python's arithmetic over JavaScript numbers. Whole numbers stay exact: a result beyond 2^53 is
// made again with bigints. Texts and lists join with `+` and repeat with `*`.

import { templateIntegerBitsMax } from "#core/model/limits";
import { isRecord, keyText, ownOf } from "./access.ts";
import { plain } from "./contract.ts";
import { formatPercent } from "./format.ts";
import { textOf } from "./print.ts";
import { admitChars, fail, type Run, spend } from "./run.ts";
import type { ArithmeticOperator } from "./syntax.ts";
import { kindOf, numberOf, sameNumber, undefinedOperand } from "./values.ts";

const wideMax = 1n << BigInt(templateIntegerBitsMax);

export type Operation = (left: unknown, right: unknown, run: Run) => unknown;

export const operations: Readonly<Record<ArithmeticOperator, Operation>> = {
  "+": add,
  "-": (left, right, run) => calculate("-", left, right, run),
  "*": multiply,
  "/": (left, right, run) => calculate("/", left, right, run),
  "//": (left, right, run) => calculate("//", left, right, run),
  "%": remainder,
  "**": (left, right, run) => calculate("**", left, right, run),
};

/** `-value` and `+value` */
export function sign(operator: "+" | "-", operand: unknown, run: Run): unknown {
  const value = numberOf(plain(operand));
  if (value !== undefined) return operator === "+" ? value : narrow(-value, run);
  if (plain(operand) === undefined) return undefinedOperand(run, 0, "given a sign");
  return fail(run, "type", `${kindOf(operand)} can't be given a sign`);
}

/** A bigint as a number where that is exact; otherwise notes in the run that one is about. */
export function narrow(value: number | bigint, run: Run): number | bigint {
  if (typeof value === "number") return value;
  if (value >= wideMax || value <= -wideMax) {
    return fail(run, "limit", `the integer would be longer than ${templateIntegerBitsMax} bits`);
  }
  const small = Number(value);
  if (Number.isSafeInteger(small)) return small;
  run.wide = true;
  return value;
}

function add(left: unknown, right: unknown, run: Run): unknown {
  if (typeof left === "number" && typeof right === "number") {
    const sum = left + right;
    if (Number.isSafeInteger(sum)) return sum;
  }
  const a = plain(left);
  const b = plain(right);
  if (typeof a === "string" && typeof b === "string") {
    admitChars(run, a.length + b.length);
    return a + b;
  }
  if (Array.isArray(a) && Array.isArray(b)) {
    spend(run, a.length + b.length);
    return [...a, ...b];
  }
  return calculate("+", a, b, run);
}

function multiply(left: unknown, right: unknown, run: Run): unknown {
  const a = plain(left);
  const b = plain(right);
  if (typeof a === "string" || Array.isArray(a)) return repeat(a, b, run);
  if (typeof b === "string" || Array.isArray(b)) return repeat(b, a, run);
  return calculate("*", a, b, run);
}

function repeat(whole: string | readonly unknown[], times: unknown, run: Run): unknown {
  const given = numberOf(times);
  if (given === undefined) return refuse("*", whole, times, run);
  const count = Math.max(0, Number(given));
  if (!Number.isInteger(count)) {
    return fail(run, "type", `${kindOf(whole)} can be repeated a whole number of times only`);
  }
  if (typeof whole === "string") {
    admitChars(run, whole.length * count);
    return whole.repeat(whole === "" ? 0 : count);
  }
  spend(run, whole.length * count);
  const repeated: unknown[] = [];
  for (let round = 0; round < count && whole.length > 0; round++) {
    for (const item of whole) repeated.push(item);
  }
  return repeated;
}

function remainder(left: unknown, right: unknown, run: Run): unknown {
  const text = plain(left);
  if (typeof text !== "string") return calculate("%", text, right, run);
  const given = plain(right);
  if (isRecord(given)) {
    return formatPercent(text, [], { run, named: (key) => ownOf(given, key) });
  }
  const values = Array.isArray(given) ? given : [given];
  return formatPercent(text, values, { run, named: () => undefined });
}

function calculate(
  operator: ArithmeticOperator,
  left: unknown,
  right: unknown,
  run: Run,
): number | bigint {
  const a = numberOf(plain(left));
  const b = numberOf(plain(right));
  if (a === undefined || b === undefined) return refuse(operator, left, right, run);
  if (operator === "/" || operator === "//" || operator === "%") {
    if (sameNumber(b, 0)) return fail(run, "division_by_zero", `'${operator}' by zero`);
  }
  if (isWhole(a) && isWhole(b)) return whole(operator, a, b, run);
  return float(operator, Number(a), Number(b), run);
}

function refuse(operator: ArithmeticOperator, left: unknown, right: unknown, run: Run): never {
  if (plain(left) === undefined) return undefinedOperand(run, 0, `used with '${operator}'`);
  if (plain(right) === undefined) return undefinedOperand(run, 1, `used with '${operator}'`);
  const message = `'${operator}' can't take ${kindOf(left)} and ${kindOf(right)}`;
  return fail(run, "type", message);
}

function isWhole(value: number | bigint): boolean {
  return typeof value === "bigint" || Number.isSafeInteger(value);
}

function whole(
  operator: ArithmeticOperator,
  left: number | bigint,
  right: number | bigint,
  run: Run,
): number | bigint {
  if (operator === "/") return Number(left) / Number(right);
  if (operator === "**") return raise(left, right, run);
  if (typeof left === "number" && typeof right === "number") {
    const result = small(operator, left, right);
    if (Number.isSafeInteger(result)) return result;
  }
  return narrow(wide(operator, BigInt(left), BigInt(right)), run);
}

type WholeOperator = Exclude<ArithmeticOperator, "/" | "**">;

function small(operator: WholeOperator, left: number, right: number): number {
  switch (operator) {
    case "+":
      return left + right;
    case "-":
      return left - right;
    case "*":
      return left * right + 0;
    case "%":
      return floorRemainder(left, right);
    case "//":
      return floorQuotient(left, right);
    default: {
      const none: never = operator;
      return none;
    }
  }
}

/** NaN where the numbers are too large to be exact; the caller then turns to bigints. */
function floorQuotient(left: number, right: number): number {
  const whole = left - floorRemainder(left, right);
  return Number.isSafeInteger(whole) ? whole / right + 0 : Number.NaN;
}

/** The remainder with the sign of the divisor; adding 0 turns -0 into 0. */
function floorRemainder(left: number, right: number): number {
  const rest = left % right;
  return (rest !== 0 && rest < 0 !== right < 0 ? rest + right : rest) + 0;
}

function wide(operator: WholeOperator, left: bigint, right: bigint): bigint {
  switch (operator) {
    case "+":
      return left + right;
    case "-":
      return left - right;
    case "*":
      return left * right;
    case "%": {
      const rest = left % right;
      return rest !== 0n && rest < 0n !== right < 0n ? rest + right : rest;
    }
    case "//":
      return (left - wide("%", left, right)) / right;
    default: {
      const none: never = operator;
      return none;
    }
  }
}

function raise(base: number | bigint, exponent: number | bigint, run: Run): number | bigint {
  if (exponent < 0) {
    if (sameNumber(base, 0))
      return fail(run, "division_by_zero", "zero can't be raised to a negative power");
    return Number(base) ** Number(exponent);
  }
  const quick = Number(base) ** Number(exponent);
  if (Number.isSafeInteger(quick)) return quick;
  const bits = Math.log2(Math.abs(Number(base))) * Number(exponent);
  if (!(bits <= templateIntegerBitsMax)) {
    return fail(run, "limit", `the integer would be longer than ${templateIntegerBitsMax} bits`);
  }
  return narrow(BigInt(base) ** BigInt(exponent), run);
}

function float(operator: ArithmeticOperator, left: number, right: number, run: Run): number {
  switch (operator) {
    case "+":
      return left + right;
    case "-":
      return left - right;
    case "*":
      return left * right;
    case "/":
      return left / right;
    case "%":
      return floorRemainder(left, right);
    case "//":
      return Math.floor(left / right);
    case "**": {
      if (left === 0 && right < 0) {
        return fail(run, "division_by_zero", "zero can't be raised to a negative power");
      }
      const raised = left ** right;
      if (Number.isFinite(raised)) return raised;
      return fail(run, "range", "the power is not a finite real number");
    }
    default: {
      const none: never = operator;
      return none;
    }
  }
}

/** `a ~ b ~ c`: all as text, side by side. */
export function concat(values: readonly unknown[], run: Run): string {
  const texts = values.map((value) => textOf(value, run));
  admitChars(
    run,
    texts.reduce((chars, text) => chars + text.length, 0),
  );
  return texts.join("");
}

/** The key of a dict literal: keys are texts, as in JSON. */
export function dictKey(key: unknown, run: Run): string {
  const inner = plain(key);
  const text = keyText(inner);
  if (text !== undefined) return text;
  if (inner === undefined) return undefinedOperand(run, 0, "a key");
  return fail(run, "type", `${kindOf(inner)} can't be a key`);
}
