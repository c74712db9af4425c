// Rewrites values that arcs hand over to the step they lead to: they are set, and input of it. Runs
// when every `next` has its form.

import type { JsonObject } from "#core/model/json";
import { isJsonObject } from "#core/model/json";
import { flowText, scalarText } from "./flow-text.ts";
import {
  type Draft,
  insertAfter,
  insertFirst,
  isFlow,
  itemsOf,
  type MapNode,
  ownMap,
  pairOf,
  removePair,
  renameKey,
  startOf,
} from "./migrate-draft.ts";
import { allStepsOf, stepsOf } from "./migrate-tools.ts";
import { mapAt } from "./older-context.ts";
import { handedOverAs } from "./older-forms.ts";
import { isHandedOver } from "./older-next.ts";
import type { PairNode } from "./tree.ts";

export function migrateHandedOver(draft: Draft): void {
  const handedOver = new Map<string, Set<string>>();
  for (const { node, value } of stepsOf(draft)) {
    const next = ownMap(draft, pairOf(draft, node, "next")?.value);
    const arcs = next && pairOf(draft, next, "arcs")?.value;
    for (const [arc, written] of itemsOf(draft, arcs, mapAt(value, "next")?.arcs)) {
      if (isJsonObject(written)) migrateArc(draft, { arc, value: written, handedOver });
    }
  }
  if (handedOver.size === 0) return;
  for (const { node, value } of allStepsOf(draft).flat()) {
    const names = typeof value.step === "string" ? handedOver.get(value.step) : undefined;
    if (names !== undefined) addInputs(draft, { node, value, names });
  }
}

interface ArcDraft {
  readonly arc: unknown;
  readonly value: JsonObject;
  readonly handedOver: Map<string, Set<string>>;
}

function migrateArc(draft: Draft, { arc, value, handedOver }: ArcDraft): void {
  const map = ownMap(draft, arc);
  const keys = ["args", "input"].filter((key) => mapAt(value, key) !== undefined);
  const [key] = keys;
  if (map === undefined || key === undefined || keys.length > 1) return;
  const pair = pairOf(draft, map, key);
  const values = mapAt(value, key) ?? {};
  if (pair === undefined) return;
  if (Object.hasOwn(value, "set") && !mergeIntoSet(draft, map, { pair, values })) return;
  if (!Object.hasOwn(value, "set")) renameKey(draft, pair, "set");
  draft.note(startOf(pair.key), `${key} becomes set, and input of the step it leads to`);
  if (typeof value.step !== "string") return;
  const names = handedOver.get(value.step) ?? new Set<string>();
  handedOver.set(value.step, names);
  for (const name of Object.keys(values)) {
    if (isHandedOver(name)) names.add(name);
  }
}

/** The values that are handed over go in front of those that are set. */
function mergeIntoSet(
  draft: Draft,
  arc: MapNode,
  { pair, values }: { readonly pair: PairNode; readonly values: JsonObject },
): boolean {
  const set = ownMap(draft, pairOf(draft, arc, "set")?.value);
  const args = ownMap(draft, pair.value);
  if (set === undefined || args === undefined || args.anchor !== undefined) return false;
  insertAllFirst(draft, set, values);
  removePair(draft, arc, pair);
  return true;
}

function insertAllFirst(draft: Draft, map: MapNode, values: JsonObject): void {
  const entries = Object.entries(values).map(
    ([key, value]) => `${scalarText(key)}: ${flowText(value)}`,
  );
  if (entries.length === 0) return;
  if (isFlow(draft, map)) return insertFirst(draft, map, entries.join(", "));
  // What is put in at one place keeps its order.
  for (const entry of entries) insertFirst(draft, map, entry);
}

interface Inputs {
  readonly node: MapNode;
  readonly value: JsonObject;
  readonly names: ReadonlySet<string>;
}

function addInputs(draft: Draft, { node, value, names }: Inputs): void {
  const own = mapAt(value, "input") ?? mapAt(value, "args");
  const added = [...names].filter((name) => own === undefined || !Object.hasOwn(own, name));
  const values = Object.fromEntries(added.map((name) => [name, handedOverAs(name)]));
  if (added.length === 0) return;
  const pair = pairOf(draft, node, "input") ?? pairOf(draft, node, "args");
  const step = pairOf(draft, node, "step");
  if (pair === undefined) {
    if (step === undefined) return;
    const lines = [`input: ${flowText(values)}`];
    return insertAfter(draft, step, { lines, flow: isFlow(draft, node) });
  }
  const map = ownMap(draft, pair.value);
  if (map !== undefined) insertAllFirst(draft, map, values);
}
