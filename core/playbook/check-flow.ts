// What holds in a step across its keys where they say how the way goes on: rules of admission, names
// of events, and what a wait waits for.

import { emitsMax } from "#core/model/flow-limits";
import { isJsonObject, type Json, type JsonObject } from "#core/model/json";
import { type Findings, quoted, type Trail } from "./problems.ts";

export function checkFlow(step: JsonObject, trail: Trail, findings: Findings): void {
  checkAdmission(step, trail, findings);
  checkEmits(step, trail, findings);
  checkTimeout(step, trail, findings);
}

/** A timer's own time is the only one that it has. */
function checkTimeout({ tool, spec }: JsonObject, trail: Trail, findings: Findings): void {
  const call = Array.isArray(tool) ? tool[0] : tool;
  if (!isJsonObject(call) || call.kind !== "wait" || call.for !== "timer") return;
  if (!isJsonObject(spec) || !isGiven(spec, "timeout")) return;
  const at: Trail = { parent: { parent: trail, key: "spec" }, key: "timeout" };
  findings.warn(at, "step spec key 'timeout' has no effect; a timer ends when its time has come");
}

function checkAdmission(step: JsonObject, trail: Trail, findings: Findings): void {
  const admit = under(under(under(step, "spec"), "policy"), "admit");
  if (admit === undefined || !Array.isArray(admit.rules)) return;
  const policy: Trail = { parent: { parent: trail, key: "spec" }, key: "policy" };
  const list: Trail = { parent: { parent: policy, key: "admit" }, key: "rules" };
  let always = false;
  for (let key = 0; key < admit.rules.length; key++) {
    const rule: Json = admit.rules[key] ?? null;
    if (!isJsonObject(rule)) continue;
    const place: Trail = { parent: list, key };
    checkRule(rule, place, findings);
    if (always) findings.warn(place, "this rule never applies: one before it always does");
    always ||= rule.when === undefined || rule.when === true;
  }
}

function under(map: JsonObject | undefined, key: string): JsonObject | undefined {
  const value = map?.[key];
  return isJsonObject(value) ? value : undefined;
}

/** One condition at most, and one `then`: inside `else`, or beside it. */
function checkRule(rule: JsonObject, trail: Trail, findings: Findings): void {
  const inner =
    isJsonObject(rule.else) && Object.keys(rule.else).length > 0 ? rule.else : undefined;
  if (Object.hasOwn(rule, "else") && Object.hasOwn(rule, "when")) {
    const at: Trail = { parent: trail, key: "else" };
    findings.keyError(at, "rule has both 'when' and 'else', expected one");
  }
  const thens = [rule, inner].filter((map) => map !== undefined && Object.hasOwn(map, "then"));
  if (thens.length === 1) return;
  const found = thens.length === 0 ? "no 'then'" : "'then' inside and beside 'else'";
  findings.keyError(trail, `rule has ${found}, expected one that says allow: true or false`);
}

/** First parts of the names that the log's own events have. */
const ownEvents: ReadonlySet<string> = new Set([
  "playbook",
  "step",
  "command",
  "call",
  "loop",
  "cursor",
  "wait",
  "child",
  "vars",
  "request",
  "event",
]);

function checkEmits(step: JsonObject, trail: Trail, findings: Findings): void {
  const { emit } = step;
  if (emit === undefined) return;
  const at: Trail = { parent: trail, key: "emit" };
  if (!Array.isArray(emit)) return checkEmit(emit, at, findings);
  if (emit.length > emitsMax) {
    const message = `'emit' has ${emit.length} events, expected at most ${emitsMax}`;
    findings.keyError(at, message);
  }
  for (let key = 0; key < emit.length; key++) {
    checkEmit(emit[key] ?? null, { parent: at, key }, findings);
  }
}

function checkEmit(emit: Json, trail: Trail, findings: Findings): void {
  if (!isJsonObject(emit) || typeof emit.event !== "string") return;
  const [first = ""] = emit.event.split(".");
  if (!ownEvents.has(first)) return;
  const message = `'event' is ${quoted(emit.event)}: names that begin with ${first}. are the log's own`;
  findings.error({ parent: trail, key: "event" }, `${message}, expected another one`);
}

/** Which fields go with what is waited for. */
const fieldsOf: Readonly<Record<string, readonly string[]>> = {
  timer: ["seconds", "until"],
  callback: ["key", "timeout_s"],
  signal: ["key", "timeout_s"],
  approval: ["key", "timeout_s", "approvers"],
};

const allFields: readonly string[] = [...new Set(Object.values(fieldsOf).flat())];

export function checkWait(task: JsonObject, trail: Trail, findings: Findings): void {
  const kind = typeof task.for === "string" ? task.for : "";
  const own = fieldsOf[kind];
  if (own === undefined) return;
  for (const key of allFields) {
    if (own.includes(key) || !isGiven(task, key)) continue;
    const fields = own.map((name) => `'${name}'`).join(", ");
    const message = `a wait for a ${kind} has no '${key}', expected of ${fields}`;
    findings.keyError({ parent: trail, key }, message);
  }
  if (kind !== "timer") return;
  const times = own.filter((key) => isGiven(task, key)).length;
  if (times === 1) return;
  const found = times === 0 ? "neither 'seconds' nor 'until'" : "both 'seconds' and 'until'";
  findings.keyError(trail, `a wait for a timer has ${found}, expected one`);
}

/** Fields that say how a sub-playbook is waited for, where the step does not wait for it. */
export function checkChild(task: JsonObject, trail: Trail, findings: Findings): void {
  const givesResult = isGiven(task, "return_result") && task.return_result !== false;
  if (!givesResult && isGiven(task, "result_step")) {
    const message =
      "playbook tool key 'result_step' has no effect; it goes with return_result: true";
    findings.warn({ parent: trail, key: "result_step" }, message);
  }
  if (givesResult || isGiven(task, "return_step")) return;
  for (const key of ["timeout", "timeout_seconds"]) {
    if (!isGiven(task, key)) continue;
    const message = `playbook tool key '${key}' has no effect; the step doesn't wait for the end`;
    findings.warn({ parent: trail, key }, message);
  }
}

function isGiven(task: JsonObject, key: string): boolean {
  return task[key] !== undefined && task[key] !== null;
}
