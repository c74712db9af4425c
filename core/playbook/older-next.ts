// Older forms of `next`: a name, a list, one map, `next_mode`, and values that arcs hand over as
// `args` or `input`. All of them become a router: next: {spec: {mode}, arcs: […]}.

import type { Json, JsonObject } from "#core/model/json";
import { isJsonObject } from "#core/model/json";
import {
  at,
  inside,
  isGiven,
  mapAt,
  type OlderContext,
  type Place,
  renamed,
  warnOlder,
  without,
} from "./older-context.ts";
import { quoted, type Trail } from "./problems.ts";

/** Keys that an item of a list, or the one map, may have. */
const arcKeys: ReadonlySet<string> = new Set(["step", "when", "args", "input", "set"]);

export function modernNext(step: JsonObject, place: Place, context: OlderContext): JsonObject {
  const { next } = step;
  const spec = mapAt(step, "spec");
  const mode = spec !== undefined && isGiven(spec, "next_mode") ? spec.next_mode : undefined;
  const inNext = inside(place, "next");
  const read = next === undefined || next === null ? undefined : routerOf(next, inNext, context);
  if (read === undefined) return withoutMode(step, place, context);
  if (spec === undefined || mode === undefined) return { ...step, next: read.router };
  const was = at(place.was, "spec", "next_mode");
  const rest = without(spec, "next_mode");
  warnOlder(context, was, { found: "step spec key 'next_mode'", readAs: "next.spec.mode" });
  const router = withMode(read, { mode, was, now: at(inNext.now, "spec", "mode") }, context);
  return {
    ...(Object.keys(rest).length === 0 ? without(step, "spec") : { ...step, spec: rest }),
    next: router,
  };
}

/** A mode with nothing to choose from says nothing; one beside a `next` of no known form stays. */
function withoutMode(step: JsonObject, place: Place, context: OlderContext): JsonObject {
  const spec = mapAt(step, "spec");
  if (spec === undefined || !isGiven(spec, "next_mode") || isGiven(step, "next")) return step;
  const message = "step spec key 'next_mode' has no effect without next";
  context.findings.warn(at(place.was, "spec", "next_mode"), message);
  const rest = without(spec, "next_mode");
  return Object.keys(rest).length === 0 ? without(step, "spec") : { ...step, spec: rest };
}

interface GivenMode {
  readonly mode: Json | undefined;
  readonly was: Trail;
  readonly now: Trail;
}

/** A router, and whether its mode is written nowhere. */
interface Read {
  readonly router: JsonObject;
  readonly implied: boolean;
}

/** A mode that is named in an older place wins over the one a list has by itself. */
function withMode(
  { router, implied }: Read,
  { mode, was, now }: GivenMode,
  context: OlderContext,
): JsonObject {
  const spec = mapAt(router, "spec") ?? {};
  const own = implied ? undefined : spec.mode;
  if (own !== undefined && own !== null && own !== mode) {
    const message = `'next_mode' is ${quoted(String(mode))} beside a mode of ${quoted(String(own))}`;
    context.findings.keyError(was, `${message}, expected one mode`);
    return router;
  }
  context.moved.move(now, was);
  return { ...router, spec: { ...spec, mode: mode ?? null } };
}

function routerOf(next: Json, place: Place, context: OlderContext): Read | undefined {
  if (typeof next === "string") return ofName(next, place, context);
  if (Array.isArray(next)) return ofList(next, place, context);
  if (!isJsonObject(next)) return undefined;
  if (Object.hasOwn(next, "arcs")) {
    return { router: ofRouter(next, place, context), implied: false };
  }
  return isArc(next) ? { router: ofMap(next, place, context), implied: true } : undefined;
}

function ofName(name: string, place: Place, context: OlderContext): Read | undefined {
  if (name.trim() === "") return undefined;
  warnOlder(context, place.was, {
    found: "'next' as text",
    readAs: "next: {arcs: [{step: NAME}]}",
  });
  context.moved.move(at(place.now, "arcs"), place.was);
  context.moved.move(at(place.now, "arcs", 0), place.was);
  context.moved.move(at(place.now, "arcs", 0, "step"), place.was);
  return { router: { arcs: [{ step: name }] }, implied: true };
}

function ofMap(arc: JsonObject, place: Place, context: OlderContext): JsonObject {
  warnOlder(context, place.was, {
    found: "'next' as one arc",
    readAs: "next: {arcs: [{step: …}]}",
  });
  context.moved.move(at(place.now, "arcs"), place.was);
  const now = at(place.now, "arcs", 0);
  context.moved.move(now, place.was);
  return { arcs: [modernArc(arc, { was: place.was, now }, context)] };
}

