// Checks one tool call: its kind is known here, its fields are those of the kind, and what the
// kind can't do without is there.

import type { Json, JsonObject } from "#core/model/json";
import { isJsonObject } from "#core/model/json";
import type { ShapeChecker } from "./check-shape.ts";
import { kindOf, quoted, type Trail } from "./problems.ts";
import { orList } from "./shape.ts";
import { neededFields, olderKinds, toolKinds, unsupportedKinds } from "./tool-fields.ts";
import { refusedKinds } from "./tool-kinds-run.ts";

/** Kinds whose fields never reach a worker: what the engine fills stands in the log. */
export const filledByEngine: ReadonlySet<string> = new Set(["playbook", "wait", "agent"]);

export function checkToolFields(
  tool: JsonObject,
  trail: Trail | undefined,
  checker: ShapeChecker,
): void {
  const { findings } = checker;
  const { kind } = tool;
  if (kind === undefined) return findings.keyError(trail, missingKind(tool));
  const at: Trail = { parent: trail, key: "kind" };
  if (typeof kind !== "string") {
    return findings.error(at, `'kind' is ${kindOf(kind)}, expected the name of a tool kind`);
  }
  const record = toolKinds.get(kind);
  if (record === undefined) {
    const hint = findings.hint(kind, [...toolKinds.keys()]);
    return findings.error(at, unknownKind(kind, hint));
  }
  checker.withSecrets(!filledByEngine.has(kind), () => checker.record(tool, record, trail));
  for (const names of neededFields(kind)) {
    if (names.some((name) => isGiven(tool, name))) continue;
    const fields = orList(names.map((name) => `'${name}'`));
    findings.keyError(trail, `${kind} tool has no ${fields}, expected one`);
  }
}

/** A map without a kind; `{label: {kind: …}}` is how tasks were once labelled. */
function missingKind(tool: JsonObject): string {
  const entries = Object.entries(tool);
  const [first] = entries;
  if (first !== undefined && entries.length === 1) {
    const [label, inner] = first;
    if (isJsonObject(inner) && Object.hasOwn(inner, "kind")) {
      return `a task under its label is an older form; write {name: ${label}, kind: …}`;
    }
  }
  return "tool has no 'kind', expected the name of a tool kind";
}

function unknownKind(kind: string, hint: string): string {
  const instead = refusedKinds.get(kind);
  if (instead !== undefined) return `tool kind '${kind}' is not supported; use ${instead}`;
  const older = olderKinds.get(kind);
  if (older !== undefined) return `tool kind '${kind}' is an older form; use ${older}`;
  if (unsupportedKinds.has(kind)) return `tool kind '${kind}' is not supported by this version`;
  const known = [...toolKinds.keys()].join(", ");
  return `unknown tool kind ${quoted(kind)}${hint === "" ? `, expected one of ${known}` : hint}`;
}

/** A name with a dot is a field inside another one. */
function isGiven(tool: JsonObject, name: string): boolean {
  let at: Json | undefined = tool;
  for (const key of name.split(".")) {
    at = isJsonObject(at) && Object.hasOwn(at, key) ? at[key] : undefined;
  }
  return at !== undefined && at !== null && at !== "";
}
