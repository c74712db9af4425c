// Leaving a step: its `set`, then its arcs, all evaluated before anything is recorded. A failed
// step can be left only through an arc whose `when` holds, and is recovered by it.

import type { ArcTaken, StepExit } from "#core/model/event";
import type { Json, JsonObject } from "#core/model/json";
import { type Failure, failureOutput, type Output } from "#core/model/outcome";
import type { PlanArc, PlanStep } from "#core/playbook/plan";
import { isTruthy, type TemplateEnvironment } from "#core/playbook/template";
import { type CompiledSet, renderValue } from "#core/playbook/value";
import { failure, failureOf } from "./failures.ts";
import { canBeReached } from "./joins.ts";
import { ExecutionScope, type Locals, locals, outputView } from "./scope.ts";
import type { ActiveStep } from "./state.ts";
import type { Turn } from "./turn.ts";
import { noVariables, setVariable, type Variables } from "./variables.ts";

/** Emits `step.exit`, and before it the skips that follow from it. */
export function exitStep(turn: Turn, step: PlanStep): true {
  const active = turn.state.active.get(step.name);
  const output = active?.output ?? { status: "ok" };
  const exit = evaluateExit(turn, step, active, { output, failed: active?.failed ?? false });
  skipUnmatched(turn, step, exit);
  turn.journal.emit(exit);
  return true;
}

/** Leaves a step that the engine itself had to fail: no command of it runs. */
export function exitFailed(turn: Turn, step: PlanStep, error: Failure): true {
  const active = turn.state.active.get(step.name);
  const exit = evaluateExit(turn, step, active, { output: failureOutput(error), failed: true });
  skipUnmatched(turn, step, exit);
  turn.journal.emit({ ...exit, error: exit.error ?? error });
  return true;
}

interface Ended {
  readonly output: Output;
  readonly failed: boolean;
}

function evaluateExit(
  turn: Turn,
  step: PlanStep,
  active: ActiveStep | undefined,
  ended: Ended,
): StepExit {
  const visit = active?.visit ?? 1;
  const first = new ExitContext(turn, step, ended, active?.loop !== undefined);
  const set = first.stepSet();
  if (set.error === undefined) return first.exit(visit, set.values, undefined);
  const output: Output = { ...ended.output, status: "error", error: set.error };
  return new ExitContext(turn, step, { output, failed: true }, false).exit(visit, {}, set.error);
}

interface RenderedSet {
  readonly values: JsonObject;
  readonly error?: Failure;
}

interface Choice {
  readonly taken: readonly ArcTaken[];
  readonly notTaken: readonly string[];
}

class ExitContext {
  readonly #overlay: Variables = noVariables();
  readonly #scope: ExecutionScope;
  readonly #environment: TemplateEnvironment;
  readonly #failed: boolean;

