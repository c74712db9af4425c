// What the rewriting of older forms shares: where warnings and moves go, how a form is told of, and
// small ways to look into maps.

import type { Json, JsonObject } from "#core/model/json";
import { isJsonObject } from "#core/model/json";
import type { MovedPaths } from "./moved-paths.ts";
import type { Findings, Trail } from "./problems.ts";

export interface OlderContext {
  /** Findings about the document as it was written. */
  readonly findings: Findings;
  readonly moved: MovedPaths;
  /** By target step: the names that arcs hand over, with the place where each is written. */
  readonly handedOver: Map<string, Map<string, Trail>>;
}

/** A part of the document: where it is written, and where it stands once rewritten. */
export interface Place {
  readonly was: Trail;
  readonly now: Trail;
}

/** How the warning of each rewritten form ends; `noetl migrate` looks for it. */
export const migrateHint = "`noetl migrate` rewrites it";

/** Says once, at the form's key, what it is read as. */
export function warnOlder(
  { findings }: OlderContext,
  at: Trail,
  form: { readonly found: string; readonly readAs: string },
): void {
  findings.warn(at, `${form.found} is an older form, read as ${form.readAs}; ${migrateHint}`);
}

export function at(
  parent: Trail | undefined,
  ...keys: readonly [string | number, ...(string | number)[]]
): Trail {
  const [first, ...rest] = keys;
  let trail: Trail = { parent, key: first };
  for (const key of rest) trail = { parent: trail, key };
  return trail;
}

/** The same part under another key, in both documents. */
export function inside(
  place: Place,
  ...keys: readonly [string | number, ...(string | number)[]]
): Place {
  return { was: at(place.was, ...keys), now: at(place.now, ...keys) };
}

/** The map with one key under another name, in its place. */
export function renamed(map: JsonObject, from: string, to: string): JsonObject {
  return Object.fromEntries(
    Object.entries(map).map(([key, value]) => [key === from ? to : key, value]),
  );
}

export function without(map: JsonObject, key: string): JsonObject {
  return Object.fromEntries(Object.entries(map).filter(([name]) => name !== key));
}

/** Whether a key is there with a value. */
export function isGiven(map: JsonObject, key: string): boolean {
  return Object.hasOwn(map, key) && map[key] !== null;
}

export function mapAt(map: JsonObject, key: string): JsonObject | undefined {
  const value: Json | undefined = Object.hasOwn(map, key) ? map[key] : undefined;
  return value !== undefined && isJsonObject(value) ? value : undefined;
}
