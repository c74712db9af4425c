// Older forms of what happens after a call: `retry` as a map and `eval` as a list of rules. Both
// become rules of spec.policy, where the tool has none.

import type { Json, JsonObject } from "#core/model/json";
import { isJsonObject } from "#core/model/json";
import { standsAlone } from "./check-policy.ts";
import {
  at,
  isGiven,
  mapAt,
  type OlderContext,
  type Place,
  warnOlder,
  without,
} from "./older-context.ts";
import { quoted } from "./problems.ts";
import { renameRoot } from "./rename-root.ts";

export function modernPolicy(tool: JsonObject, place: Place, context: OlderContext): JsonObject {
  return modernRetry(modernEval(tool, place, context), place, context);
}

const retryMeans = "spec: {policy: {rules: [{when: …, then: {do: retry, …}}]}}";

function modernRetry(tool: JsonObject, place: Place, context: OlderContext): JsonObject {
  const retry = mapAt(tool, "retry");
  if (retry === undefined || !mayHavePolicy(tool) || hasPolicy(tool)) return tool;
  const was = at(place.was, "retry");
  const read = readRetry(retry);
  if (read === undefined) return tool;
  warnOlder(context, was, { found: "tool key 'retry'", readAs: retryMeans });
  const policy = at(place.now, "spec", "policy");
  const rule = at(policy, "rules", 0);
  context.moved.move(policy, was);
  context.moved.move(rule, was);
  context.moved.move(at(rule, "then"), was);
  for (const [key, from] of read.from) {
    context.moved.move(key === "when" ? at(rule, key) : at(rule, "then", key), at(was, from));
  }
  for (const key of read.others) {
    context.findings.warn(at(was, key), `retry key ${quoted(key)} has no effect`);
  }
  return withPolicy(without(tool, "retry"), [read.rule]);
}

export interface ReadRetry {
  readonly rule: JsonObject;
  /** Keys of the rule, and of its `then`, with the keys of `retry` they were given by. */
  readonly from: readonly (readonly [string, string])[];
  /** Keys that have no meaning here. */
  readonly others: readonly string[];
}

const retryNames: Readonly<Record<string, readonly string[]>> = {
  when: ["when", "retry_when"],
  attempts: ["max_attempts", "attempts"],
  delay: ["delay", "initial_delay"],
  backoff: ["backoff", "backoff_multiplier"],
};

/** The rule that `retry` stands for; undefined where it says something else, or one thing twice. */
export function readRetry(retry: JsonObject): ReadRetry | undefined {
  const from: [string, string][] = [];
  const given = new Map<string, Json>();
  const known = new Set<string>();
  for (const [key, names] of Object.entries(retryNames)) {
    for (const name of names) known.add(name);
    const found = names.filter((name) => isGiven(retry, name));
    if (found.length > 1) return undefined;
    const [name] = found;
    if (name === undefined) continue;
    given.set(key, retry[name] ?? null);
    from.push([key, name]);
  }
  const when = given.get("when") ?? "{{ output.status == 'error' }}";
  const { attempts, delay } = Object.fromEntries(given);
  if (typeof when !== "string" && typeof when !== "boolean") return undefined;
  if (attempts !== undefined && typeof attempts !== "number") return undefined;
  if (delay !== undefined && typeof delay !== "number") return undefined;
  const backoff = backoffOf(given.get("backoff"));
  if (backoff === undefined) return undefined;
  const then: Record<string, Json> = {
    do: "retry",
    ...(attempts === undefined ? {} : { attempts }),
    ...(backoff === "" ? {} : { backoff }),
    ...(delay === undefined ? {} : { delay }),
  };
  const others = Object.keys(retry).filter((key) => !known.has(key));
  return { rule: { when, then }, from, others };
}

/** How the delay grows: a factor above 1 doubles it; the empty text stands for a delay that stays. */
function backoffOf(given: Json | undefined): string | undefined {
  if (given === undefined || given === "fixed" || given === "constant") return "";
  if (typeof given === "number") return given > 1 ? "exponential" : "";
  return given === "none" || given === "linear" || given === "exponential" ? given : undefined;
}

const evalKeys: ReadonlySet<string> = new Set([
  "expr",
  "do",
  "attempts",
  "backoff",
  "delay",
  "to",
  "set",
  "set_ctx",
  "set_iter",
]);

