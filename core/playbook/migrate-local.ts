// Rewrites what only the command line of earlier versions ran: steps with `case`, and arcs whose
// condition is written in Rhai. What it can't put into the words of templates stays as it is.

import type { Json, JsonObject } from "#core/model/json";
import { isJsonObject } from "#core/model/json";
import { flowText, scalarText } from "./flow-text.ts";
import {
  type Draft,
  endOf,
  isFlow,
  itemsOf,
  type MapNode,
  ownMap,
  pairOf,
  plainScalar,
  renameKey,
  replacePair,
  startOf,
} from "./migrate-draft.ts";
import { stepsOf } from "./migrate-tools.ts";
import { isGiven, mapAt } from "./older-context.ts";
import { templateOfRhai } from "./rhai-condition.ts";
import { isTemplate } from "./template.ts";

export function migrateLocal(draft: Draft): void {
  for (const { node, value } of stepsOf(draft)) {
    migrateCase(draft, node, value);
    const next = pairOf(draft, node, "next")?.value;
    for (const [arc, written] of arcsOf(draft, next, value.next)) {
      const map = ownMap(draft, arc);
      if (map !== undefined && isJsonObject(written)) migrateCondition(draft, map, written);
    }
  }
}

/** The arcs of `next` in whichever form it is written. */
function arcsOf(
  draft: Draft,
  node: unknown,
  next: Json | undefined,
): readonly (readonly [node: unknown, value: Json])[] {
  if (Array.isArray(next)) return itemsOf(draft, node, next);
  const map = ownMap(draft, node);
  if (map === undefined || next === undefined || !isJsonObject(next)) return [];
  if (!Object.hasOwn(next, "arcs")) return [[map, next]];
  return itemsOf(draft, pairOf(draft, map, "arcs")?.value, next.arcs);
}

function migrateCondition(draft: Draft, arc: MapNode, value: JsonObject): void {
  const pair = pairOf(draft, arc, "cond");
  const scalar = pair && plainScalar(draft, pair.value);
  if (pair === undefined || scalar === undefined || Object.hasOwn(value, "when")) return;
  const when = conditionOf(value.cond);
  if (when === undefined) return;
  renameKey(draft, pair, "when");
  draft.edits.replace(startOf(scalar), endOf(draft, scalar), flowText(when));
  draft.note(startOf(pair.key), "cond becomes when");
}

/** A condition in the words of templates; a template is one already. */
function conditionOf(written: Json | undefined): string | boolean | undefined {
  if (typeof written === "boolean") return written;
  if (typeof written !== "string") return undefined;
  if (isTemplate(written)) return /^\s*\{\{[^{}]*\}\}\s*$/.test(written) ? written : undefined;
  const expression = templateOfRhai(written);
  return expression === undefined ? undefined : `{{ ${expression} }}`;
}

/** `case: [{when, then: {next}}, {else: {next}}]` becomes arcs, where each leads to one step. */
function migrateCase(draft: Draft, node: MapNode, value: JsonObject): void {
  const pair = pairOf(draft, node, "case");
  const items = value.case;
  if (pair === undefined || !Array.isArray(items) || isGiven(value, "next")) return;
  const arcs = items.map((item: Json) => arcOfCase(item));
  const known = arcs.filter((arc) => arc !== undefined);
  if (known.length === 0 || known.length < arcs.length || draft.kinds.isAlias(pair.value)) return;
  const lines = known.map((arc) => `    - ${flowText(arc)}`);
  replacePair(
    draft,
    pair,
    isFlow(draft, node) ? [`next: ${flowText({ arcs: known })}`] : ["next:", "  arcs:", ...lines],
  );
  draft.note(startOf(pair.key), `case becomes next: {arcs: [${known.map(stepOf).join(", ")}]}`);
}

function stepOf({ step }: JsonObject): string {
  return scalarText(String(step));
}

function arcOfCase(item: Json): JsonObject | undefined {
  if (!isJsonObject(item)) return undefined;
  const other = Object.hasOwn(item, "else");
  const keys = Object.keys(item);
  if (keys.length !== (other ? 1 : 2)) return undefined;
  const when = other ? undefined : conditionOf(item.when);
  if (!other && when === undefined) return undefined;
  const target = targetOf(other ? item.else : item.then);
  if (target === undefined) return undefined;
  const { step, ...rest } = target;
  return { step: step ?? null, ...(when === undefined ? {} : { when }), ...rest };
}

/** What follows is one `next` with one step, and values that are set on the way. */
function targetOf(then: Json | undefined): JsonObject | undefined {
  if (then === undefined) return undefined;
  const parts = Array.isArray(then) ? then : [then];
  let merged: JsonObject = {};
  for (const part of parts) {
    if (!isJsonObject(part)) return undefined;
    if (Object.keys(part).some((key) => Object.hasOwn(merged, key))) return undefined;
    merged = { ...merged, ...part };
  }
  const { next, set, ...others } = merged;
  if (Object.keys(others).length > 0 || next === undefined) return undefined;
  const only: Json | undefined = Array.isArray(next) && next.length === 1 ? next[0] : next;
  const sets = set === undefined ? {} : mapAt(merged, "set");
  if (only === undefined || sets === undefined) return undefined;
  if (typeof only === "string") return { step: only, ...(set === undefined ? {} : { set: sets }) };
  if (!isJsonObject(only) || typeof only.step !== "string") return undefined;
  const known = Object.keys(only).every((key) => ["step", "args", "input", "set"].includes(key));
  if (!known || (set !== undefined && Object.hasOwn(only, "set"))) return undefined;
  return { ...only, ...(set === undefined ? {} : { set: sets }) };
}
