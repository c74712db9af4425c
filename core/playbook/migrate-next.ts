// Rewrites what is older in steps: `args`, every older form of `next`, `next_mode`, and values that
// arcs hand over.

import type { Json, JsonObject } from "#core/model/json";
import { isJsonObject } from "#core/model/json";
import { flowText, scalarText } from "./flow-text.ts";
import {
  columnOf,
  type Draft,
  endOf,
  insertFirst,
  isFlow,
  type MapNode,
  ownList,
  ownMap,
  pairOf,
  plainScalar,
  removePair,
  renameKey,
  startOf,
} from "./migrate-draft.ts";
import { lineEnd } from "./migrate-edits.ts";
import { stepsOf } from "./migrate-tools.ts";
import { isGiven, mapAt } from "./older-context.ts";
import { isArc, isName, takesAll } from "./older-next.ts";
import type { PairNode } from "./tree.ts";

interface StepDraft {
  readonly draft: Draft;
  readonly node: MapNode;
  readonly value: JsonObject;
  /** The mode that `spec.next_mode` gives. */
  readonly mode: string | undefined;
}

export function migrateSteps(draft: Draft): void {
  for (const { node, value } of stepsOf(draft)) {
    const given = mapAt(value, "spec")?.next_mode;
    const mode = typeof given === "string" ? given : undefined;
    migrateArgs(draft, node, value);
    migrateRouter({ draft, node, value, mode });
  }
}

function migrateArgs(draft: Draft, node: MapNode, value: JsonObject): void {
  const pair = pairOf(draft, node, "args");
  if (pair === undefined || mapAt(value, "args") === undefined || Object.hasOwn(value, "input"))
    return;
  renameKey(draft, pair, "input");
  draft.note(startOf(pair.key), "args becomes input");
}

function migrateRouter(step: StepDraft): void {
  const { draft, node, value, mode } = step;
  const pair = pairOf(draft, node, "next");
  const { next } = value;
  const absent = next === undefined || next === null;
  if (!absent && (pair === undefined || !rewritten(step, pair, next))) return;
  if (mode !== undefined) removeMode(step);
}

/** Brings `next` to its form; false where it has another one than those that are known. */
function rewritten(step: StepDraft, pair: PairNode, next: Json): boolean {
  if (typeof next === "string") return ofName(step, pair, next);
  if (Array.isArray(next)) return ofList(step, pair, next);
  if (!isJsonObject(next)) return false;
  return Object.hasOwn(next, "arcs") ? ofRouter(step, pair, next) : ofMap(step, pair, next);
}

function specText(mode: string | undefined): string {
  return mode === undefined ? "" : `spec: ${flowText({ mode })}, `;
}

function ofName({ draft, mode }: StepDraft, pair: PairNode, name: string): boolean {
  const scalar = plainScalar(draft, pair.value);
  if (scalar === undefined || name.trim() === "") return false;
  const text = `{${specText(mode)}arcs: [{step: ${scalarText(name)}}]}`;
  draft.edits.replace(startOf(scalar), endOf(draft, scalar), text);
  draft.note(startOf(pair.key), "next as text becomes next: {arcs: […]}");
  return true;
}

function ofList({ draft, mode }: StepDraft, pair: PairNode, next: readonly Json[]): boolean {
  const { edits, kinds } = draft;
  const list = ownList(draft, pair.value);
  if (list === undefined || list.anchor !== undefined) return false;
  const known = next.every((item) => isName(item) || (isJsonObject(item) && isArc(item)));
  const anchored = list.items.some((item) => kinds.isScalar(item) && item.anchor !== undefined);
  if (!known || anchored) return false;
  const flow = isFlow(draft, list);
  for (const item of list.items) {
    if (kinds.isMap(item)) continue;
    edits.insert(startOf(item), flow ? "{step: " : "step: ");
    if (flow) edits.insert(endOf(draft, item), "}");
  }
  const chosen = mode ?? (takesAll(next) ? "inclusive" : undefined);
  if (flow) {
    edits.insert(startOf(list), `{${specText(chosen)}arcs: `);
    edits.insert(endOf(draft, list), "}");
  } else {
    const unit =
      Math.max(columnOf(draft, startOf(list)) - columnOf(draft, startOf(pair.key)), 0) || 2;
    indentUnder(draft, pair, { unit, columns: unit, mode: chosen });
  }
  draft.note(startOf(pair.key), "next as a list becomes next: {arcs: […]}");
  return true;
}

