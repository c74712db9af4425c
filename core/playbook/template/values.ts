// What values mean to operators: truth, equality, order, membership, iteration. Python's rules
// over JavaScript data; a View stands for its value, a boolean for 0 or 1.

import { templateDepthMax } from "#core/model/limits";
import { characterCount, charactersOf, isRecord, keyText } from "./access.ts";
import { plain } from "./contract.ts";
import { charsPerStep, fail, operandText, type Run, spend, spendChars } from "./run.ts";

const falseWords: ReadonlySet<string> = new Set(["", "false", "0", "no", "none", "null", "off"]);

/** What a kind of value is called in messages. */
export function kindOf(value: unknown): string {
  const inner = plain(value);
  if (inner === undefined) return "undefined";
  if (inner === null) return "none";
  if (typeof inner === "string") return "a string";
  if (typeof inner === "boolean") return "a boolean";
  if (typeof inner === "number" || typeof inner === "bigint") return "a number";
  if (Array.isArray(inner)) return "a list";
  return isRecord(inner) ? "a dict" : "a foreign value";
}

/** Truth inside templates (`if`, `and`, `not`), as Python has it. */
export function truthOf(value: unknown, run?: Run): boolean {
  if (typeof value === "boolean") return value;
  const inner = plain(value);
  if (typeof inner !== "object" || inner === null) return Boolean(inner);
  if (Array.isArray(inner)) return inner.length > 0;
  if (!isRecord(inner)) return true;
  const { length } = Object.keys(inner);
  if (run !== undefined) spendChars(run, length);
  return length > 0;
}

/**
 * Truth of the result of a `when`: what templates take as false, and the words a rendered
 * condition may end in: false, 0, no, none, null, off, in any case (language reference, 3.5).
 */
export function isTruthy(value: unknown): boolean {
  const inner = plain(value);
  if (typeof inner !== "string") return truthOf(inner);
  return !falseWords.has(inner.trim().toLowerCase());
}

/** A number, or a boolean as one; undefined for anything else. */
export function numberOf(value: unknown): number | bigint | undefined {
  if (typeof value === "number" || typeof value === "bigint") return value;
  return typeof value === "boolean" ? Number(value) : undefined;
}

/** Equality by value across numbers and bigints, which `===` tells apart. */
export function sameNumber(left: number | bigint, right: number | bigint): boolean {
  return left <= right && left >= right;
}

/** `left == right` */
export function equals(left: unknown, right: unknown, run: Run): boolean {
  return equalWithin(plain(left), plain(right), { run, depth: 0 });
}

interface Descent {
  readonly run: Run;
  readonly depth: number;
}

function equalWithin(left: unknown, right: unknown, descent: Descent): boolean {
  if (typeof left === "string" || typeof right === "string") {
    return equalTexts(left, right, descent.run);
  }
  if (typeof left !== "object" && typeof right !== "object") {
    const a = numberOf(left);
    const b = numberOf(right);
    return a !== undefined && b !== undefined ? sameNumber(a, b) : left === right;
  }
  if (typeof left !== "object" || typeof right !== "object") return false;
  if (left === right) return true;
  if (left === null || right === null) return false;
  return equalContainers(left, right, descent);
}

/** Long texts of one length are the only ones that take time to tell apart. */
function equalTexts(left: unknown, right: unknown, run: Run): boolean {
  if (typeof left !== "string" || typeof right !== "string") return false;
  if (left.length !== right.length) return false;
  if (left.length >= charsPerStep) spendChars(run, left.length);
  return left === right;
}

function equalContainers(left: object, right: object, { run, depth }: Descent): boolean {
  if (depth >= templateDepthMax) tooDeep(run);
  const inner = { run, depth: depth + 1 };
  if (Array.isArray(left) && Array.isArray(right)) {
    if (left.length !== right.length) return false;
    spend(run, left.length);
    return left.every((item, index) => equalWithin(plain(item), plain(right[index]), inner));
  }
  if (!isRecord(left) || !isRecord(right)) return false;
  const keys = Object.keys(left);
  if (keys.length !== Object.keys(right).length) return false;
  spend(run, keys.length);
  return keys.every(
    (key) => Object.hasOwn(right, key) && equalWithin(plain(left[key]), plain(right[key]), inner),
  );
}

