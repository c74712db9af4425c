// Filters that change the form of a value: defaults, JSON, base64, parts of dicts.

import { attributeOf, isRecord, setOwn, subscriptOf } from "./access.ts";
import { type Callable, define } from "./callable.ts";
import { jsonText, jsonValue } from "./json.ts";
import { textOf } from "./print.ts";
import { fail, type Run, spend } from "./run.ts";
import { itemsOf, kindOf, lengthOf, numberOf, truthOf } from "./values.ts";

const indentMax = 40;

/** Keys and values of a dict; none of undefined. */
export function pairsOf(value: unknown, run: Run): readonly (readonly [string, unknown])[] {
  if (value === undefined) return [];
  if (!isRecord(value)) return fail(run, "type", `expected a dict, found ${kindOf(value)}`);
  const pairs = Object.entries(value);
  spend(run, pairs.length);
  return pairs;
}

function fallback(value: unknown, [instead, alsoFalse]: readonly unknown[], run: Run): unknown {
  const missing = value === undefined || value === null;
  const preset = instead === undefined ? "" : instead;
  return missing || (truthOf(alsoFalse) && !truthOf(value, run)) ? preset : value;
}

function toJson(value: unknown, [indent]: readonly unknown[], run: Run): string {
  const width = indent === undefined || indent === null ? 0 : numberOf(indent);
  if (width === undefined || width < 0 || width > indentMax) {
    return fail(run, "range", `the indent of tojson is a number from 0 to ${indentMax}`);
  }
  return jsonText(value, Number(width), run);
}

function fromJson(value: unknown, _: readonly unknown[], run: Run): unknown {
  if (value === undefined) return undefined;
  return jsonValue(textOf(value, run), run);
}

function encodeBase64(value: unknown, _: readonly unknown[], run: Run): string {
  return new TextEncoder().encode(textOf(value, run)).toBase64();
}

function decodeBase64(value: unknown, _: readonly unknown[], run: Run): string {
  try {
    const bytes = Uint8Array.fromBase64(textOf(value, run));
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return fail(run, "type", "the text is not base64 of UTF-8");
  }
}

function getItem(value: unknown, [key, instead]: readonly unknown[], run: Run): unknown {
  return subscriptOf(value, key, run) ?? instead;
}

function toList(value: unknown, _: readonly unknown[], run: Run): unknown {
  return [...itemsOf(value, run)];
}

/** Lists one after the other; dicts, if all are, as one, the later keys winning. */
function chain(value: unknown, others: readonly unknown[], run: Run): unknown {
  const all = [value, ...others];
  if (all.every(isRecord)) {
    const merged: Record<string, unknown> = {};
    for (const record of all) {
      for (const [key, item] of pairsOf(record, run)) setOwn(merged, key, item);
    }
    return merged;
  }
  return all.flatMap((list) => {
    const items = itemsOf(list, run);
    spend(run, items.length);
    return items;
  });
}

/** Lists of the items that stand at one index, as far as the shortest list goes. */
function zip(value: unknown, others: readonly unknown[], run: Run): unknown[][] {
  const lists = [value, ...others].map((list) => itemsOf(list, run));
  const length = Math.min(...lists.map((list) => list.length));
  spend(run, length * lists.length);
  return Array.from({ length }, (_, index) => lists.map((list) => list[index]));
}

export const dataFilters: readonly Callable[] = [
  define("default", "default_value? boolean?", fallback),
  define("tojson", "indent?", toJson),
  define("fromjson", "", fromJson),
  define("b64encode", "", encodeBase64),
  define("b64decode", "", decodeBase64),
  define("get", "key default?", getItem),
  define("attr", "name", (value, [name], run) => attributeOf(value, textOf(name, run))),
  define("keys", "", (value, _, run) => pairsOf(value, run).map(([key]) => key)),
  define("values", "", (value, _, run) => pairsOf(value, run).map(([, item]) => item)),
  define("items", "", (value, _, run) => pairsOf(value, run)),
  define("list", "", toList),
  define("chain", "*", chain),
  define("zip", "*", zip),
  define("bool", "", (value, _, run) => truthOf(value, run)),
  define("length", "", (value, _, run) => lengthOf(value, run)),
  define("string", "", (value, _, run) => textOf(value, run)),
  define("safe", "", (value) => value),
];
