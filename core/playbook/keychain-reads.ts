// What templates read of a keychain: which entries, and whether these have the fields.

import type { JsonObject } from "#core/model/json";
import type { ReadPath } from "./template.ts";

export const keychainRoot = "keychain";

/** The names of entries that are read; undefined for one that nobody can tell from the text. */
export function keychainNames(reads: readonly ReadPath[]): readonly (string | undefined)[] {
  const found = reads.filter(({ root }) => root === keychainRoot);
  return [...new Set(found.map(({ path: [name] }) => (name === undefined ? name : String(name))))];
}

/**
 * What is read and not there, as a message; undefined when all is there. An empty text in place of
 * a secret would only be told of by whoever refuses it.
 */
export function missingField(
  reads: readonly ReadPath[],
  entries: Readonly<Record<string, JsonObject>>,
): string | undefined {
  for (const { root, path } of reads) {
    if (root !== keychainRoot) continue;
    const [name, field] = path;
    const values = Object.hasOwn(entries, String(name)) ? entries[String(name)] : undefined;
    if (values === undefined || field === undefined || Object.hasOwn(values, field)) continue;
    const known = Object.keys(values);
    const has = known.length === 0 ? "none" : known.join(", ");
    return `keychain entry ${String(name)} has no field ${String(field)}, it has ${has}`;
  }
  return undefined;
}