interface Indentation {
  readonly unit: number;
  readonly columns: number;
  readonly mode: string | undefined;
}

/** Puts `arcs:` on a line of its own under `next:`, and what stood there further in. */
function indentUnder(draft: Draft, pair: PairNode, { unit, columns, mode }: Indentation): void {
  const { edits, eol, source } = draft;
  const from = lineEnd(source, startOf(pair.key));
  const indent = " ".repeat(columnOf(draft, startOf(pair.key)) + unit);
  const spec = mode === undefined ? "" : `${eol}${indent}spec: ${flowText({ mode })}`;
  edits.insert(from, `${spec}${eol}${indent}arcs:`);
  edits.shift(from + eol.length, endOf(draft, pair.value), columns);
}

function ofMap({ draft, mode }: StepDraft, pair: PairNode, next: JsonObject): boolean {
  const { edits, eol, source } = draft;
  const map = ownMap(draft, pair.value);
  if (map === undefined || map.anchor !== undefined || !isArc(next)) return false;
  if (isFlow(draft, map)) {
    edits.insert(startOf(map), `{${specText(mode)}arcs: [`);
    edits.insert(endOf(draft, map), "]}");
  } else {
    const first = startOf(map.items[0]?.key);
    const unit = columnOf(draft, first) - columnOf(draft, startOf(pair.key));
    indentUnder(draft, pair, { unit, columns: unit + 2, mode });
    // The dash takes the last two columns of the first line; what is said above it stands over it.
    edits.shift(lineEnd(source, startOf(pair.key)) + eol.length, first, -2);
    edits.insert(first, "- ");
  }
  draft.note(startOf(pair.key), "next as one arc becomes next: {arcs: […]}");
  return true;
}

function ofRouter({ draft, mode }: StepDraft, pair: PairNode, next: JsonObject): boolean {
  const map = ownMap(draft, pair.value);
  if (map === undefined) return false;
  const spec = mapAt(next, "spec");
  const specPair = pairOf(draft, map, "spec");
  const specMap = specPair === undefined ? undefined : ownMap(draft, specPair.value);
  const older = specMap && pairOf(draft, specMap, "next_mode");
  const given = spec !== undefined && isGiven(spec, "mode") ? spec.mode : undefined;
  if (older !== undefined && specMap !== undefined) {
    if (given === undefined) renameKey(draft, older, "mode");
    else if (given === spec?.next_mode) removePair(draft, specMap, older);
    else return false;
    draft.note(startOf(older.key), "next_mode becomes mode");
  }
  const has = given ?? spec?.next_mode;
  if (mode === undefined || has === mode) return true;
  if (has !== undefined) return false;
  if (isGiven(next, "spec")) {
    if (specMap === undefined) return false;
    insertFirst(draft, specMap, `mode: ${mode}`);
  } else if (specPair !== undefined) return false;
  else insertFirst(draft, map, `spec: ${flowText({ mode })}`);
  return true;
}

function removeMode({ draft, node, value }: StepDraft): void {
  const spec = pairOf(draft, node, "spec");
  const map = spec === undefined ? undefined : ownMap(draft, spec.value);
  const pair = map && pairOf(draft, map, "next_mode");
  if (spec === undefined || map === undefined || pair === undefined) return;
  if (Object.keys(mapAt(value, "spec") ?? {}).length === 1) removePair(draft, node, spec);
  else removePair(draft, map, pair);
  draft.note(startOf(pair.key), "next_mode becomes next.spec.mode");
}
