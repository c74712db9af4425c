// What a template sees of an execution (language reference §3.2–3.4): workload keys, step
// results and variables under their bare names, and views that make `step.field`,
// `step.data.field`, `step.label.field` and `step.result.field` all mean the same.

import type { Json, JsonObject } from "#core/model/json";
import { isJsonObject } from "#core/model/json";
import type { Output, ResultRef } from "#core/model/outcome";
import { type Scope, View } from "#core/playbook/template";
import { type Facts, MissingFacts } from "./facts.ts";
import type { ExecutionState, StepState } from "./state.ts";
import { type Held, StoredValue, type Variables } from "./variables.ts";

/** Names that exist only where they are bound: `output`, `event`, the iterator. */
export type Locals = Record<string, unknown>;

export function locals(values: Readonly<Record<string, unknown>>): Locals {
  return Object.assign(Object.create(null) as Locals, values);
}

export interface ExitingStep {
  readonly name: string;
  readonly output: Output;
}

export interface ScopeView {
  readonly bound?: Locals;
  /** Variables that are about to be set, over those that are. */
  readonly overlay?: Variables;
  /** The step that is about to exit, with what it came to: it sees itself by its name. */
  readonly exiting?: ExitingStep;
}

export class ExecutionScope implements Scope {
  constructor(
    readonly state: ExecutionState,
    readonly facts: Facts,
    readonly view: ScopeView = {},
  ) {}

  get(name: string): unknown {
    const local = this.view.bound?.[name];
    if (local !== undefined) return local;
    switch (name) {
      case "ctx":
        return new View(this.#variables(), (key) => this.#anywhere(key));
      case "workload":
        return this.#held(this.state.workload);
      case "steps":
        return new LazyView(
          () => stepResults(this.state),
          (key) => this.#step(key),
        );
      case "execution_id":
        return this.state.executionId;
      case "job":
        return jobView(this.state.executionId);
      default:
        return this.#bare(name);
    }
  }

  #bare(name: string): unknown {
    const value = this.#anywhere(name);
    return value === undefined ? this.#about(name) : value;
  }

  /** Variables over step results over workload keys: views of one flat map. */
  #anywhere(name: string): unknown {
    const set = this.view.overlay?.[name];
    const variable = set === undefined ? this.state.variables[name] : set;
    if (variable !== undefined) return this.#held(variable);
    const step = this.#step(name);
    if (step !== undefined) return step;
    const workload = this.#held(this.state.workload);
    return isJsonObject(workload) && Object.hasOwn(workload, name) ? workload[name] : undefined;
  }

  #step(name: string): unknown {
    const step = this.state.steps.get(name);
    const output = this.view.exiting?.name === name ? this.view.exiting.output : step?.output;
    if (step === undefined || output === undefined) return undefined;
    return stepView(step, output, this.facts);
  }

  #variables(): Variables {
    const { variables } = this.state;
    return this.view.overlay === undefined ? variables : { ...variables, ...this.view.overlay };
  }

  #held(value: Held): Json {
    return heldValue(value, this.facts);
  }

  #about(name: string): unknown {
    switch (name) {
      case "catalog_id":
        return this.state.started?.catalogId;
      case "path":
        return this.state.started?.path;
      case "version":
        return this.state.started?.version;
      default:
        return undefined;
    }
  }
}

/** Every result at hand by its step; one that is stored stands as its reference. */
function stepResults(state: ExecutionState): JsonObject {
  const results: Record<string, Json> = {};
  for (const [name, { output, stats }] of state.steps) {
    if (output === undefined) continue;
    const { ref, data } = output;
    if (stats !== undefined) results[name] = { stats: { ...stats } };
    else results[name] = ref === undefined ? (data ?? null) : { _ref: ref.ref };
  }
  return results;
}

function jobView(executionId: string): JsonObject {
  return { uuid: executionId, id: executionId, execution_id: executionId };
}

/** @throws MissingFacts when the value is stored and not at hand. */
export function heldValue(value: Held, facts: Facts): Json {
  return value instanceof StoredValue ? fetched(value.ref, facts) : value;
}

/** All of them, or one list of everything that is missing. @throws MissingFacts */
export function heldValues(values: readonly Held[], facts: Facts): readonly Json[] {
  const missing = values.flatMap((value) =>
    value instanceof StoredValue && !facts.results.has(value.ref.ref) ? [value.ref.ref] : [],
  );
  if (missing.length > 0) throw new MissingFacts(missing.map((ref) => ({ kind: "result", ref })));
  return values.map((value) => heldValue(value, facts));
}

function fetched(ref: ResultRef, facts: Facts): Json {
  const value = facts.results.get(ref.ref);
  if (value === undefined) throw new MissingFacts([{ kind: "result", ref: ref.ref }]);
  return value;
}

