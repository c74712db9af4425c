// What a loop over a value goes through (language reference §1.6): lists, maps, texts and counts.

import { isJsonObject, type Json, type JsonObject } from "#core/model/json";
import { loopItemsMax } from "#core/model/limits";
import { failure, Unusable } from "./failures.ts";

/**
 * The items of a loop, in order: a list is itself; a map gives `{key, value}` for each of its keys; a
 * text is a JSON list, or parts between commas and line ends; a whole number n counts from 0 to n-1;
 * null and undefined give none.
 * @throws Unusable for anything else (`not_a_list`), and for more than `loopItemsMax`.
 */
export function loopItems(value: unknown): readonly Json[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return bounded(value as readonly Json[]);
  if (typeof value === "string") return bounded(textItems(value.trim()));
  if (typeof value === "number") return counted(value);
  if (isJsonObject(value)) return bounded(mapItems(value));
  throw notItems(typeof value === "boolean" ? String(value) : `a ${typeof value}`);
}

function mapItems(map: JsonObject): readonly Json[] {
  return Object.entries(map).map(([key, value]) => ({ key, value }));
}

function textItems(text: string): readonly Json[] {
  if (text === "") return [];
  const list = text.startsWith("[") ? listOf(text) : undefined;
  if (list !== undefined) return list;
  return text
    .split(/[,\n]/)
    .map((part) => part.trim())
    .filter((part) => part !== "");
}

function listOf(text: string): readonly Json[] | undefined {
  try {
    const value = JSON.parse(text) as Json;
    return Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function counted(count: number): readonly Json[] {
  if (!Number.isInteger(count) || count < 0) throw notItems(`the number ${count}`);
  if (count > loopItemsMax) throw tooMany(count);
  return Array.from({ length: count }, (_, index) => index);
}

function bounded(items: readonly Json[]): readonly Json[] {
  if (items.length > loopItemsMax) throw tooMany(items.length);
  return items;
}

function notItems(found: string): Unusable {
  const expected = "expected a list, a map, a text or a whole number from 0";
  return new Unusable(failure("loop", `loop.in is ${found}, ${expected}`, "not_a_list"));
}

function tooMany(count: number): Unusable {
  const message = `loop.in has ${count} items, expected at most ${loopItemsMax}`;
  return new Unusable(failure("loop", message));
}
