// Compiles a checked document to a plan: inlines workbook tools, decides which templates the
// engine renders and which are left to the worker, and draws the graph.

import type { PolicyRule, SetEntry, TaskPolicy } from "#core/model/command";
import { poolDefault } from "#core/model/dispatch";
import { invariant } from "#core/model/fault";
import type { Json, JsonObject } from "#core/model/json";
import { labelsMax, loopInFlightDefault, priorityMax } from "#core/model/limits";
import { compileCursor } from "./compile-cursor.ts";
import { compileFlow } from "./compile-flow.ts";
import type {
  ArcDocument,
  LoopDocument,
  PlaybookDocument,
  PolicyDocument,
  RuleDocument,
  StepDocument,
  ToolDocument,
  WorkbookDocument,
} from "./document.ts";
import { Graph } from "./graph.ts";
import type { Plan, PlanArc, PlanLoop, PlanStep } from "./plan.ts";
import { compileTasks, type TaskSurroundings } from "./tasks.ts";
import { compileExpression, compileTemplate, isTemplate, type Template } from "./template.ts";
import { compileSets, compileValue } from "./value.ts";

export interface CompileOptions {
  /** The pool of a step that names none, by the kind of its tool; `default` for other kinds. */
  readonly toolPools?: ReadonlyMap<string, string>;
}

/**
 * Compiles a document that `check` found no problem in.
 * @param digest SHA-256 of the playbook's text, by which the plan is kept.
 * @throws InvariantViolation for a document that was not checked.
 */
export function compilePlan(
  document: PlaybookDocument,
  digest: string,
  { toolPools = new Map() }: CompileOptions = {},
): Plan {
  const indexes = new Map(document.workflow.map((step, index) => [step.step, index]));
  const graph = new Graph(
    document.workflow.map((step) => (step.next?.arcs ?? []).map((arc) => indexOf(indexes, arc))),
  );
  const workbook = new Map((document.workbook ?? []).map((entry) => [entry.name, entry]));
  const steps = document.workflow.map((step, index) =>
    compileStep(step, { index, indexes, graph, workbook, toolPools }),
  );
  return {
    digest,
    name: document.metadata.name,
    workload: document.workload ?? {},
    keychain: document.keychain ?? [],
    entry: entryIndex(document, indexes),
    noNextIsError: document.executor?.spec?.no_next_is_error ?? false,
    steps,
    byName: new Map(steps.map((step) => [step.name, step])),
    graph,
  };
}

/** Entry = `executor.spec.entry_step`, else `start`, else the first step. */
function entryIndex(document: PlaybookDocument, indexes: ReadonlyMap<string, number>): number {
  const named = document.executor?.spec?.entry_step;
  return indexes.get(named ?? "start") ?? 0;
}

interface StepContext {
  readonly index: number;
  readonly indexes: ReadonlyMap<string, number>;
  readonly graph: Graph;
  readonly workbook: ReadonlyMap<string, WorkbookDocument>;
  readonly toolPools: ReadonlyMap<string, string>;
}

function compileStep(step: StepDocument, context: StepContext): PlanStep {
  const tools = step.tool.map((tool) => inlineWorkbook(tool, context.workbook));
  const arcs = (step.next?.arcs ?? []).map((arc) => compileArc(arc, context.indexes));
  const compiled = compileTasks(
    tools.map((tool, position) => ({
      label: labelOf(tool, position, tools.length),
      kind: tool.kind,
      config: taskConfig(tool, step.input),
      set: setEntries(tool.set),
      ...policyOf(tool),
    })),
    iterationOf(step.loop),
  );
  const timeout = step.spec?.timeout;
  return {
    index: context.index,
    name: step.step,
    kind: tools.length === 1 ? (tools[0]?.kind ?? "noop") : "pipeline",
    pool: step.spec?.pool ?? poolOf(tools, context.toolPools),
    ...termsOf(step),
    ...(timeout === undefined ? {} : { timeoutMs: timeout * 1000 }),
    ...compiled,
    ...(step.loop === undefined ? {} : { loop: compileLoop(step.loop) }),
    ...compileFlow(step),
    set: compileSets(step.set),
    exclusive: step.next?.spec?.mode !== "inclusive",
    arcs,
    branchesFromCycle: arcs.some((arc) => context.graph.onCycle(context.index, arc.to)),
  };
}

/** A pipeline goes where the first of its tools goes that is sent anywhere. */
function poolOf(tools: readonly ToolDocument[], toolPools: ReadonlyMap<string, string>): string {
  for (const { kind } of tools) {
    const pool = toolPools.get(kind);
    if (pool !== undefined) return pool;
  }
  return poolDefault;
}

function termsOf({ spec }: StepDocument): Pick<PlanStep, "priority" | "labels"> {
  const { priority, labels = [] } = spec ?? {};
  const list = typeof labels === "string" ? [labels] : labels;
  return {
    ...(priority === undefined ? {} : { priority: Math.min(priority, priorityMax) }),
    ...(list.length === 0 ? {} : { labels: [...new Set(list)].slice(0, labelsMax) }),
  };
}