  constructor(
    readonly turn: Turn,
    readonly step: PlanStep,
    ended: Ended,
    looped: boolean,
  ) {
    this.#failed = ended.failed;
    const bound = exitLocals(turn, step, ended, looped);
    const exiting = { name: step.name, output: ended.output };
    this.#scope = new ExecutionScope(turn.state, turn.facts, {
      bound,
      overlay: this.#overlay,
      exiting,
    });
    this.#environment = { nowMs: turn.facts.nowMs };
  }

  /** Step-level `set`: once per completion, and not at all for a step that failed. */
  stepSet(): RenderedSet {
    if (this.#failed || this.step.set.length === 0) return { values: {} };
    try {
      return { values: this.#render(this.step.set) };
    } catch (thrown) {
      return { values: {}, error: failureOf(thrown, `step ${this.step.name}: set`) };
    }
  }

  exit(visit: number, set: JsonObject, error: Failure | undefined): StepExit {
    let choice: Choice;
    let failed = error;
    try {
      choice = this.#choose();
      if (choice.taken.length === 0 && !this.#failed) failed = this.#deadEnd();
    } catch (thrown) {
      failed = failureOf(thrown, `step ${this.step.name}: next`);
      choice = { taken: [], notTaken: targetNames(this.turn, this.step.arcs) };
    }
    const isFailed = this.#failed || failed !== undefined;
    return {
      type: "step.exit",
      step: this.step.name,
      visit,
      status: isFailed ? "failed" : "completed",
      ...(isFailed && choice.taken.length > 0 ? { recovered: true } : {}),
      ...(failed === undefined ? {} : { error: failed }),
      taken: choice.taken,
      not_taken: choice.notTaken,
      ...(Object.keys(set).length === 0 ? {} : { set }),
    };
  }

  /** Arcs from the top; exclusive takes the first match, inclusive all. */
  #choose(): Choice {
    const { arcs, exclusive } = this.step;
    const taken = new Map<string, ArcTaken>();
    const notTaken: string[] = [];
    for (const arc of arcs) {
      const name = targetName(this.turn, arc);
      if ((exclusive && taken.size > 0) || !this.#matches(arc)) notTaken.push(name);
      else taken.set(name, this.#take(name, arc, taken.get(name)));
    }
    return { taken: [...taken.values()], notTaken: notTaken.filter((name) => !taken.has(name)) };
  }

  #matches(arc: PlanArc): boolean {
    if (arc.when === undefined) return !this.#failed;
    return isTruthy(arc.when.evaluate(this.#scope, this.#environment));
  }

  /** Two arcs to one target arrive there once, with the values of both. */
  #take(to: string, arc: PlanArc, before: ArcTaken | undefined): ArcTaken {
    if (arc.set.length === 0) return before ?? { to };
    return { to, set: { ...before?.set, ...this.#render(arc.set) } };
  }

  /** In order: each entry sees what the ones above it set. */
  #render(sets: readonly CompiledSet[]): JsonObject {
    const values: Record<string, Json> = {};
    for (const { key, value } of sets) {
      const rendered = (renderValue(value, this.#scope, this.#environment) ?? null) as Json;
      values[key] = rendered;
      setVariable(this.#overlay, key, rendered, this.turn.state.variables);
    }
    return values;
  }

  /** `executor.spec.no_next_is_error`: a step that has arcs must leave by one of them. */
  #deadEnd(): Failure | undefined {
    if (!this.turn.plan.noNextIsError || this.step.arcs.length === 0) return undefined;
    return failure("no_next", `no arc of step ${this.step.name} matched`);
  }
}

function exitLocals(turn: Turn, step: PlanStep, ended: Ended, looped: boolean): Locals {
  const state = turn.state.steps.get(step.name);
  const { output, failed } = ended;
  const name = looped ? "loop.done" : failed ? "call.error" : "call.done";
  const bound: Record<string, unknown> = {
    output: outputView(looped ? state : undefined, output, turn.facts),
    event: { name, step: step.name, timestamp: turn.facts.nowMs, payload: output },
  };
  if (output.error !== undefined) bound.error = output.error;
  if (looped && state?.stats !== undefined) {
    bound.stats = state.stats;
    bound.loop = { done: true, length: state.stats.total };
  }
  return locals(bound);
}

function targetName(turn: Turn, arc: PlanArc): string {
  return turn.plan.steps[arc.to]?.name ?? "";
}

function targetNames(turn: Turn, arcs: readonly PlanArc[]): readonly string[] {
  return [...new Set(arcs.map((arc) => targetName(turn, arc)))];
}

/**
 * Tells which steps will not run because no arc led there, for those who watch. The exit arcs of
 * a cycle stay open while it turns (language reference §4.6). Comes before the exit, so that a
 * log cut between the two decides both again.
 */
function skipUnmatched(turn: Turn, step: PlanStep, exit: StepExit): void {
  if (step.branchesFromCycle || exit.not_taken.length === 0) return;
  const open = openAfter(turn, step, exit);
  for (const name of new Set(exit.not_taken)) {
    const target = turn.plan.byName.get(name);
    if (target === undefined || turn.state.steps.has(name)) continue;
    if (canBeReached(turn.plan, target, open)) continue;
    turn.journal.emit({ type: "step.skipped", step: name, reason: "unmatched" });
  }
}

/** The steps that will run or wait once this one has left. */
function openAfter(turn: Turn, step: PlanStep, exit: StepExit): readonly string[] {
  const { active, arrivals } = turn.state;
  const others = [...active.keys()].filter((name) => name !== step.name);
  return [...others, ...arrivals.keys(), ...exit.taken.map(({ to }) => to)];
}