/** Texts and arcs without a condition were all taken; where one has a condition, the first that matches. */
function ofList(list: readonly Json[], place: Place, context: OlderContext): Read | undefined {
  if (!list.every((item) => isName(item) || (isJsonObject(item) && isArc(item)))) return undefined;
  const all = takesAll(list);
  const readAs = all
    ? "next: {spec: {mode: inclusive}, arcs: [{step: NAME}, …]}"
    : "next: {arcs: [{step: NAME}, …]}";
  warnOlder(context, place.was, { found: "'next' as a list", readAs });
  context.moved.move(at(place.now, "arcs"), place.was);
  const arcs = list.map((item, index) => {
    const arc: Place = { was: at(place.was, index), now: at(place.now, "arcs", index) };
    if (isJsonObject(item)) return modernArc(item, arc, context);
    context.moved.move(at(arc.now, "step"), arc.was);
    return { step: item };
  });
  const router = all ? { spec: { mode: "inclusive" }, arcs } : { arcs };
  return { router, implied: true };
}

/** Whether a list without a mode takes every arc. */
export function takesAll(list: readonly Json[]): boolean {
  return list.length > 1 && !list.some((item) => isJsonObject(item) && isGiven(item, "when"));
}

function ofRouter(next: JsonObject, place: Place, context: OlderContext): JsonObject {
  const { arcs } = next;
  const router = Array.isArray(arcs)
    ? {
        ...next,
        arcs: arcs.map((arc: Json, index) =>
          isJsonObject(arc) ? modernArc(arc, inside(place, "arcs", index), context) : arc,
        ),
      }
    : next;
  const spec = mapAt(router, "spec");
  if (spec === undefined || !isGiven(spec, "next_mode")) return router;
  const was = at(place.was, "spec", "next_mode");
  warnOlder(context, was, { found: "next.spec key 'next_mode'", readAs: "mode" });
  const given: GivenMode = { mode: spec.next_mode, was, now: at(place.now, "spec", "mode") };
  const read = { router: { ...router, spec: without(spec, "next_mode") }, implied: false };
  return withMode(read, given, context);
}

export function isName(item: Json): boolean {
  return typeof item === "string" && item.trim() !== "";
}

/** Whether a map is an arc of any age, and nothing else. */
export function isArc(map: JsonObject): boolean {
  return typeof map.step === "string" && Object.keys(map).every((key) => arcKeys.has(key));
}

/** `args` or `input` of an arc: values that are set on the way and handed to the step it leads to. */
function modernArc(arc: JsonObject, place: Place, context: OlderContext): JsonObject {
  const given = ["args", "input"].filter((key) => mapAt(arc, key) !== undefined);
  const [key] = given;
  if (key === undefined) return arc;
  const was = at(place.was, key);
  const values = mapAt(arc, key) ?? {};
  if (given.length > 1) {
    context.findings.keyError(was, "arc has both 'args' and 'input', expected one");
    return without(without(arc, "args"), "input");
  }
  const set = isGiven(arc, "set") ? arc.set : {};
  if (set === undefined || !isJsonObject(set)) return arc;
  const twice = Object.keys(values).find((name) => Object.hasOwn(set, name));
  if (twice !== undefined) {
    const message = `arc gives ${quoted(twice)} in '${key}' and in 'set', expected it once`;
    context.findings.keyError(at(was, twice), message);
    return without(arc, key);
  }
  warnOlder(context, was, {
    found: `arc key '${key}'`,
    readAs: "set, and input of the step it leads to",
  });
  if (!isGiven(arc, "set")) context.moved.move(at(place.now, "set"), was);
  for (const name of Object.keys(values)) {
    context.moved.move(at(place.now, "set", name), at(was, name));
    handOver(arc.step, name, { was: at(was, name), context });
  }
  if (isGiven(arc, "set")) return { ...without(arc, key), set: { ...values, ...set } };
  return renamed(without(arc, "set"), key, "set");
}

interface Handing {
  readonly was: Trail;
  readonly context: OlderContext;
}

function handOver(target: Json | undefined, name: string, { was, context }: Handing): void {
  if (typeof target !== "string" || !isHandedOver(name)) return;
  const names = context.handedOver.get(target) ?? new Map<string, Trail>();
  context.handedOver.set(target, names);
  if (!names.has(name)) names.set(name, was);
}

/** Whether an arc's value becomes input of the step it leads to: names with dots are only set. */
export function isHandedOver(name: string): boolean {
  return /^[\p{L}_][\p{L}\p{N}_-]*$/u.test(name);
}
