// Filters over lists: parts, order, groups, totals.

import { charactersOf, subscriptOf } from "./access.ts";
import { operations } from "./arithmetic.ts";
import { type Callable, define } from "./callable.ts";
import { plain, View } from "./contract.ts";
import { pairsOf } from "./filters-data.ts";
import { identity, itemReader, keyReader, sortedBy } from "./keys.ts";
import { textOf } from "./print.ts";
import { admitChars, fail, type Run, spend } from "./run.ts";
import { textArgument, wholeArgument } from "./text.ts";
import { equals, itemsOf, order } from "./values.ts";

function join(value: unknown, [separator, attribute]: readonly unknown[], run: Run): string {
  const between = textArgument(separator, "", run);
  const read = itemReader(attribute, undefined, run);
  const items = itemsOf(value, run);
  const parts: string[] = [];
  let chars = 0;
  for (const item of items) {
    const part = textOf(read(item), run);
    chars += part.length + between.length;
    admitChars(run, chars === 0 ? 0 : part.length);
    parts.push(part);
  }
  admitChars(run, chars);
  return parts.join(between);
}

function reverse(value: unknown, _: readonly unknown[], run: Run): unknown {
  if (typeof value === "string") return charactersOf(value).reverse().join("");
  return itemsOf(value, run).toReversed();
}

function count(value: unknown, what: string, run: Run): number {
  const number = wholeArgument(value, 0, run);
  if (number < 1) return fail(run, "range", `the number of ${what} is at least 1`);
  spend(run, number);
  return number;
}

/** Lists of so many items; the last one filled up with `fill_with`, if given. */
function batch(value: unknown, [size, fillWith]: readonly unknown[], run: Run): unknown[][] {
  const length = count(size, "items in a batch", run);
  const items = itemsOf(value, run);
  const batches: unknown[][] = [];
  for (let at = 0; at < items.length; at += length) batches.push(items.slice(at, at + length));
  const last = batches.at(-1);
  while (fillWith !== undefined && fillWith !== null && last && last.length < length) {
    last.push(fillWith);
  }
  return batches;
}

/** So many lists of nearly equal length; the shorter ones filled up with `fill_with`, if given. */
function slice(value: unknown, [slices, fillWith]: readonly unknown[], run: Run): unknown[][] {
  const total = count(slices, "slices", run);
  const items = itemsOf(value, run);
  const each = Math.floor(items.length / total);
  const longer = items.length % total;
  const filled = fillWith !== undefined && fillWith !== null;
  return Array.from({ length: total }, (_, index) => {
    const from = index * each + Math.min(index, longer);
    const part = items.slice(from, from + each + (index < longer ? 1 : 0));
    return filled && index >= longer ? [...part, fillWith] : part;
  });
}

function sort(value: unknown, args: readonly unknown[], run: Run): unknown[] {
  const [reversed, caseSensitive, attribute] = args;
  const read = keyReader(attribute, { caseSensitive, run });
  return sortedBy(itemsOf(value, run), read, { reverse: reversed, equalFirst: true, run });
}

function dictSort(value: unknown, args: readonly unknown[], run: Run): unknown[] {
  const [caseSensitive, by, reversed] = args;
  const side = textArgument(by, "key", run);
  if (side !== "key" && side !== "value") {
    return fail(run, "range", "dictsort is by 'key' or by 'value'");
  }
  const read = keyReader(side === "key" ? 0 : 1, { caseSensitive, run });
  return sortedBy(pairsOf(value, run), read, { reverse: reversed, run });
}

function unique(value: unknown, [caseSensitive, attribute]: readonly unknown[], run: Run) {
  const read = keyReader(attribute, { caseSensitive, run });
  const seen = new Set<string>();
  const kept: unknown[] = [];
  for (const item of itemsOf(value, run)) {
    const key = identity(read(item), run);
    if (seen.has(key)) continue;
    seen.add(key);
    kept.push(item);
  }
  return kept;
}

/** Groups in the order of their keys; a group is a pair that also has `grouper` and `list`. */
function groupBy(value: unknown, args: readonly unknown[], run: Run): View[] {
  const [attribute, instead, caseSensitive] = args;
  const compared = keyReader(attribute, { caseSensitive, instead, run });
  const shown = itemReader(attribute, instead, run);
  const groups: { readonly key: unknown; readonly items: unknown[] }[] = [];
  for (const item of sortedBy(itemsOf(value, run), compared, { reverse: false, run })) {
    const key = compared(item);
    const last = groups.at(-1);
    if (last !== undefined && equals(last.key, key, run)) last.items.push(item);
    else groups.push({ key, items: [item] });
  }
  return groups.map(({ items }) => {
    const grouper = shown(items[0]);
    const attributeOfGroup = (name: string): unknown =>
      name === "grouper" ? grouper : name === "list" ? items : undefined;
    return new View([grouper, items], attributeOfGroup);
  });
}

function sum(value: unknown, [attribute, start]: readonly unknown[], run: Run): unknown {
  const read = itemReader(attribute, undefined, run);
  let total: unknown = start ?? 0;
  for (const item of itemsOf(value, run)) total = operations["+"](total, read(item), run);
  return total;
}

function extreme(direction: 1 | -1): Callable["apply"] {
  return (value, [caseSensitive, attribute], run) => {
    const read = keyReader(attribute, { caseSensitive, run });
    const items = itemsOf(value, run);
    let best = items[0];
    let bestKey = read(best);
    for (const item of items.slice(1)) {
      const key = read(item);
      if (direction * order(key, bestKey, run) <= 0) continue;
      best = item;
      bestKey = key;
    }
    return plain(best);
  };
}

function firstOf(value: unknown, _: readonly unknown[], run: Run): unknown {
  return typeof value === "string" ? subscriptOf(value, 0, run) : itemsOf(value, run)[0];
}

function lastOf(value: unknown, _: readonly unknown[], run: Run): unknown {
  return typeof value === "string" ? subscriptOf(value, -1, run) : itemsOf(value, run).at(-1);
}

export const listFilters: readonly Callable[] = [
  define("first", "", firstOf),
  define("last", "", lastOf),
  define("join", "d? attribute?", join),
  define("reverse", "", reverse),
  define("batch", "linecount fill_with?", batch),
  define("slice", "slices fill_with?", slice),
  define("sort", "reverse? case_sensitive? attribute?", sort),
  define("dictsort", "case_sensitive? by? reverse?", dictSort),
  define("unique", "case_sensitive? attribute?", unique),
  define("groupby", "attribute default? case_sensitive?", groupBy),
  define("sum", "attribute? start?", sum),
  define("max", "case_sensitive? attribute?", extreme(1)),
  define("min", "case_sensitive? attribute?", extreme(-1)),
];
