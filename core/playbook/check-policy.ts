// What holds inside a tool's policy across its keys: each rule says what to do, jumps name a task
// of the pipeline, and no rule stands behind one that always applies.

import type { Json, JsonObject } from "#core/model/json";
import { isJsonObject } from "#core/model/json";
import { checkChild, checkWait } from "./check-flow.ts";
import { type Findings, kindOf, quoted, type Trail } from "./problems.ts";
import { toolKinds } from "./tool-fields.ts";

/** Ways to say "the task before this one" (language reference §1.5). */
const previousTask: ReadonlySet<string> = new Set(["previous", "prev", "_previous", "@previous"]);

/**
 * Kinds whose call is the only one of its step: none of them holds a worker while it lasts. A kind
 * without a tool is refused as such, and needs no second complaint.
 */
export const standsAlone: ReadonlySet<string> = new Set(
  ["playbook", "wait", "agent", "container"].filter((kind) => toolKinds.has(kind)),
);

export interface PolicyContext {
  readonly labels: readonly string[];
  readonly kind: Json | undefined;
  readonly findings: Findings;
}

export function checkPolicy(task: JsonObject, trail: Trail, context: PolicyContext): void {
  if (task.kind === "wait") checkWait(task, trail, context.findings);
  if (task.kind === "playbook") checkChild(task, trail, context.findings);
  const spec = task.spec ?? null;
  if (!isJsonObject(spec) || spec.policy === undefined) return;
  const at: Trail = { parent: { parent: trail, key: "spec" }, key: "policy" };
  const { kind } = context;
  if (typeof kind === "string" && standsAlone.has(kind)) {
    const message =
      `a policy on ${withArticle(kind)} call is not supported by this version; use an arc with ` +
      "when: \"{{ event.name == 'call.error' }}\"";
    return context.findings.keyError(at, message);
  }
  const { policy } = spec;
  if (!isJsonObject(policy) || !Array.isArray(policy.rules)) return;
  const list: Trail = { parent: at, key: "rules" };
  const isInclusive = policy.mode === "inclusive";
  let always = false;
  for (let key = 0; key < policy.rules.length; key++) {
    const rule: Json = policy.rules[key] ?? null;
    if (!isJsonObject(rule)) continue;
    const place: Trail = { parent: list, key };
    checkRule(rule, place, context);
    if (isInclusive) {
      checkInclusive(rule, place, context.findings);
      continue;
    }
    if (always) {
      context.findings.warn(place, "this rule never applies: one before it always does");
    }
    always ||= rule.when === undefined || rule.when === true;
  }
}

/** Where all rules are tried, one without a condition would not say whether it is the last resort. */
function checkInclusive(rule: JsonObject, trail: Trail, findings: Findings): void {
  if (Object.hasOwn(rule, "when") || Object.hasOwn(rule, "else")) return;
  const wanted = "expected 'when' (true for always) or 'else' (for when no other did)";
  findings.keyError(trail, `rule of mode inclusive has neither, ${wanted}`);
}

/** `a playbook`, `an agent`. */
export function withArticle(kind: string): string {
  return `${/^[aeiou]/.test(kind) ? "an" : "a"} ${kind}`;
}

function checkRule(rule: JsonObject, trail: Trail, context: PolicyContext): void {
  const { findings } = context;
  if (Object.hasOwn(rule, "else") && Object.hasOwn(rule, "when")) {
    findings.keyError(
      { parent: trail, key: "else" },
      "rule has both 'when' and 'else', expected one",
    );
  }
  const inner = rule.else ?? null;
  if (isJsonObject(inner) && Object.keys(inner).length > 0) {
    return checkElse(inner, rule, { trail, context });
  }
  if (inner !== null && inner !== true && inner !== "" && !isJsonObject(inner)) {
    const message = `'else' is ${kindOf(inner)}, expected a map with 'then', or nothing`;
    findings.error({ parent: trail, key: "else" }, message);
  }
  if (!Object.hasOwn(rule, "then")) {
    return findings.keyError(trail, "rule has no 'then', expected a map");
  }
  return checkThen(rule.then, { parent: trail, key: "then" }, context);
}

interface ElsePlace {
  readonly trail: Trail;
  readonly context: PolicyContext;
}

/** `else: {then: …}`, the spelling that carries its own `then`. */
function checkElse(inner: JsonObject, rule: JsonObject, { trail, context }: ElsePlace): void {
  const { findings } = context;
  const at: Trail = { parent: trail, key: "else" };
  if (Object.hasOwn(rule, "then")) {
    findings.keyError(
      { parent: trail, key: "then" },
      "rule has 'then' inside and beside 'else', expected one",
    );
  }
  if (!Object.hasOwn(inner, "then")) {
    return findings.keyError(at, "else has no 'then', expected a map");
  }
  return checkThen(inner.then, { parent: at, key: "then" }, context);
}

function checkThen(
  then: Json | undefined,
  trail: Trail,
  { labels, findings }: PolicyContext,
): void {
  if (then === undefined || !isJsonObject(then)) return;
  const act = then.do;
  if (act === undefined) {
    if (Object.hasOwn(then, "set")) return;
    const message = "then has no 'do', expected continue, retry, fail, break or jump";
    return findings.keyError(trail, message);
  }
  const { to } = then;
  if (act === "jump" && to === undefined) {
    return findings.keyError(trail, "a jump has no 'to', expected the label of a task");
  }
  if (typeof to !== "string") return;
  const at: Trail = { parent: trail, key: "to" };
  if (act !== "jump") {
    return findings.warn(at, `'to' has no effect with do: ${String(act)}`);
  }
  if (previousTask.has(to) || labels.includes(to)) return;
  const hint = findings.hint(to, labels);
  const message =
    `jump to unknown task ${quoted(to)}, expected ` + `a label of this pipeline or previous${hint}`;
  findings.error(at, message);
}
