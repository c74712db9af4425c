// Leaving a step: its `set`, its events, then its arcs, all evaluated before anything is recorded. A
// failed step can be left only through an arc whose `when` holds, and is recovered by it. A step that
// is passed by is left too, by the arcs that a call without a result would take.

import type { ArcTaken, StepExit } from "#core/model/event";
import type { Json, JsonObject } from "#core/model/json";
import { type Failure, failureOutput, type Output } from "#core/model/outcome";
import type { PlanArc, PlanStep } from "#core/playbook/plan";
import { isTruthy, type TemplateEnvironment } from "#core/playbook/template";
import { type CompiledSet, renderValue } from "#core/playbook/value";
import { emitAll, type RenderedEmit, renderEmits } from "./emit.ts";
import { failure, failureOf, Unusable } from "./failures.ts";
import { canBeReached } from "./joins.ts";
import { ExecutionScope, type Locals, locals, outputView } from "./scope.ts";
import type { ActiveStep } from "./state.ts";
import type { Turn } from "./turn.ts";
import { noVariables, setVariable, type Variables } from "./variables.ts";

/** Emits `step.exit`, and before it the skips that follow from it and the step's own events. */
export function exitStep(turn: Turn, step: PlanStep): true {
  const active = turn.state.active.get(step.name);
  const output = active?.output ?? { status: "ok" };
  const ended = { output, failed: active?.failed ?? false };
  const { exit, emits } = evaluateExit(turn, step, active, ended);
  skipUnmatched(turn, step, openAfter(turn, step, exit));
  emitAll(turn, step, emits);
  turn.journal.emit(exit);
  return true;
}

/**
 * Goes on past a step whose guard does not hold.
 * @throws Unusable, or a template's error, where no arc of it can be chosen.
 */
export function passBy(turn: Turn, step: PlanStep): true {
  const context = new ExitContext(turn, step, { output: { status: "ok" }, failed: false });
  const { taken, notTaken } = context.pass();
  const { active, arrivals } = turn.state;
  const others = [...active.keys(), ...[...arrivals.keys()].filter((name) => name !== step.name)];
  const open = [...others, ...taken.map(({ to }) => to)];
  skipUnmatched(turn, step, { open, notTaken });
  turn.journal.emit({
    type: "step.skipped",
    step: step.name,
    reason: "guard",
    taken,
    not_taken: notTaken,
  });
  return true;
}

/** Leaves a step that the engine itself had to fail: no command of it runs. */
export function exitFailed(turn: Turn, step: PlanStep, error: Failure): true {
  const active = turn.state.active.get(step.name);
  const ended = { output: failureOutput(error), failed: true };
  const { exit } = evaluateExit(turn, step, active, ended);
  skipUnmatched(turn, step, openAfter(turn, step, exit));
  turn.journal.emit({ ...exit, error: exit.error ?? error });
  return true;
}

/**
 * Enters a step that can't begin, and leaves it at once. Its arcs are tried before: a fact that they
 * miss must not leave a step entered that would then be run.
 */
export function enterFailed(turn: Turn, step: PlanStep, error: Failure): true {
  const visit = (turn.state.steps.get(step.name)?.visits ?? 0) + 1;
  evaluateExit(turn, step, undefined, { output: failureOutput(error), failed: true });
  turn.journal.emit({ type: "step.enter", step: step.name, visit });
  return exitFailed(turn, step, error);
}

interface Ended {
  readonly output: Output;
  readonly failed: boolean;
}

interface Evaluated {
  readonly exit: StepExit;
  /** None where the step has failed. */
  readonly emits: readonly RenderedEmit[];
}

function evaluateExit(
  turn: Turn,
  step: PlanStep,
  active: ActiveStep | undefined,
  ended: Ended,
): Evaluated {
  const visit = active?.visit ?? 1;
  const looped = active?.loop !== undefined;
  const first = new ExitContext(turn, step, ended, { exits: true, looped });
  const rendered = first.render();
  if (!("error" in rendered)) {
    const exit = first.exit(visit, rendered.set, undefined);
    return { exit, emits: exit.status === "completed" ? rendered.emits : [] };
  }
  const { error } = rendered;
  const output: Output = { ...ended.output, status: "error", error };
  const second = new ExitContext(turn, step, { output, failed: true }, { exits: true });
  return { exit: second.exit(visit, {}, error), emits: [] };
}

/** What a step leaves behind, but for its arcs. */
interface Rendered {
  readonly set: JsonObject;
  readonly emits: readonly RenderedEmit[];
}

interface Looks {
  /** The step was entered, and sees itself by its name. */
  readonly exits?: boolean;
  readonly looped?: boolean;
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
    { exits = false, looped = false }: Looks = {},
  ) {
    this.#failed = ended.failed;
    const bound = exitLocals(turn, step, ended, looped);
    const exiting = { name: step.name, output: ended.output };
    this.#scope = new ExecutionScope(turn.state, turn.facts, {
      bound,
      overlay: this.#overlay,
      ...(exits ? { exiting } : {}),
    });
    this.#environment = { nowMs: turn.facts.nowMs };
  }

  /** Step-level `set` and `emit`: once per completion, and not at all for a step that failed. */
  render(): Rendered | { readonly error: Failure } {
    const { set, emit, name } = this.step;
    if (this.#failed || (set.length === 0 && emit.length === 0)) return { set: {}, emits: [] };
    let what = "set";
    try {
      const values = this.#render(set);
      what = "emit";
      return { set: values, emits: renderEmits(this.step, this.#scope, this.#environment) };
    } catch (thrown) {
      return { error: failureOf(thrown, `step ${name}: ${what}`) };
    }
  }

  /** The arcs past a step that is not entered. */
  pass(): Choice {
    const choice = this.#choose();
    const deadEnd = choice.taken.length === 0 ? this.#deadEnd() : undefined;
    if (deadEnd !== undefined) throw new Unusable(deadEnd);
    return choice;
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
function skipUnmatched(turn: Turn, step: PlanStep, { open, notTaken }: Aftermath): void {
  if (step.branchesFromCycle || notTaken.length === 0) return;
  for (const name of new Set(notTaken)) {
    const target = turn.plan.byName.get(name);
    if (target === undefined || turn.state.steps.has(name)) continue;
    if (canBeReached(turn.plan, target, open)) continue;
    turn.journal.emit({ type: "step.skipped", step: name, reason: "unmatched" });
  }
}

interface Aftermath {
  /** The steps that will run or wait once this one has been left. */
  readonly open: readonly string[];
  readonly notTaken: readonly string[];
}

function openAfter(turn: Turn, step: PlanStep, exit: StepExit): Aftermath {
  const { active, arrivals } = turn.state;
  const others = [...active.keys()].filter((name) => name !== step.name);
  const open = [...others, ...arrivals.keys(), ...exit.taken.map(({ to }) => to)];
  return { open, notTaken: exit.not_taken };
}
