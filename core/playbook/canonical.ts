// Brings a checked playbook to its one canonical form (document.ts): a tool becomes a list, both
// spellings of else become a rule without condition, single tags become lists, v10 becomes v2.

import type { Json, JsonObject } from "#core/model/json";
import { isJsonObject } from "#core/model/json";
import type { PlaybookDocument } from "./document.ts";

/** @param root a value in which the check found no error. */
export function canonicalPlaybook(root: JsonObject): PlaybookDocument {
  const metadata = mapOf(root.metadata);
  const document = {
    ...root,
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
  const map = mapOf(value);
  const tools = Array.isArray(map.tool) ? map.tool : [map.tool ?? null];
  return { ...map, tool: tools.map((item: Json) => tool(mapOf(item))) };
}

function tool(map: JsonObject): JsonObject {
  const { spec } = map;
  if (spec === undefined || !isJsonObject(spec)) return map;
  const { policy } = spec;
  if (policy === undefined || !isJsonObject(policy)) return map;
  return {
    ...map,
    spec: { ...spec, policy: { ...policy, rules: listOf(policy.rules).map(rule) } },
  };
}

function rule(value: Json): JsonObject {
  const map = mapOf(value);
  const inner = map.else;
  const body = inner !== undefined && isJsonObject(inner) ? mapOf(inner.then) : {};
  const then = { do: "continue", ...body, ...mapOf(map.then) };
  return map.when === undefined ? { then } : { when: map.when, then };
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
