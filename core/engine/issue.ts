// Issuing commands: what the engine can render is rendered here, once, from the playbook's own
// text; what a worker's templates will read of the execution is picked out for them.

import type { IterationBinding } from "#core/model/command";
import { isSystemPath, systemPool } from "#core/model/dispatch";
import type { CommandInput, CommandIssued } from "#core/model/event";
import { invariant } from "#core/model/fault";
import { commandId } from "#core/model/ids";
import { isJsonObject, type Json, type JsonObject } from "#core/model/json";
import type { PlanLoop, PlanStep } from "#core/playbook/plan";
import type { ReadPath } from "#core/playbook/template";
import { View } from "#core/playbook/template";
import { assembleTasks } from "./assemble.ts";
import { type ChildPlan, planChild, startChild } from "./children.ts";
import { exitFailed } from "./exit.ts";
import { failureOf } from "./failures.ts";
import { iterationBinding, iterationLocals } from "./iteration.ts";
import { ExecutionScope, heldValue, heldValues } from "./scope.ts";
import type { ExecutionState, LoopState } from "./state.ts";
import type { Turn } from "./turn.ts";
import { StoredValue } from "./variables.ts";
import { planWait, type WaitPlan } from "./waits.ts";

/** What the loop of an active step is due for, if anything. */
export function loopWork(state: ExecutionState, step: string): "finish" | "issue" | undefined {
  const loop = state.active.get(step)?.loop;
  if (loop === undefined) return undefined;
  const { total, max_in_flight: bound } = loop.entry;
  if (loop.done === total) return "finish";
  return loop.next < total && loop.open < bound ? "issue" : undefined;
}

/** Issues the command of a step without a loop; where it can't be rendered, the step fails. */
export function issueCommand(turn: Turn, step: PlanStep): true {
  const visit = turn.state.active.get(step.name)?.visit ?? 1;
  const id = commandId(turn.state.executionId, step.name, visit);
  const rendered = render(turn, step, { visit });
  if ("error" in rendered) return exitFailed(turn, step, rendered.error);
  issue(turn, step, { ...rendered, visit, id });
  return true;
}

/** Issues the next iteration; one that can't be rendered has failed like one that ran. */
export function issueIteration(turn: Turn, step: PlanStep): true {
  const active = turn.state.active.get(step.name);
  invariant(active?.loop !== undefined && step.loop !== undefined, `${step.name} has no loop`);
  const index = active.loop.next;
  const id = commandId(turn.state.executionId, step.name, active.visit, index);
  const iteration = bindingOf(turn, step.loop, active.loop, index);
  const rendered = render(turn, step, { visit: active.visit, iteration });
  if (!("error" in rendered)) {
    issue(turn, step, { ...rendered, visit: active.visit, id, iteration });
    return true;
  }
  turn.journal.emit(issuedEvent(turn, step, { visit: active.visit, id, iteration }));
  turn.journal.emit({
    type: "call.error",
    command_id: id,
    attempt: 1,
    output: { status: "error", error: rendered.error },
    duration_ms: 0,
  });
  return true;
}

/** Emits `loop.done` with the results in order; a failed iteration's is null. */
export function finishLoop(turn: Turn, step: PlanStep): true {
  const active = turn.state.active.get(step.name);
  invariant(active?.loop !== undefined, `${step.name} has no loop`);
  const { loop } = active;
  const { total } = loop.entry;
  const held = Array.from({ length: total }, (_, index) => loop.results[index] ?? null);
  const results = heldValues(held, turn.facts);
  turn.journal.emit({
    type: "loop.done",
    step: step.name,
    visit: active.visit,
    stats: { total, success: total - loop.failed, failed: loop.failed },
    results,
  });
  return true;
}

interface Rendered {
  readonly input?: CommandInput;
  readonly child?: ChildPlan;
  readonly wait?: WaitPlan;
}

interface Call {
  readonly visit: number;
  readonly iteration?: IterationBinding;
}

interface Issue extends Rendered, Call {
  readonly id: CommandIssued["command_id"];
}

function issue(turn: Turn, step: PlanStep, command: Issue): void {
  const event = issuedEvent(turn, step, command);
  turn.journal.emit(event);
  const { child, wait, iteration } = command;
  if (child !== undefined) return startChild(turn, event.command_id, child);
  if (wait !== undefined) {
    turn.journal.emit({ type: "wait.parked", command_id: event.command_id, ...wait });
    return;
  }
  turn.journal.issued.push(iteration === undefined ? { event } : { event, iteration });
}

