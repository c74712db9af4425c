// Where two values first differ, in words: the path to the place, what was expected and what was
// found there.

import { isJsonObject, type Json } from "#core/model/json";
import { testValueCharsMax } from "#core/model/test-limits";

interface Place {
  readonly path: string;
  /** Maps may hold more than is expected of them. */
  readonly contains: boolean;
}

/** `result.orders[1].id: expected 3, found 4`; undefined where there is no difference. */
export function differenceOf(
  expected: Json,
  found: Json | undefined,
  place: Place,
): string | undefined {
  const { path } = place;
  if (found === undefined) return `${path}: expected ${shown(expected)}, found nothing`;
  if (Array.isArray(expected) && Array.isArray(found)) {
    return differenceOfLists(expected, found, place);
  }
  if (isJsonObject(expected) && isJsonObject(found)) {
    for (const [key, value] of Object.entries(expected)) {
      const own = Object.hasOwn(found, key) ? found[key] : undefined;
      const inner = differenceOf(value, own, { ...place, path: `${path}${keyText(key)}` });
      if (inner !== undefined) return inner;
    }
    const more = Object.keys(found).find((key) => !Object.hasOwn(expected, key));
    if (place.contains || more === undefined) return undefined;
    return `${path}${keyText(more)}: expected nothing, found ${shown(found[more] ?? null)}`;
  }
  if (expected === found) return undefined;
  return `${path}: expected ${shown(expected)}, found ${shown(found)}`;
}

function differenceOfLists(
  expected: readonly Json[],
  found: readonly Json[],
  place: Place,
): string | undefined {
  const { path } = place;
  for (const [index, value] of expected.entries()) {
    if (index >= found.length) break;
    const inner = differenceOf(value, found[index], { ...place, path: `${path}[${index}]` });
    if (inner !== undefined) return inner;
  }
  if (expected.length === found.length) return undefined;
  const items = (count: number): string => (count === 1 ? "1 item" : `${count} items`);
  return `${path}: expected ${items(expected.length)}, found ${items(found.length)}`;
}

function keyText(key: string): string {
  return /^[\p{L}_][\p{L}\p{N}_-]*$/u.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
}

/** A value in one line, cut where it is long. */
export function shown(value: Json): string {
  const text = JSON.stringify(value);
  return text.length > testValueCharsMax ? `${text.slice(0, testValueCharsMax)}…` : text;
}
