// A state as text and back, so that a long log need not be folded from its first event. Data passes
// as JSON has it; what JSON can't say stands in an object of one key that begins with "$", and data
// with such a key is wrapped, so that nothing in it can pass for one of ours.

import type { ExecutionId } from "#core/model/ids";
import { isJsonObject, type Json } from "#core/model/json";
import type { ResultRef } from "#core/model/outcome";
import { type ExecutionState, initialState } from "./state.ts";
import { StoredValue } from "./variables.ts";

/** How the texts are written and read; one more whenever that changes. */
export const snapshotSchema = 3;

/** The state has more parts than a snapshot may have. */
class TooLarge extends Error {
  override readonly name = "TooLarge";
}

/**
 * The state as text: equal states of equal histories have equal texts.
 * @param partsMax values and containers that the state may have, so that a giant costs a look and
 *   no more; beyond it there is no text.
 */
export function encodeState(state: ExecutionState, partsMax: number): string | undefined {
  let parts = 0;
  const encode = (value: unknown): Json => {
    if (++parts > partsMax) throw new TooLarge();
    if (typeof value !== "object" || value === null) return value as Json;
    if (value instanceof StoredValue) return { $stored: encode(value.ref) };
    if (value instanceof Map) {
      return { $map: [...value].map(([key, part]) => [encode(key), encode(part)]) };
    }
    if (value instanceof Set) return { $set: [...value].map(encode) };
    if (Array.isArray(value)) return encodeList(value, encode);
    const fields = encodeFields(value, encode);
    if (Object.getPrototypeOf(value) === null) return { $bare: fields };
    return Object.keys(value).some((key) => key.startsWith("$")) ? { $data: fields } : fields;
  };
  try {
    return JSON.stringify(encodeFields(state, encode));
  } catch (thrown) {
    if (thrown instanceof TooLarge) return undefined;
    throw thrown;
  }
}

type Encode = (value: unknown) => Json;

/** Results of a loop have holes: iterations that are open, or failed. */
function encodeList(list: readonly unknown[], encode: Encode): Json {
  // The keys of a list are the places that are not holes.
  const places = Object.keys(list).map(Number);
  if (places.length === list.length) return list.map(encode);
  return { $sparse: [list.length, places.map((place) => [place, encode(list[place])])] };
}

function encodeFields(map: object, encode: Encode): { readonly [key: string]: Json } {
  const fields: [string, Json][] = [];
  for (const [key, value] of Object.entries(map)) {
    if (value !== undefined) fields.push([key, encode(value)]);
  }
  return Object.fromEntries(fields);
}

/**
 * The state that a text stands for; undefined for a text that isn't one of a state of this build.
 * Whether it is the right one is the caller's to check, by digest.
 */
export function decodeState(
  id: ExecutionId,
  genesis: string,
  text: string,
): ExecutionState | undefined {
  const empty = initialState(id, genesis);
  const fields = decoded(text);
  if (fields === undefined || fields.executionId !== id) return undefined;
  if (Object.keys(fields).some((key) => !Object.hasOwn(empty, key))) return undefined;
  // Written by `encodeState` from a value of this type; its caller holds it to its checksum.
  return { ...empty, ...fields } as ExecutionState;
}

function decoded(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value = JSON.parse(text) as Json;
    return isJsonObject(value)
      ? Object.fromEntries(Object.entries(decodeFields(value)))
      : undefined;
  } catch {
    return undefined;
  }
}

function decode(value: Json): unknown {
  if (Array.isArray(value)) return value.map(decode);
  if (!isJsonObject(value)) return value;
  const keys = Object.keys(value);
  const [key = ""] = keys;
  if (keys.length === 1 && key.startsWith("$")) return decodeTagged(key, value[key] ?? null);
  return decodeFields(value);
}

function decodeFields(value: Json): object {
  const map = isJsonObject(value) ? value : {};
  return Object.fromEntries(Object.entries(map).map(([key, part]) => [key, decode(part)]));
}

function decodeTagged(tag: string, value: Json): unknown {
  switch (tag) {
    case "$stored":
      return new StoredValue(decode(value) as ResultRef);
    case "$map":
      return new Map(decode(value) as [unknown, unknown][]);
    case "$set":
      return new Set(decode(value) as unknown[]);
    case "$bare":
      return bare(decodeFields(value));
    case "$data":
      return decodeFields(value);
    case "$sparse":
      return sparse(value as [number, [number, Json][]]);
    default:
      throw new Error(`expected a tag of a snapshot, found ${tag}`);
  }
}

function bare(fields: object): object {
  const map: object = Object.create(null);
  for (const [key, value] of Object.entries(fields)) {
    Object.defineProperty(map, key, {
      value,
      writable: true,
      enumerable: true,
      configurable: true,
    });
  }
  return map;
}

function sparse([length, entries]: readonly [number, readonly [number, Json][]]): unknown[] {
  const list: unknown[] = [];
  list.length = length;
  for (const [index, value] of entries) list[index] = decode(value);
  return list;
}
