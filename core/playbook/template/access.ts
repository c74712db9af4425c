// Attributes, subscripts and slices. Reads own properties of plain objects and items of arrays
// and strings; everything else is undefined, so prototypes and host objects stay out of reach.

import { plain, View } from "./contract.ts";
import { fail, type Run, spend, spendChars } from "./run.ts";

/** An object that came from JSON or a literal: the only kind with attributes of its own. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** The own property of a plain object, or undefined. */
export function ownOf(record: Readonly<Record<string, unknown>>, key: string): unknown {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}

/** Writes a key as data, also one that assignment would take for the prototype. */
export function setOwn(record: Record<string, unknown>, key: string, value: unknown): void {
  if (key === "__proto__") {
    Object.defineProperty(record, key, {
      value,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  } else {
    record[key] = value;
  }
}

/** `target.name` */
export function attributeOf(target: unknown, name: string): unknown {
  if (typeof target !== "object" || target === null) return undefined;
  if (target instanceof View) return target.attribute(name);
  return isRecord(target) && Object.hasOwn(target, name) ? target[name] : undefined;
}

/** `target[key]`; negative numbers count from the end, a key that does not fit is undefined. */
export function subscriptOf(target: unknown, key: unknown, run: Run): unknown {
  const name = plain(key);
  if (typeof name === "string") return attributeOf(target, name);
  const value = plain(target);
  if (isRecord(value)) {
    const text = keyText(name);
    return text === undefined ? undefined : ownOf(value, text);
  }
  const index = indexOf(name);
  if (index === undefined) return undefined;
  if (Array.isArray(value)) return value[index < 0 ? index + value.length : index];
  if (typeof value !== "string") return undefined;
  spendChars(run, value.length);
  return characterAt(value, index);
}

function indexOf(value: unknown): number | undefined {
  if (typeof value === "boolean") return value ? 1 : 0;
  return typeof value === "number" && Number.isInteger(value) ? value : undefined;
}

/** A dict key as JSON writes it; undefined for what can't be a key. */
export function keyText(key: unknown): string | undefined {
  if (typeof key === "string") return key;
  if (key === null || typeof key === "number" || typeof key === "boolean") return String(key);
  return typeof key === "bigint" ? key.toString() : undefined;
}

/** True if the text holds characters that take two UTF-16 units. */
export function hasSurrogates(text: string): boolean {
  return /[\uD800-\uDFFF]/.test(text);
}

/** The number of characters, counted as Python does: by code point. */
export function characterCount(text: string): number {
  if (!hasSurrogates(text)) return text.length;
  let count = 0;
  for (const _ of text) count++;
  return count;
}

/** The characters of a text, each as a text. */
export function charactersOf(text: string): string[] {
  return hasSurrogates(text) ? [...text] : text.split("");
}

function characterAt(text: string, index: number): string | undefined {
  if (!hasSurrogates(text)) {
    const at = index < 0 ? index + text.length : index;
    return at >= 0 && at < text.length ? text.charAt(at) : undefined;
  }
  const characters = [...text];
  return characters[index < 0 ? index + characters.length : index];
}

export interface SliceBounds {
  readonly from: unknown;
  readonly to: unknown;
  readonly step: unknown;
}

/** `target[from:to:step]` with Python's meaning of absent and negative bounds. */
export function sliceOf(target: unknown, bounds: SliceBounds, run: Run): unknown {
  const value = plain(target);
  if (value === undefined) return undefined;
  const text = typeof value === "string";
  if (!text && !Array.isArray(value)) {
    return fail(run, "type", "only lists and strings can be sliced");
  }
  if (text) spendChars(run, value.length);
  else spend(run, value.length);
  const items: readonly unknown[] = text ? charactersOf(value) : value;
  const step = sliceIndex(bounds.step, run) ?? 1;
  if (step === 0) return fail(run, "range", "the step of a slice can't be zero");
  const picked = pick(items, step, {
    from: sliceIndex(bounds.from, run),
    to: sliceIndex(bounds.to, run),
  });
  return text ? picked.join("") : picked;
}

function sliceIndex(bound: unknown, run: Run): number | undefined {
  const value = plain(bound);
  if (value === undefined || value === null) return undefined;
  return indexOf(value) ?? fail(run, "type", "the bounds of a slice are integers");
}

function pick(
  items: readonly unknown[],
  step: number,
  bounds: { readonly from: number | undefined; readonly to: number | undefined },
): unknown[] {
  const last = items.length;
  const lowest = step > 0 ? 0 : -1;
  const highest = step > 0 ? last : last - 1;
  const clamp = (bound: number): number =>
    Math.min(Math.max(bound < 0 ? bound + last : bound, lowest), highest);
  const from = bounds.from === undefined ? (step > 0 ? lowest : highest) : clamp(bounds.from);
  const to = bounds.to === undefined ? (step > 0 ? highest : lowest) : clamp(bounds.to);
  const picked: unknown[] = [];
  for (let at = from; step > 0 ? at < to : at > to; at += step) picked.push(items[at]);
  return picked;
}
