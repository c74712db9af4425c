// Proves that a rewritten playbook is the one it was: read again it means the same, and not one
// comment is lost.

import type { Json, JsonObject } from "#core/model/json";
import { isJsonObject } from "#core/model/json";
import { canonicalPlaybook } from "./canonical.ts";
import type { Draft } from "./migrate-draft.ts";
import { modernise } from "./older-forms.ts";
import { Findings } from "./problems.ts";

/** Whether both mean the same once their older forms are read. */
export function meansTheSame(before: Draft, after: Draft): boolean {
  return sameJson(meaningOf(before.value), meaningOf(after.value));
}

function meaningOf(written: JsonObject): Json {
  const { value } = modernise(written, new Findings());
  // A document is plain data: its type names the keys that a checked one has.
  return isJsonObject(value) ? (canonicalPlaybook(value) as unknown as Json) : null;
}

/** Whether every comment of one stands in the other, as often as it did. */
export function keepsComments(before: Draft, after: Draft): boolean {
  const count = new Map<string, number>();
  for (const text of commentTexts(after)) count.set(text, (count.get(text) ?? 0) + 1);
  for (const text of commentTexts(before)) {
    const left = count.get(text) ?? 0;
    if (left === 0) return false;
    count.set(text, left - 1);
  }
  return true;
}

function commentTexts({ comments, source }: Draft): readonly string[] {
  return comments.map(({ from, to }) => source.slice(from, to).trimEnd());
}

/** Keys in any order; a number is the same as itself alone. */
function sameJson(left: Json, right: Json): boolean {
  if (Array.isArray(left)) {
    return (
      Array.isArray(right) &&
      left.length === right.length &&
      left.every((item: Json, index) => sameJson(item, right[index] as Json))
    );
  }
  if (!isJsonObject(left)) return Object.is(left, right);
  if (!isJsonObject(right)) return false;
  const keys = Object.keys(left);
  return (
    keys.length === Object.keys(right).length &&
    keys.every(
      (key) => Object.hasOwn(right, key) && sameJson(left[key] as Json, right[key] as Json),
    )
  );
}
