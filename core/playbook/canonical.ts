// Brings a checked playbook to its one canonical form (document.ts): a tool becomes a list, both
// spellings of else become a rule without condition, second names of fields their first, single
// tags become lists, v10 becomes v2. Older forms are gone by then (older-forms.ts).

import type { Json, JsonObject } from "#core/model/json";
import { isJsonObject } from "#core/model/json";
import type { PlaybookDocument } from "./document.ts";
import { secondNames } from "./second-names.ts";

/** @param root a value in which the check found no error. */
export function canonicalPlaybook(whole: JsonObject): PlaybookDocument {
  const root = given(whole);
  const metadata = given(mapOf(root.metadata));
  const document = {
    ...root,
    ...inner(root, "executor", withSpec),
    apiVersion: "noetl.io/v2",
    metadata: { ...metadata, ...asList(metadata, "tags"), ...asList(metadata, "capabilities") },
    ...(Array.isArray(root.workbook) ? { workbook: root.workbook.map(workbookEntry) } : {}),
    workflow: listOf(root.workflow).map(step),
  };
  // The check has held every key of `root` against the shapes that document.ts spells as types.
  return document as unknown as PlaybookDocument;
}

function workbookEntry(entry: Json): JsonObject {
  const map = mapOf(entry);
  return { ...map, tool: tool(mapOf(map.tool)) };
}

function step(value: Json): JsonObject {
  const map = given(mapOf(value));
  const tools = Array.isArray(map.tool) ? map.tool : [map.tool ?? null];
  return {
    ...map,
    ...inner(map, "next", next),
    ...inner(map, "loop", withSpec),
    ...inner(map, "spec", stepSpec),
    tool: tools.map((item: Json) => tool(mapOf(item))),
  };
}

function stepSpec(map: JsonObject): JsonObject {
  return { ...given(map), ...inner(map, "policy", admission) };
}

function admission(map: JsonObject): JsonObject {
  return { ...given(map), ...inner(map, "admit", admit) };
}

function admit(map: JsonObject): JsonObject {
  return { ...given(map), rules: listOf(map.rules).map((value) => folded(mapOf(value))) };
}

function next(map: JsonObject): JsonObject {
  return { ...withSpec(map), arcs: listOf(map.arcs).map((arc: Json) => given(mapOf(arc))) };
}

function withSpec(map: JsonObject): JsonObject {
  return { ...given(map), ...inner(map, "spec", given) };
}

/** A tool's own fields stay as written: null may be a value there. */
function tool(map: JsonObject): JsonObject {
  const names = secondNames(map);
  const kept = Object.entries(map)
    .filter(([key, value]) => value !== null || !shared.has(key))
    .map(([key, value]) => [names.get(key) ?? key, value]);
  return { ...Object.fromEntries(kept), ...inner(map, "spec", toolSpec) };
}

/** Keys that every kind of tool has. */
const shared: ReadonlySet<string> = new Set([
  "name",
  "desc",
  "input",
  "args",
  "set",
  "spec",
  "output",
  "libs",
]);

function toolSpec(map: JsonObject): JsonObject {
  return { ...given(map), ...inner(map, "policy", policy) };
}

function policy(map: JsonObject): JsonObject {
  const rules = listOf(map.rules).map(rule);
  // Where every rule is asked, one for the rest says so, also when the form is written down.
  const marked = map.mode === "inclusive" ? rules.map(markedElse) : rules;
  return { ...given(map), rules: marked };
}

function rule(value: Json): JsonObject {
  const { then, ...rest } = folded(mapOf(value));
  // biome-ignore lint/suspicious/noThenProperty: the language calls the key so.
  return { ...rest, then: { do: "continue", ...mapOf(then) } };
}

function markedElse(rule: JsonObject): JsonObject {
  return Object.hasOwn(rule, "when") ? rule : { else: null, ...rule };
}

/** A rule with `else` in either spelling is one without a condition. */
function folded(map: JsonObject): JsonObject {
  const other = map.else;
  const body = other !== undefined && isJsonObject(other) ? mapOf(other.then) : {};
  const then = { ...given(body), ...given(mapOf(map.then)) };
  const { when } = given(map);
  return when === undefined ? { then } : { when, then };
}

/** The map without the keys that were written without a value: they count as absent. */
function given(map: JsonObject): JsonObject {
  const entries = Object.entries(map);
  const kept = entries.filter(([, value]) => value !== null);
  return kept.length === entries.length ? map : Object.fromEntries(kept);
}

/** The map under `key` brought to its form, if there is one. */
function inner(map: JsonObject, key: string, form: (value: JsonObject) => JsonObject): JsonObject {
  const value = map[key];
  return value !== undefined && isJsonObject(value) ? { [key]: form(value) } : {};
}

/** A single text under `key` as a list of one. */
function asList(map: JsonObject, key: string): JsonObject {
  const value = map[key];
  return typeof value === "string" ? { [key]: [value] } : {};
}

function mapOf(value: Json | undefined): JsonObject {
  return value !== undefined && isJsonObject(value) ? value : {};
}

function listOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : [];
}
