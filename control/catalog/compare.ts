// What has changed between two versions of a path: as lines, and by the parts of the document.

import { canonicalJson } from "#core/model/canonical-json";
import { diffCharsMax } from "#core/model/catalog-limits";
import { isJsonObject, type Json, type JsonObject } from "#core/model/json";
import { parsePlaybook } from "#core/playbook/parse";
import { lineDiff } from "./line-diff.ts";

export interface Changes {
  readonly added: string[];
  readonly removed: string[];
  readonly changed: string[];
}

export interface Comparison {
  readonly same: boolean;
  readonly lines_added: number;
  readonly lines_removed: number;
  readonly text: string;
  readonly note?: string;
  /** By name; empty for documents that have none. */
  readonly steps: Changes;
  readonly workload: Changes;
  /** Other keys at the root. */
  readonly parts: Changes;
}

/** Of two texts; parts are told for playbooks, compared in their canonical form. */
export function compare(from: string, to: string): Comparison {
  const lines = lineDiff(from, to);
  const [before, after] = [documentOf(from), documentOf(to)];
  const text = lines.text.slice(0, diffCharsMax).toWellFormed();
  const note =
    text.length < lines.text.length
      ? "the text has been cut"
      : lines.isCoarse
        ? "too much has changed for the shortest comparison"
        : undefined;
  return {
    same: from === to,
    lines_added: lines.added,
    lines_removed: lines.removed,
    text,
    ...(note === undefined ? {} : { note }),
    steps: changesIn(stepsOf(before), stepsOf(after)),
    workload: changesIn(mapOf(before["workload"]), mapOf(after["workload"])),
    parts: changesIn(restOf(before), restOf(after)),
  };
}

function documentOf(content: string): JsonObject {
  const parsed = parsePlaybook(content);
  // A document is data; its type says which.
  return parsed.ok ? (parsed.document as unknown as JsonObject) : {};
}

function stepsOf({ workflow }: JsonObject): JsonObject {
  if (!Array.isArray(workflow)) return {};
  const steps = workflow.filter((step: Json) => isJsonObject(step));
  return Object.fromEntries(steps.map((step) => [String(step["step"]), step]));
}

function restOf({ workflow: _workflow, workload: _workload, ...rest }: JsonObject): JsonObject {
  return rest;
}

function mapOf(value: Json | undefined): JsonObject {
  return value !== undefined && isJsonObject(value) ? value : {};
}

function changesIn(from: JsonObject, to: JsonObject): Changes {
  const isIn = (map: JsonObject, key: string): boolean => Object.hasOwn(map, key);
  const text = (value: Json | undefined): string => canonicalJson(value ?? null);
  return {
    added: Object.keys(to).filter((key) => !isIn(from, key)),
    removed: Object.keys(from).filter((key) => !isIn(to, key)),
    changed: Object.keys(to).filter((key) => isIn(from, key) && text(from[key]) !== text(to[key])),
  };
}
