// Rewrites what is older in tool calls: tasks under their labels, `retry` and `eval`, second names
// of fields, `else` beside `then`.

import type { Json, JsonObject } from "#core/model/json";
import { isJsonObject } from "#core/model/json";
import { flowText, scalarText } from "./flow-text.ts";
import {
  afterColon,
  columnOf,
  commentsWithin,
  type Draft,
  endOf,
  endOfPair,
  insertAfter,
  isFlow,
  isWritten,
  itemsOf,
  type MapNode,
  ownMap,
  pairOf,
  removePair,
  renameKey,
  replacePair,
  startOf,
} from "./migrate-draft.ts";
import { lineStart } from "./migrate-edits.ts";
import { isGiven, mapAt } from "./older-context.ts";
import { labelOfTask } from "./older-forms.ts";
import { mayHavePolicy, readEvalRule, readRetry } from "./older-policy.ts";
import { secondNames } from "./second-names.ts";
import type { PairNode } from "./tree.ts";

interface Written {
  readonly node: MapNode;
  readonly value: JsonObject;
}

/** `{label: {kind: …}}` in a list of tools. */
export function migrateLabels(draft: Draft): void {
  for (const step of stepsOf(draft)) {
    const tool = pairOf(draft, step.node, "tool")?.value;
    for (const [node, value] of itemsOf(draft, tool, step.value.tool)) {
      const task = ownMap(draft, node);
      const label = isJsonObject(value) ? labelOfTask(value) : undefined;
      if (task !== undefined && label !== undefined) migrateLabel(draft, task, label);
    }
  }
}

function migrateLabel(draft: Draft, task: MapNode, label: string): void {
  const { edits, source } = draft;
  const [pair] = task.items;
  const inner = ownMap(draft, pair?.value);
  if (pair === undefined || inner === undefined || inner.anchor !== undefined) return;
  const from = startOf(pair.key);
  const name = `name: ${scalarText(label)}`;
  if (!isFlow(draft, inner)) {
    edits.replace(from, afterColon(draft, pair.key), name);
    const first = startOf(inner);
    edits.shift(
      lineAfter(source, from),
      endOf(draft, inner),
      columnOf(draft, from) - columnOf(draft, first),
    );
  } else if (isFlow(draft, task)) {
    const open = startOf(inner);
    const close = endOf(draft, inner);
    edits.replace(from, afterColon(draft, pair.key), `${name},`);
    edits.replace(open, open + 1, "");
    edits.replace(close - 1, close, "");
  } else {
    const open = startOf(inner);
    const colon = afterColon(draft, pair.key);
    const space = /^ */.exec(source.slice(colon, open))?.[0].length ?? 0;
    edits.replace(from, colon + space, "");
    edits.insert(open + 1, `${name}, `);
  }
  draft.note(from, `task ${scalarText(label)} gets its label as name`);
}

/** Where the line after an offset begins. */
function lineAfter(source: string, offset: number): number {
  const end = source.indexOf("\n", offset);
  return end === -1 ? source.length : end + 1;
}

/** Fields and rules of every tool call, those of the workbook too. */
export function migrateTools(draft: Draft): void {
  if (draft.only === undefined || draft.only === -1) migrateVersion(draft);
  for (const tool of toolsOf(draft)) {
    renameFields(draft, tool);
    if (!migrateRules(draft, tool)) migrateElse(draft, tool);
  }
}

function migrateVersion(draft: Draft): void {
  if (draft.value.apiVersion !== "noetl.io/v10") return;
  const value = pairOf(draft, draft.root, "apiVersion")?.value;
  if (!draft.kinds.isScalar(value)) return;
  draft.edits.replace(startOf(value), endOf(draft, value), "noetl.io/v2");
  draft.note(startOf(value), "apiVersion noetl.io/v10 becomes noetl.io/v2");
}

/** Steps that are rewritten now: none that is an alias or stands under a shared anchor. */
export function stepsOf(draft: Draft): readonly Written[] {
  const { only } = draft;
  return allStepsOf(draft).flatMap((steps, index) =>
    only === undefined || only === index ? steps : [],
  );
}

/** Each step by its place; nothing at the place of one that can't be changed. */
export function allStepsOf(draft: Draft): readonly (readonly Written[])[] {
  const workflow = pairOf(draft, draft.root, "workflow")?.value;
  return itemsOf(draft, workflow, draft.value.workflow).map(([node, value]) =>
    written(draft, node, value),
  );
}

function written(draft: Draft, node: unknown, value: Json | undefined): readonly Written[] {
  const map = ownMap(draft, node);
  return map !== undefined && value !== undefined && isJsonObject(value)
    ? [{ node: map, value }]
    : [];
}

function toolsOf(draft: Draft): readonly Written[] {
  const elsewhere = draft.only === undefined || draft.only === -1;
  const workbook = elsewhere ? pairOf(draft, draft.root, "workbook")?.value : undefined;
  const entries = itemsOf(draft, workbook, draft.value.workbook).flatMap(([node, value]) =>
    written(draft, node, value),
  );
  return [...entries, ...stepsOf(draft)].flatMap(({ node, value }) => {
    const tool = pairOf(draft, node, "tool")?.value;
    if (!Array.isArray(value.tool)) return written(draft, tool, value.tool);
    return itemsOf(draft, tool, value.tool).flatMap(([item, task]) => written(draft, item, task));
  });
}