export function issuedEvent({ state }: Turn, step: PlanStep, command: Issue): CommandIssued {
  const { input, iteration } = command;
  const priority = step.priority ?? state.started?.priority ?? 0;
  return {
    type: "command.issued",
    step: step.name,
    visit: command.visit,
    command_id: command.id,
    kind: step.kind,
    pool: isSystemPath(state.started?.path ?? "") ? systemPool : step.pool,
    ...(priority === 0 ? {} : { priority }),
    ...(step.labels === undefined ? {} : { labels: step.labels }),
    ...(iteration === undefined ? {} : { iteration: iteration.index }),
    ...(input === undefined ? {} : { input }),
    ...(step.timeoutMs === undefined ? {} : { timeout_ms: step.timeoutMs }),
  };
}

function render(
  turn: Turn,
  step: PlanStep,
  call: Call,
): Rendered | { readonly error: ReturnType<typeof failureOf> } {
  const { iteration } = call;
  const view = iteration === undefined ? {} : { bound: iterationLocals(iteration) };
  const scope = new ExecutionScope(turn.state, turn.facts, view);
  try {
    const input = renderInput(turn, step, scope);
    const rendered = input === undefined ? {} : { input };
    switch (step.kind) {
      case "playbook":
      case "agent":
        return { ...rendered, child: planChild(turn, step, configOf(step, input)) };
      case "wait":
        return { ...rendered, wait: waitOf(turn, step, { ...call, ...rendered }) };
      default:
        return rendered;
    }
  } catch (thrown) {
    return { error: failureOf(thrown, `step ${step.name}`) };
  }
}

function waitOf(
  turn: Turn,
  step: PlanStep,
  { visit, iteration, input }: Call & Rendered,
): WaitPlan {
  const config = configOf(step, input);
  const item = iteration === undefined ? {} : { iteration: iteration.index };
  return planWait(turn, step, { visit, config, ...item });
}

/** The fields of a tool that stands alone in its step. */
function configOf(step: PlanStep, input: CommandInput | undefined): JsonObject {
  return assembleTasks(step, input)[0]?.config ?? {};
}

export function renderInput(
  turn: Turn,
  step: PlanStep,
  scope: ExecutionScope,
): CommandInput | undefined {
  if (step.fields.length === 0 && step.workerReads.length === 0) return undefined;
  const environment = { nowMs: turn.facts.nowMs };
  const fields: Record<string, Json> = {};
  for (const field of step.fields) {
    fields[field.pointer] = (field.template.evaluate(scope, environment) ?? null) as Json;
  }
  const picked = pick(step.workerReads, scope);
  return picked === undefined ? { fields } : { fields, scope: picked };
}

/** The values that a worker's templates will read, and no more: `{workload: {api: …}}`. */
function pick(reads: readonly ReadPath[], scope: ExecutionScope): JsonObject | undefined {
  let picked: Record<string, Json> | undefined;
  for (const { root, path } of reads) {
    const value = follow(scope.get(root), path);
    if (value === undefined) continue;
    picked ??= {};
    place(picked, [root, ...path], value);
  }
  return picked;
}

function follow(start: unknown, path: readonly (string | number)[]): Json | undefined {
  let value = start;
  for (const key of path) {
    if (value instanceof View) value = value.attribute(String(key));
    else if (typeof value === "object" && value !== null && Object.hasOwn(value, key)) {
      value = (value as Record<string | number, unknown>)[key];
    } else return undefined;
  }
  return (value instanceof View ? value.value : value) as Json | undefined;
}

/** Puts the value at the path; maps on the way are made anew, so that no state is touched. */
function place(into: Record<string, Json>, path: readonly (string | number)[], value: Json): void {
  const [first, ...rest] = path;
  const key = String(first);
  if (rest.length === 0) {
    into[key] = value;
    return;
  }
  const present = Object.hasOwn(into, key) ? into[key] : undefined;
  const inner: Record<string, Json> = isJsonObject(present) ? { ...present } : {};
  place(inner, rest, value);
  into[key] = inner;
}

function bindingOf(turn: Turn, loop: PlanLoop, state: LoopState, index: number): IterationBinding {
  const items =
    state.items instanceof StoredValue ? heldValue(state.items, turn.facts) : state.items;
  return iterationBinding(loop.iterator, Array.isArray(items) ? items : [], index);
}