/** A workbook tool runs in place of the reference; the step's own fields win over the entry's. */
function inlineWorkbook(
  tool: ToolDocument,
  workbook: ReadonlyMap<string, WorkbookDocument>,
): ToolDocument {
  if (tool.kind !== "workbook") return tool;
  const entry = workbook.get(String(tool.name));
  invariant(entry !== undefined, `workbook entry ${String(tool.name)} was not checked`);
  const { kind: _kind, name: _name, input, args, ...own } = tool;
  const merged = { ...asObject(entry.tool.input ?? entry.tool.args), ...asObject(input ?? args) };
  return { ...entry.tool, ...own, input: merged };
}

function asObject(value: Json | undefined): JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as JsonObject)
    : {};
}

function labelOf(tool: ToolDocument, position: number, count: number): string {
  if (typeof tool.name === "string" && (count > 1 || tool.name !== "")) return tool.name;
  return `task_${position}`;
}

/** The tool's own fields: what the engine or worker reads otherwise is taken out. */
function taskConfig(tool: ToolDocument, stepInput: JsonObject | undefined): JsonObject {
  const { kind: _kind, name: _name, set: _set, desc: _desc, args, input, spec, ...own } = tool;
  const bound = { ...stepInput, ...asObject(args), ...asObject(input) };
  const { policy: _policy, ...specRest } = asObject(spec);
  return {
    ...own,
    // The arguments of the program itself, in its own order.
    ...(tool.kind === "container" && args !== undefined ? { args } : {}),
    ...(Object.keys(specRest).length === 0 ? {} : { spec: specRest }),
    ...(Object.keys(bound).length === 0 ? {} : { input: bound }),
  };
}

function setEntries(sets: Json | undefined): readonly SetEntry[] {
  return Object.entries(asObject(sets)).map(([key, value]) => ({ key, value }));
}

function policyOf(tool: ToolDocument): { policy?: TaskPolicy } {
  const policy = asObject(tool.spec).policy as PolicyDocument | undefined;
  if (policy === undefined) return {};
  const inclusive = policy.mode === "inclusive";
  return {
    policy: {
      onUnmatched: policy.on_unmatched ?? "fail",
      ...(inclusive ? { inclusive } : {}),
      rules: policy.rules.map((rule) => compileRule(rule, inclusive)),
    },
  };
}

/** Where all rules are tried, only one that is written without a condition is the last resort. */
function compileRule(rule: RuleDocument, inclusive: boolean): PolicyRule {
  const { then, when } = rule;
  const always = when === undefined || (when === true && !inclusive);
  return {
    ...(always ? {} : { when: String(when) }),
    do: then.do ?? "continue",
    attempts: then.attempts ?? 3,
    backoff: backoffOf(then),
    delayMs: (then.delay ?? 1) * 1000,
    ...(then.to === undefined ? {} : { to: then.to }),
    set: setEntries(then.set),
  };
}

/** A delay that is named is kept, also where no growth is (language reference §1.5). */
function backoffOf({ backoff, delay }: RuleDocument["then"]): PolicyRule["backoff"] {
  if (backoff !== undefined) return backoff as PolicyRule["backoff"];
  return delay === undefined ? "none" : "constant";
}

function compileArc(arc: ArcDocument, indexes: ReadonlyMap<string, number>): PlanArc {
  return {
    to: indexOf(indexes, arc),
    ...(arc.when === undefined ? {} : { when: compileWhen(arc.when) }),
    set: compileSets(arc.set),
  };
}

function compileWhen(when: string | boolean): Template {
  return typeof when === "boolean" ? compileExpression(String(when)) : compileExpression(when);
}

function indexOf(indexes: ReadonlyMap<string, number>, arc: ArcDocument): number {
  const index = indexes.get(arc.step);
  invariant(index !== undefined, `arc to ${arc.step} was not checked`);
  return index;
}

function compileLoop(loop: LoopDocument): PlanLoop {
  const mode = loop.spec?.mode ?? "sequential";
  return {
    mode,
    iterator: loop.iterator,
    items: compileValue(loop.in ?? []),
    maxInFlight: mode === "sequential" ? 1 : inFlight(loop.spec?.max_in_flight),
    ...(loop.cursor === undefined ? {} : { cursor: compileCursor(loop) }),
  };
}

/** Rows of a cursor are claimed by the worker: the engine never sees them. */
function iterationOf(loop: LoopDocument | undefined): TaskSurroundings {
  if (loop === undefined) return {};
  return { iterator: loop.iterator, rowsAt: loop.cursor === undefined ? "engine" : "worker" };
}

function inFlight(bound: number | string | undefined): number | Template {
  if (bound === undefined) return loopInFlightDefault;
  if (typeof bound === "number") return bound;
  return isTemplate(bound) ? compileTemplate(bound) : Number(bound);
}