function modernEval(tool: JsonObject, place: Place, context: OlderContext): JsonObject {
  const { eval: items } = tool;
  if (!Array.isArray(items) || !mayHavePolicy(tool)) return tool;
  const rules = items.map((item: Json) => readEvalRule(item));
  if (items.length === 0 || !rules.every((rule) => rule !== undefined)) return tool;
  const was = at(place.was, "eval");
  if (hasPolicy(tool)) {
    context.findings.keyError(was, "tool has both 'eval' and spec.policy, expected one");
    return without(tool, "eval");
  }
  warnOlder(context, was, { found: "tool key 'eval'", readAs: "spec: {policy: {rules: […]}}" });
  const policy: Place = { was, now: at(place.now, "spec", "policy") };
  context.moved.move(policy.now, was);
  context.moved.move(at(policy.now, "rules"), was);
  for (const [index, item] of items.entries()) moveRule(item, { policy, index, context });
  return withPolicy(without(tool, "eval"), rules);
}

interface RulePlace {
  readonly policy: Place;
  readonly index: number;
  readonly context: OlderContext;
}

function moveRule(item: Json, { policy, index, context: { moved } }: RulePlace): void {
  if (!isJsonObject(item)) return;
  const isElse = Object.hasOwn(item, "else");
  const now = at(policy.now, "rules", index);
  const was = at(policy.was, index);
  const body = isElse ? at(was, "else") : was;
  const then = isElse ? at(now, "else", "then") : at(now, "then");
  moved.move(now, was);
  moved.move(at(now, "when"), at(was, "expr"));
  moved.move(then, body);
  const inner = isElse ? mapAt(item, "else") : item;
  for (const scope of ["ctx", "iter"]) {
    for (const key of Object.keys(mapAt(inner ?? {}, `set_${scope}`) ?? {})) {
      moved.move(at(then, "set", `${scope}.${key}`), at(body, `set_${scope}`, key));
    }
  }
}

/** The rule that an item of `eval` stands for; undefined where it is none that is known. */
export function readEvalRule(item: Json): JsonObject | undefined {
  if (!isJsonObject(item)) return undefined;
  const body = mapAt(item, "else");
  if (body !== undefined) {
    if (Object.keys(item).length > 1 || Object.hasOwn(body, "expr")) return undefined;
    const then = readThen(body);
    return then === undefined ? undefined : { else: { then } };
  }
  const { expr, ...rest } = item;
  const then = readThen(rest);
  if (then === undefined) return undefined;
  const when = typeof expr === "string" ? renameRoot(expr, asExpression) : expr;
  return when === undefined ? { then } : { when, then };
}

const asExpression = { from: "outcome", to: "output", expression: true } as const;
const asTemplate = { from: "outcome", to: "output", expression: false } as const;

function readThen(body: JsonObject): JsonObject | undefined {
  if (!Object.keys(body).every((key) => evalKeys.has(key))) return undefined;
  const { set_ctx, set_iter, set, ...rest } = body;
  const sets: Record<string, Json> = {};
  for (const [scope, values] of [
    ["ctx.", set_ctx],
    ["iter.", set_iter],
    ["", set],
  ] as const) {
    if (values === undefined || values === null) continue;
    if (!isJsonObject(values)) return undefined;
    for (const [key, value] of Object.entries(values)) {
      if (Object.hasOwn(sets, scope + key)) return undefined;
      sets[scope + key] = withOutput(value);
    }
  }
  return Object.keys(sets).length === 0 ? rest : { ...rest, set: sets };
}

/** `outcome` is `output` in every template of a value. */
function withOutput(value: Json): Json {
  if (typeof value === "string") return renameRoot(value, asTemplate);
  if (Array.isArray(value)) return value.map(withOutput);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withOutput(item)]));
}

/** A call that stands alone has no rules; one of the workbook would lose its entry's settings. */
export function mayHavePolicy({ kind, spec }: JsonObject): boolean {
  if (spec !== undefined && spec !== null && !isJsonObject(spec)) return false;
  return typeof kind === "string" && kind !== "workbook" && !standsAlone.has(kind);
}

function hasPolicy(tool: JsonObject): boolean {
  const spec = mapAt(tool, "spec");
  return spec !== undefined && isGiven(spec, "policy");
}

function withPolicy(tool: JsonObject, rules: readonly JsonObject[]): JsonObject {
  return { ...tool, spec: { ...mapAt(tool, "spec"), policy: { rules } } };
}
