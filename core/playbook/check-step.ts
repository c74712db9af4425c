// What holds inside one step across its keys: where arcs lead, what a loop names its item, how
// tasks are labelled, where rules jump, what a workbook call names.

import type { Json, JsonObject } from "#core/model/json";
import { isJsonObject } from "#core/model/json";
import { checkCursorLoop } from "./check-cursor.ts";
import { checkFlow } from "./check-flow.ts";
import { checkPolicy, standsAlone, withArticle } from "./check-policy.ts";
import { type Findings, quoted, type Trail } from "./problems.ts";
import { knownNames, reservedNames, templateWords } from "./reserved-names.ts";

/** Workbook entries by name, with the kind of their tool. */
export type CheckedWorkbook = ReadonlyMap<string, string>;

export interface StepsContext {
  readonly names: ReadonlySet<string>;
  /** The same as a list, for hints. */
  readonly known: readonly string[];
  readonly workbook: CheckedWorkbook;
  readonly findings: Findings;
}

export function checkStep(step: JsonObject, trail: Trail, context: StepsContext): void {
  checkName(step, trail, context.findings);
  checkTools(step, trail, context);
  checkArcs(step, trail, context);
  checkIterator(step, trail, context.findings);
  checkCursorLoop(step, trail, context.findings);
  checkFlow(step, trail, context.findings);
}

function checkName(step: JsonObject, trail: Trail, findings: Findings): void {
  const name = step.step;
  if (typeof name === "string") warnOfHiding("step", name, { trail, key: "step", findings });
}

interface Named {
  readonly trail: Trail;
  readonly key: string;
  readonly findings: Findings;
}

function warnOfHiding(noun: string, name: string, { trail, key, findings }: Named): void {
  if (!knownNames.has(name)) return;
  const message = `${noun} ${quoted(name)} hides what templates otherwise see as ${name}`;
  findings.warn({ parent: trail, key }, message, { at: "value" });
}

function checkArcs(step: JsonObject, trail: Trail, context: StepsContext): void {
  const { next } = step;
  if (next === undefined || !isJsonObject(next) || !Array.isArray(next.arcs)) return;
  const list: Trail = { parent: { parent: trail, key: "next" }, key: "arcs" };
  const spec = next.spec ?? null;
  const exclusive = !(isJsonObject(spec) && spec.mode === "inclusive");
  let whenOk = false;
  let always = false;
  for (let index = 0; index < next.arcs.length; index++) {
    const arc: Json = next.arcs[index] ?? null;
    if (!isJsonObject(arc)) continue;
    const at: Trail = { parent: list, key: index };
    checkTarget(arc.step, at, context);
    const bare = arc.when === undefined;
    // After a failure only arcs with a condition can match, so these may follow a bare one.
    if (exclusive && (always || (whenOk && bare))) {
      context.findings.warn(at, "this arc is never taken: one before it always matches");
    }
    whenOk ||= bare;
    always ||= arc.when === true;
  }
}

function checkTarget(target: Json | undefined, arc: Trail, context: StepsContext): void {
  if (typeof target !== "string" || target.trim() === "" || context.names.has(target)) return;
  const hint =
    target === "end"
      ? "; add a step named end, or leave the arc out: a branch ends where no arc leads on"
      : context.findings.hint(target, context.known);
  const message = `arc leads to unknown step ${quoted(target)}, expected the name of a step${hint}`;
  context.findings.error({ parent: arc, key: "step" }, message);
}

function checkIterator(step: JsonObject, trail: Trail, findings: Findings): void {
  const { loop } = step;
  if (loop === undefined || !isJsonObject(loop)) return;
  const { iterator } = loop;
  if (typeof iterator !== "string") return;
  const inLoop: Trail = { parent: trail, key: "loop" };
  const at: Trail = { parent: inLoop, key: "iterator" };
  const found = `'iterator' is ${quoted(iterator)}`;
  if (templateWords.has(iterator)) {
    const message = `${found}, a word of the template language, expected another name`;
    findings.error(at, message);
  } else if (reservedNames.has(iterator)) {
    const message = `${found}, which has a meaning of its own in templates, expected another name`;
    findings.error(at, message);
  } else warnOfHiding("iterator", iterator, { trail: inLoop, key: "iterator", findings });
}

function checkTools(step: JsonObject, trail: Trail, context: StepsContext): void {
  const { tool } = step;
  const at: Trail = { parent: trail, key: "tool" };
  if (tool === undefined) return;
  if (isJsonObject(tool)) {
    checkTask(tool, at, { labels: [labelOf(tool, 0)], context });
    return;
  }
  if (!Array.isArray(tool)) return;
  const labels = tool.map((task: Json, index: number) =>
    isJsonObject(task) ? labelOf(task, index) : "",
  );
  checkLabels(tool, { labels, at, findings: context.findings });
  for (let key = 0; key < tool.length; key++) {
    const task: Json = tool[key] ?? null;
    if (isJsonObject(task)) checkTask(task, { parent: at, key }, { labels, context });
  }
}

interface Labelled {
  readonly labels: readonly string[];
  readonly at: Trail;
  readonly findings: Findings;
}

function checkLabels(tasks: readonly Json[], { labels, at, findings }: Labelled): void {
  const seen = new Set<string>();
  for (let key = 0; key < tasks.length; key++) {
    const label = labels[key] ?? "";
    const task = tasks[key] ?? null;
    const item: Trail = { parent: at, key };
    const named = isJsonObject(task) && task.name !== undefined;
    if (named) warnOfHiding("task", label, { trail: item, key: "name", findings });
    if (label !== "" && seen.has(label)) {
      const message = `a second task labelled ${quoted(label)}, expected different labels`;
      findings.error(named ? { parent: item, key: "name" } : item, message);
    }
    seen.add(label);
  }
}

/** A task without a name is called by its place. */
function labelOf(task: JsonObject, index: number): string {
  return typeof task.name === "string" && task.name !== "" ? task.name : `task_${index}`;
}

interface TaskContext {
  readonly labels: readonly string[];
  readonly context: StepsContext;
}

function checkTask(task: JsonObject, trail: Trail, { labels, context }: TaskContext): void {
  const { findings, workbook } = context;
  let { kind } = task;
  if (kind === "workbook") {
    const { name } = task;
    if (typeof name === "string" && name.trim() !== "" && !workbook.has(name)) {
      const hint = findings.hint(name, [...workbook.keys()]);
      const message = `unknown workbook entry ${quoted(name)}, expected the name of one${hint}`;
      findings.error({ parent: trail, key: "name" }, message);
    }
    kind = typeof name === "string" ? (workbook.get(name) ?? kind) : kind;
  }
  if (typeof kind === "string" && standsAlone.has(kind) && labels.length > 1) {
    const message = `${withArticle(kind)} call in a pipeline of several tasks; give it a step of its own`;
    findings.error({ parent: trail, key: "kind" }, message);
  }
  checkPolicy(task, trail, { labels, kind, findings });
}
