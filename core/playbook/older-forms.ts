// Older forms of playbooks that run: brings each to the form that is documented, before the check.
// Every rewrite warns once where it was written. A form that isn't known is left as it is, for the
// check to refuse; data of the author (workload, code, SQL) is never touched.

import type { Json, JsonObject } from "#core/model/json";
import { isJsonObject } from "#core/model/json";
import { type MovedPaths, movedPaths } from "./moved-paths.ts";
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
import { modernNext } from "./older-next.ts";
import { modernPolicy } from "./older-policy.ts";
import type { Findings, Trail } from "./problems.ts";

export interface Modernised {
  readonly value: Json;
  readonly moved: MovedPaths;
}

/**
 * Rewrites the older forms of a playbook's value.
 * @param findings takes a warning per form, and an error where two forms of one thing stand together.
 */
export function modernise(value: Json, findings: Findings): Modernised {
  const moved = movedPaths();
  if (!isJsonObject(value)) return { value, moved };
  const context: OlderContext = { findings, moved, handedOver: new Map() };
  const { workflow, workbook } = value;
  return {
    value: {
      ...value,
      ...(Array.isArray(workbook) ? { workbook: modernWorkbook(workbook, context) } : {}),
      ...(Array.isArray(workflow) ? { workflow: modernWorkflow(workflow, context) } : {}),
    },
    moved,
  };
}

function modernWorkbook(entries: readonly Json[], context: OlderContext): readonly Json[] {
  return entries.map((entry, index) => {
    const tool = isJsonObject(entry) ? mapAt(entry, "tool") : undefined;
    if (!isJsonObject(entry) || tool === undefined) return entry;
    const place = unmoved(at(undefined, "workbook", index, "tool"));
    return { ...entry, tool: modernPolicy(tool, place, context) };
  });
}

function modernWorkflow(steps: readonly Json[], context: OlderContext): readonly Json[] {
  const list: Trail = at(undefined, "workflow");
  const modern = steps.map((step, index) =>
    isJsonObject(step) ? modernStep(step, unmoved(at(list, index)), context) : step,
  );
  if (context.handedOver.size === 0) return modern;
  return modern.map((step, index) =>
    isJsonObject(step) ? withHandedOver(step, at(list, index), context) : step,
  );
}

function unmoved(trail: Trail): Place {
  return { was: trail, now: trail };
}

function modernStep(step: JsonObject, place: Place, context: OlderContext): JsonObject {
  return modernNext(modernTools(modernArgs(step, place, context), place, context), place, context);
}

function modernArgs(step: JsonObject, place: Place, context: OlderContext): JsonObject {
  if (mapAt(step, "args") === undefined) return step;
  const was = at(place.was, "args");
  if (isGiven(step, "input")) {
    context.findings.keyError(was, "step has both 'args' and 'input', expected one");
    return without(step, "args");
  }
  warnOlder(context, was, { found: "step key 'args'", readAs: "input" });
  context.moved.move(at(place.now, "input"), was);
  return renamed(without(step, "input"), "args", "input");
}

function modernTools(step: JsonObject, place: Place, context: OlderContext): JsonObject {
  const { tool } = step;
  const inTool = inside(place, "tool");
  if (Array.isArray(tool)) {
    const tasks = tool.map((task: Json, index) =>
      isJsonObject(task) ? modernTask(task, inside(inTool, index), context) : task,
    );
    return { ...step, tool: tasks };
  }
  if (tool === undefined || !isJsonObject(tool)) return step;
  return { ...step, tool: modernPolicy(tool, inTool, context) };
}

/** `{label: {kind: …}}`: the label becomes the task's name. */
function modernTask(task: JsonObject, place: Place, context: OlderContext): JsonObject {
  const label = labelOfTask(task);
  if (label === undefined) return modernPolicy(task, place, context);
  const was = at(place.was, label);
  warnOlder(context, was, { found: "a task under its label", readAs: "{name: LABEL, kind: …}" });
  context.moved.move(place.now, was);
  const inner = mapAt(task, label) ?? {};
  return modernPolicy({ name: label, ...inner }, { was, now: place.now }, context);
}

/** The label of a task that is written under it; a task that has a name besides is none. */
export function labelOfTask(task: JsonObject): string | undefined {
  const keys = Object.keys(task);
  const [label] = keys;
  if (label === undefined || keys.length !== 1) return undefined;
  const inner = mapAt(task, label);
  return inner === undefined || !Object.hasOwn(inner, "kind") || Object.hasOwn(inner, "name")
    ? undefined
    : label;
}

/** What arcs hand over is input of the step they lead to, under its own. */
function withHandedOver(step: JsonObject, trail: Trail, context: OlderContext): JsonObject {
  const names = typeof step.step === "string" ? context.handedOver.get(step.step) : undefined;
  if (names === undefined) return step;
  const own = isGiven(step, "input") ? step.input : {};
  if (own === undefined || !isJsonObject(own)) return step;
  const added: Record<string, Json> = {};
  for (const [name, was] of names) {
    if (Object.hasOwn(own, name)) continue;
    added[name] = handedOverAs(name);
    context.moved.move(at(trail, "input", name), was);
  }
  return { ...step, input: { ...added, ...own } };
}

/** The template that reads a value which an arc has set. */
export function handedOverAs(name: string): string {
  const plain = /^[\p{L}_][\p{L}\p{N}_]*$/u.test(name);
  return plain ? `{{ ctx.${name} }}` : `{{ ctx['${name}'] }}`;
}
