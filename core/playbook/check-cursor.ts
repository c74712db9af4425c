// What holds inside a loop across its keys: it goes through items or a cursor, a cursor has what
// its kind needs, and a claim that is written out really claims (language reference §4.8).

import type { Json, JsonObject } from "#core/model/json";
import { isJsonObject } from "#core/model/json";
import { standsAlone, withArticle } from "./check-policy.ts";
import { type Findings, quoted, type Trail } from "./problems.ts";
import { orList } from "./shape.ts";

/** What a cursor of each kind can't do without. */
const needs: ReadonlyMap<string, readonly string[]> = new Map([
  ["postgres", ["claim"]],
  ["duckdb", ["claim"]],
  ["nats", ["stream", "consumer"]],
]);

/** Reports a loop without anything to go through, and a cursor that can't be one. */
export function checkCursorLoop(step: JsonObject, trail: Trail, findings: Findings): void {
  const { loop } = step;
  if (loop === undefined || !isJsonObject(loop)) return;
  const at: Trail = { parent: trail, key: "loop" };
  warnOfLocal(loop, at, findings);
  const isCursor = modeOf(loop) === "cursor";
  if (!Object.hasOwn(loop, "cursor")) {
    if (isCursor) {
      const message = "loop has no 'cursor', which mode: cursor goes through; write where rows";
      findings.keyError(at, `${message} are claimed, or another mode`);
    } else if (!Object.hasOwn(loop, "in")) {
      findings.keyError(at, "loop has no 'in', expected a list or a template");
    }
    warnOfFrame(loop, at, findings);
    return;
  }
  if (Object.hasOwn(loop, "in")) {
    findings.keyError({ parent: at, key: "in" }, "loop has both 'in' and 'cursor', expected one");
  }
  if (!isCursor) sayMode(loop, at, findings);
  if (loop.iterator === "frame") {
    const message = "'iterator' is 'frame', which is the frame of the row, expected another name";
    findings.error({ parent: at, key: "iterator" }, message);
  }
  checkNeeds(loop.cursor, { parent: at, key: "cursor" }, findings);
  checkBody(step.tool, { parent: trail, key: "tool" }, findings);
}

function modeOf(loop: JsonObject): Json | undefined {
  return isJsonObject(loop.spec ?? null) ? (loop.spec as JsonObject).mode : undefined;
}

function sayMode(loop: JsonObject, at: Trail, findings: Findings): void {
  const mode = modeOf(loop);
  const wants = "a loop with a cursor needs spec: {mode: cursor}";
  if (mode === undefined) return findings.keyError(at, wants);
  const place: Trail = { parent: { parent: at, key: "spec" }, key: "mode" };
  findings.error(place, `${wants}, found ${typeof mode === "string" ? quoted(mode) : "another"}`);
}

/** Every iteration is a command of its own, which any worker may run. */
function warnOfLocal(loop: JsonObject, at: Trail, findings: Findings): void {
  const policy = isJsonObject(loop.spec ?? null) ? (loop.spec as JsonObject).policy : undefined;
  if (!isJsonObject(policy ?? null) || (policy as JsonObject).exec !== "local") return;
  const spec: Trail = { parent: at, key: "spec" };
  const message = "loop.spec.policy key 'exec' has no effect: iterations run on any worker";
  findings.warn({ parent: { parent: spec, key: "policy" }, key: "exec" }, message);
}

function warnOfFrame(loop: JsonObject, at: Trail, findings: Findings): void {
  const { spec } = loop;
  if (!isJsonObject(spec ?? null) || !Object.hasOwn(spec as JsonObject, "frame")) return;
  const place: Trail = { parent: { parent: at, key: "spec" }, key: "frame" };
  findings.warn(place, "loop.spec key 'frame' has no effect without a cursor");
}

function checkNeeds(cursor: Json | undefined, at: Trail, findings: Findings): void {
  if (cursor === undefined || !isJsonObject(cursor)) return;
  const { kind } = cursor;
  const missing = (needs.get(String(kind)) ?? []).filter((key) => isBlank(cursor[key]));
  if (missing.length > 0) {
    const fields = missing.map((key) => `'${key}'`);
    findings.keyError(at, `${String(kind)} cursor has no ${orList(fields)}, expected a text`);
  }
  if (typeof cursor.claim !== "string") return;
  const place: Trail = { parent: at, key: "claim" };
  if (kind === "nats") findings.warn(place, "loop.cursor key 'claim' has no effect for nats");
  if (kind === "postgres" || kind === "duckdb") {
    for (const warning of claimWarnings(cursor.claim, kind)) findings.warn(place, warning);
  }
}

function isBlank(value: Json | undefined): boolean {
  return value === undefined || value === null || value === "";
}

/** Nothing waits inside a frame, since its rows were claimed: such a call is a step of its own. */
function checkBody(tool: Json | undefined, at: Trail, findings: Findings): void {
  const tools: readonly Json[] = Array.isArray(tool) ? tool : tool === undefined ? [] : [tool];
  for (const [key, task] of tools.entries()) {
    const kind = isJsonObject(task) ? task.kind : undefined;
    if (typeof kind !== "string" || !standsAlone.has(kind)) continue;
    const place: Trail = Array.isArray(tool) ? { parent: at, key } : at;
    const message = `${withArticle(kind)} call can't be the body of a cursor loop; `;
    findings.error({ parent: place, key: "kind" }, `${message}loop over items instead`);
  }
}

/**
 * What can be seen to go wrong with a claim that is written out. Where the words themselves come
 * from a template, nothing can be said.
 */
function claimWarnings(claim: string, kind: "postgres" | "duckdb"): readonly string[] {
  const words = wordsOf(claim);
  if (words.length === 0) return [];
  const has = (...wanted: readonly string[]): boolean =>
    wanted.some((word) => words.includes(word));
  const warnings: string[] = [];
  const changes = has("UPDATE", "DELETE", "INSERT", "MERGE");
  // A function may do it, from where nobody sees.
  const calls = words[0] === "SELECT" && (!has("FROM") || /\bfrom\s+[\w.]+\s*\(/i.test(claim));
  if (!changes && !calls) {
    warnings.push("the claim changes nothing: the same rows are claimed again");
  }
  if (kind === "postgres" && changes && !words.join(" ").includes("SKIP LOCKED")) {
    warnings.push("the claim has no SKIP LOCKED: claims wait for each other or take rows twice");
  }
  if (changes && !has("RETURNING") && words[0] !== "SELECT" && words[0] !== "WITH") {
    warnings.push("the claim returns no rows: end it with RETURNING");
  }
  if (!claim.includes("__frame_key")) {
    warnings.push(
      "the claim does not read __frame_key: rows claimed by a worker that dies before they are " +
        "recorded stay claimed until your SQL takes them back",
    );
  }
  return warnings;
}

/** The words of SQL in upper case, without comments, texts and templates. */
function wordsOf(sql: string): readonly string[] {
  const bare = sql
    .replace(/\{\{[\s\S]*?\}\}|\{%[\s\S]*?%\}|\{#[\s\S]*?#\}/g, " ")
    .replace(/--[^\n]*|\/\*[\s\S]*?\*\/|'(?:[^']|'')*'|"[^"]*"/g, " ");
  return bare.toUpperCase().match(/[A-Z_]+/g) ?? [];
}