/** A view whose value is fetched only when something uses it as a whole. */
class LazyView extends View {
  constructor(load: () => Json, attribute: (name: string) => unknown) {
    super(undefined, attribute);
    Object.defineProperty(this, "value", { get: load });
  }
}

function viewOf(output: Output, facts: Facts, attribute: (name: string) => unknown): View {
  const { ref } = output;
  return ref === undefined
    ? new View(output.data ?? null, attribute)
    : new LazyView(() => fetched(ref, facts), attribute);
}

/** A step under its name: its data first, then the labels of a pipeline, then what is about it. */
function stepView(step: StepState, output: Output, facts: Facts): View {
  const { results, stats } = step;
  if (stats !== undefined && results !== undefined) {
    const whole = (): Json => ({ results: heldValue(results, facts), stats: { ...stats } });
    return new LazyView(whole, (name) => {
      const value = loopAttribute(name, step, facts);
      return value === undefined ? about(name, output) : value;
    });
  }
  return viewOf(output, facts, (name) => throughData(name, output, facts));
}

function throughData(name: string, output: Output, facts: Facts): unknown {
  const value = dataAttribute(name, output, facts);
  return value === undefined ? about(name, output) : value;
}

function loopAttribute(name: string, step: StepState, facts: Facts): unknown {
  switch (name) {
    case "results":
      return heldValue(step.results ?? [], facts);
    case "stats":
      return step.stats;
    case "data":
    case "result":
      return new LazyView(
        () => ({ results: heldValue(step.results ?? [], facts), stats: { ...step.stats } }) as Json,
        (key) => loopAttribute(key, step, facts),
      );
    default:
      return undefined;
  }
}

/** A field of the data itself; or `data`, `result`, `body` and task labels standing for it. */
function dataAttribute(name: string, output: Output, facts: Facts): unknown {
  const own = ownField(name, output, facts);
  if (own !== undefined) return own;
  const task = taskData(name, output, facts);
  if (task !== undefined) return task;
  if (name === "body" && output.http !== undefined) return ownField("data", output, facts);
  if (name === "data" || name === "result" || name === output.task) return whole(output, facts);
  return isStatement(name, output, facts) ? whole(output, facts) : undefined;
}

/** `step.command_0.rows`: where the rows of a SQL call once stood, each statement under its place. */
function isStatement(name: string, output: Output, facts: Facts): boolean {
  if (!/^command_\d+$/.test(name)) return false;
  return ["rows", "affected_rows"].some((key) => ownField(key, output, facts) !== undefined);
}

function taskData(name: string, output: Output, facts: Facts): unknown {
  const { tasks_ref: ref } = output;
  const tasks = ref === undefined ? output.tasks : fetched(ref, facts);
  return isJsonObject(tasks) && Object.hasOwn(tasks, name) ? tasks[name] : undefined;
}

/** The whole data, under which `data` and `result` go on standing for it. */
function whole(output: Output, facts: Facts): unknown {
  if (output.data === undefined && output.ref === undefined) return undefined;
  return viewOf(output, facts, (name) => dataAttribute(name, output, facts));
}

/** The summary of a stored value answers for scalars; anything else needs the value itself. */
function ownField(name: string, output: Output, facts: Facts): unknown {
  const { ref, data } = output;
  if (ref === undefined) {
    return isJsonObject(data) && Object.hasOwn(data, name) ? data[name] : undefined;
  }
  const { extracted } = ref;
  if (isJsonObject(extracted) && !facts.results.has(ref.ref)) {
    const summary = Object.hasOwn(extracted, name) ? extracted[name] : undefined;
    if (summary !== undefined && typeof summary !== "object") return summary;
    if (summary === undefined && extracted._truncated !== true) return undefined;
  }
  const value = fetched(ref, facts);
  return isJsonObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

function about(name: string, output: Output): unknown {
  switch (name) {
    case "status":
      return output.status;
    case "error":
      return output.error;
    case "http":
    case "pg":
    case "py":
    case "meta":
      return output[name];
    case "_ref":
    case "_uri":
      return output.ref?.ref;
    case "_store":
      return output.ref?.store;
    default:
      return undefined;
  }
}

/**
 * `output` in arcs and step sets: the envelope, through which the data's own fields are seen,
 * so that both `output.rows` and `output.data.rows` work.
 */
export function outputView(step: StepState | undefined, output: Output, facts: Facts): View {
  const looped = step?.stats !== undefined && step.results !== undefined ? step : undefined;
  return new View(output, (name) => {
    if (looped !== undefined && (name === "data" || name === "results" || name === "stats")) {
      return loopAttribute(name, looped, facts);
    }
    switch (name) {
      case "status":
      case "error":
      case "http":
      case "pg":
      case "py":
      case "meta":
        return output[name];
      case "ref":
        return output.ref;
      case "data":
        return output.ref === undefined ? (output.data ?? null) : whole(output, facts);
      default:
        return throughData(name, output, facts);
    }
  });
}
