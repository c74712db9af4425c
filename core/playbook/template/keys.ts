// How filters over lists look at their items: by an attribute path, ignoring case unless told.

import { subscriptOf } from "./access.ts";
import { plain } from "./contract.ts";
import { textOf } from "./print.ts";
import { fail, type Run } from "./run.ts";
import { equals, kindOf, order, truthOf } from "./values.ts";

export type ReadItem = (item: unknown) => unknown;

/** Reads the path `a.b.0` of an item; the item itself without a path. */
export function itemReader(attribute: unknown, instead: unknown, run: Run): ReadItem {
  if (attribute === undefined || attribute === null) return plain;
  if (typeof attribute !== "string" && typeof attribute !== "number") {
    return fail(run, "type", `an attribute is a string or an integer, found ${kindOf(attribute)}`);
  }
  const keys =
    typeof attribute === "number"
      ? [attribute]
      : attribute.split(".").map((part) => (/^\d+$/.test(part) ? Number(part) : part));
  return (item) => {
    let value = item;
    for (const key of keys) {
      value = subscriptOf(value, key, run);
      if (value === undefined && instead !== undefined && instead !== null) value = instead;
    }
    return plain(value);
  };
}

/** Reads what items are compared by: several attributes with commas, lower case unless told. */
export function keyReader(
  attribute: unknown,
  { caseSensitive, instead, run }: KeyOptions,
): ReadItem {
  const fold: ReadItem = truthOf(caseSensitive) ? plain : lowered;
  if (typeof attribute === "string" && attribute.includes(",")) {
    const readers = attribute.split(",").map((part) => itemReader(part, instead, run));
    return (item) => readers.map((read) => fold(read(item)));
  }
  const read = itemReader(attribute, instead, run);
  return (item) => fold(read(item));
}

export interface KeyOptions {
  readonly caseSensitive: unknown;
  readonly instead?: unknown;
  readonly run: Run;
}

function lowered(value: unknown): unknown {
  return typeof value === "string" ? value.toLowerCase() : value;
}

export interface Sorting {
  readonly reverse: unknown;
  /** Keys that have no order may still be equal: several that are undefined or none. */
  readonly equalFirst?: boolean;
  readonly run: Run;
}

/** Sorted by key; items of equal keys keep their order, also in reverse. */
export function sortedBy<Item>(
  items: readonly Item[],
  read: ReadItem,
  { reverse, equalFirst = false, run }: Sorting,
): Item[] {
  const keyed = items.map((item) => ({ item, key: read(item) }));
  const direction = truthOf(reverse) ? -1 : 1;
  keyed.sort(({ key: left }, { key: right }) => {
    if (equalFirst && typeof left === typeof right && equals(left, right, run)) return 0;
    return direction * order(left, right, run) || 0;
  });
  return keyed.map(({ item }) => item);
}

/** A text that is the same for equal values, numbers and booleans included. */
export function identity(value: unknown, run: Run): string {
  const inner = plain(value);
  if (typeof inner === "string") return `s${inner}`;
  return `v${textOf(typeof inner === "boolean" ? Number(inner) : inner, run)}`;
}