/** Refuses data nested so deeply that walking it could exhaust the stack. */
export function tooDeep(run: Run): never {
  return fail(run, "limit", `the value is nested deeper than ${templateDepthMax} levels`);
}

/** Negative, zero or positive, as `left` comes before, with or after `right`. */
export function order(left: unknown, right: unknown, run: Run): number {
  const a = plain(left);
  const b = plain(right);
  if (typeof a === "string" && typeof b === "string") {
    spend(run, Math.floor(Math.min(a.length, b.length) / charsPerStep));
    return orderStrings(a, b);
  }
  const x = numberOf(a);
  const y = numberOf(b);
  if (x !== undefined && y !== undefined)
    return x < y ? -1 : x > y ? 1 : sameNumber(x, y) ? 0 : Number.NaN;
  if (Array.isArray(a) && Array.isArray(b)) return orderLists(a, b, { run, depth: 0 });
  if (a === undefined) return undefinedOperand(run, 0, "compared");
  if (b === undefined) return undefinedOperand(run, 1, "compared");
  return fail(run, "type", `${kindOf(a)} can't be ordered with ${kindOf(b)}`);
}

/** Order by code point: UTF-16 units agree with it save where surrogates meet U+E000 to U+FFFF. */
export function orderStrings(left: string, right: string): number {
  if (left === right) return 0;
  const shared = Math.min(left.length, right.length);
  for (let at = 0; at < shared; at++) {
    const a = left.charCodeAt(at);
    const b = right.charCodeAt(at);
    if (a === b) continue;
    const bothAbove = a >= 0xd800 && b >= 0xd800;
    const swap = bothAbove && isSurrogate(a) !== isSurrogate(b);
    return a < b === !swap ? -1 : 1;
  }
  return left.length - right.length;
}

function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdfff;
}

function orderLists(
  left: readonly unknown[],
  right: readonly unknown[],
  { run, depth }: Descent,
): number {
  if (depth >= templateDepthMax) tooDeep(run);
  const shared = Math.min(left.length, right.length);
  spend(run, shared);
  for (let at = 0; at < shared; at++) {
    const a = plain(left[at]);
    const b = plain(right[at]);
    if (equals(a, b, run)) continue;
    if (Array.isArray(a) && Array.isArray(b)) return orderLists(a, b, { run, depth: depth + 1 });
    return order(a, b, run);
  }
  return left.length - right.length;
}

/** Says which operand of the running operation is undefined. */
export function undefinedOperand(run: Run, index: number, verb: string): never {
  const message = `${operandText(run, index)} is undefined and can't be ${verb}`;
  return fail(run, "undefined_operand", message);
}

/** `item in container` */
export function contains(container: unknown, item: unknown, run: Run): boolean {
  const whole = plain(container);
  const part = plain(item);
  if (whole === undefined) return false;
  if (typeof whole === "string") {
    if (typeof part !== "string") {
      if (part === undefined) return undefinedOperand(run, 0, "searched in a string");
      return fail(run, "type", `${kindOf(part)} can't be searched in a string`);
    }
    spendChars(run, whole.length);
    return whole.includes(part);
  }
  if (Array.isArray(whole)) {
    spend(run, whole.length);
    return whole.some((candidate) => equals(candidate, part, run));
  }
  if (!isRecord(whole)) return fail(run, "type", `'in' can't search ${kindOf(whole)}`);
  const key = keyText(part);
  return key !== undefined && Object.hasOwn(whole, key);
}

/** The items to iterate: of a list, characters of a text, keys of a dict, none of undefined. */
export function itemsOf(value: unknown, run: Run): readonly unknown[] {
  const inner = plain(value);
  if (inner === undefined) return [];
  if (Array.isArray(inner)) return inner;
  if (typeof inner === "string") {
    spend(run, inner.length);
    return charactersOf(inner);
  }
  if (isRecord(inner)) return Object.keys(inner);
  return fail(run, "type", `${kindOf(inner)} can't be iterated`);
}

/** The length of a text, list or dict; undefined has length 0. */
export function lengthOf(value: unknown, run: Run): number {
  const inner = plain(value);
  if (inner === undefined) return 0;
  if (typeof inner === "string") return characterCount(inner);
  if (Array.isArray(inner)) return inner.length;
  if (isRecord(inner)) {
    const { length } = Object.keys(inner);
    spendChars(run, length);
    return length;
  }
  return fail(run, "type", `${kindOf(inner)} has no length`);
}