function renameFields(draft: Draft, { node, value }: Written): void {
  for (const [from, to] of secondNames(value)) {
    const pair = pairOf(draft, node, from);
    if (pair === undefined) continue;
    renameKey(draft, pair, to);
    draft.note(startOf(pair.key), `${from} becomes ${to}`);
  }
}

/** `eval`, or else `retry`, becomes the tool's rules, where it has none. True if it did. */
function migrateRules(draft: Draft, tool: Written): boolean {
  const { value } = tool;
  if (!mayHavePolicy(value) || isGiven(mapAt(value, "spec") ?? {}, "policy")) return false;
  const rules = Array.isArray(value.eval) ? value.eval.map((item: Json) => readEvalRule(item)) : [];
  if (rules.length > 0) {
    const known = rules.filter((rule) => rule !== undefined);
    return known.length === rules.length && putRules(draft, tool, { key: "eval", rules: known });
  }
  const retry = mapAt(value, "retry");
  const read = retry === undefined ? undefined : readRetry(retry);
  return read !== undefined && putRules(draft, tool, { key: "retry", rules: [read.rule] });
}

interface OlderRules {
  readonly key: "eval" | "retry";
  readonly rules: readonly JsonObject[];
}

function putRules(draft: Draft, { node, value }: Written, { key, rules }: OlderRules): boolean {
  const pair = pairOf(draft, node, key);
  if (pair === undefined) return false;
  const spec = pairOf(draft, node, "spec");
  const policy = ["policy:", "  rules:", ...rules.flatMap(ruleLines)];
  const inline = `policy: ${flowText({ rules })}`;
  if (spec === undefined) {
    if (isGiven(value, "spec")) return false;
    const flow = isFlow(draft, node);
    const lines = flow ? [`spec: {${inline}}`] : ["spec:", ...policy.map((line) => `  ${line}`)];
    replacePair(draft, pair, lines);
  } else {
    const map = ownMap(draft, spec.value);
    const last = map?.items.at(-1);
    if (map === undefined || last === undefined) return false;
    const flow = isFlow(draft, map);
    insertAfter(draft, last, { lines: flow ? [inline] : policy, flow });
    removePair(draft, node, pair);
  }
  draft.note(startOf(pair.key), `${key} becomes spec: {policy: {rules: […]}}`);
  return true;
}

function ruleLines(rule: JsonObject): readonly string[] {
  const { when } = rule;
  const other = mapAt(rule, "else");
  if (other !== undefined) {
    return ["    - else:", `        then: ${flowText(other.then ?? {})}`];
  }
  const then = `then: ${flowText(rule.then ?? {})}`;
  return when === undefined
    ? [`    - ${then}`]
    : [`    - when: ${flowText(when)}`, `      ${then}`];
}

/** `else:` in front of `then:` takes it in. */
function migrateElse(draft: Draft, { node, value }: Written): void {
  const spec = ownMap(draft, pairOf(draft, node, "spec")?.value);
  const policy = spec && ownMap(draft, pairOf(draft, spec, "policy")?.value);
  const rules = policy && pairOf(draft, policy, "rules")?.value;
  const values = mapAt(mapAt(value, "spec") ?? {}, "policy")?.rules;
  for (const [item, rule] of itemsOf(draft, rules, values)) {
    const map = ownMap(draft, item);
    if (map === undefined || !isJsonObject(rule) || !standsBeside(rule)) continue;
    const [first, second] = map.items;
    if (first === undefined || second === undefined || map.items.length !== 2) continue;
    if (first !== pairOf(draft, map, "else") || second !== pairOf(draft, map, "then")) continue;
    takeIn(draft, { map, first, second });
  }
}

function standsBeside(rule: JsonObject): boolean {
  const other = rule.else;
  const empty = other === null || other === true || other === "";
  const emptyMap =
    mapAt(rule, "else") !== undefined && Object.keys(mapAt(rule, "else") ?? {}).length === 0;
  return (empty || emptyMap) && mapAt(rule, "then") !== undefined;
}

interface ElseRule {
  readonly map: MapNode;
  readonly first: PairNode;
  readonly second: PairNode;
}

function takeIn(draft: Draft, { map, first, second }: ElseRule): void {
  const { edits, source } = draft;
  const colon = afterColon(draft, first.key);
  const end = endOfPair(draft, second);
  const then = startOf(second.key);
  if (isFlow(draft, map)) {
    if (commentsWithin(draft, colon, then).length > 0) return;
    edits.replace(colon, then, " {");
    edits.insert(end, "}");
  } else {
    if (lineStart(source, then) <= startOf(first.key)) return;
    if (isWritten(draft, first.value)) edits.replace(colon, endOf(draft, first.value), "");
    edits.shift(then, end, 2);
  }
  draft.note(startOf(first.key), "else takes its then in");
}
