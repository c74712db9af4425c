// Joins (DESIGN §4): a step with several upstreams waits for those that can still come, and for
// no others. Skipped branches, unreachable ones and the far side of a cycle never hold it up.

import type { Plan, PlanStep } from "#core/playbook/plan";
import type { ExecutionState } from "./state.ts";

/** The next step to enter among those that have been arrived at; undefined if all must wait. */
export function nextToEnter(plan: Plan, state: ExecutionState): PlanStep | undefined {
  for (const [name, arrived] of state.arrivals) {
    const step = plan.byName.get(name);
    // An arrival at a running step waits for its exit.
    if (step === undefined || state.active.has(name)) continue;
    if (ready(plan, state, step, arrived)) return step;
  }
  return state.active.size === 0 ? firstPending(plan, state) : undefined;
}

function ready(
  plan: Plan,
  state: ExecutionState,
  step: PlanStep,
  arrived: ReadonlySet<string>,
): boolean {
  const upstreams = plan.graph.sources[step.index] ?? [];
  if (arrived.size >= upstreams.length) return true;
  for (const upstream of upstreams) {
    const name = plan.steps[upstream]?.name ?? "";
    if (arrived.has(name)) continue;
    if (canStillCome(plan, state, upstream, step)) return false;
  }
  return true;
}

/** Whether an active step or another pending join reaches the upstream without passing the join. */
function canStillCome(
  plan: Plan,
  state: ExecutionState,
  upstream: number,
  join: PlanStep,
): boolean {
  if (upstream === join.index) return false;
  const reaching = plan.graph.reaching(upstream, join.index);
  for (const name of state.active.keys()) {
    const active = plan.byName.get(name);
    if (active !== undefined && reaching.has(active.index)) return true;
  }
  for (const name of state.arrivals.keys()) {
    const pending = plan.byName.get(name);
    if (pending !== undefined && pending !== join && reaching.has(pending.index)) return true;
  }
  return false;
}

/** Joins that wait for one another: the first in document order goes ahead. */
function firstPending(plan: Plan, state: ExecutionState): PlanStep | undefined {
  let first: PlanStep | undefined;
  for (const name of state.arrivals.keys()) {
    const step = plan.byName.get(name);
    if (step !== undefined && (first === undefined || step.index < first.index)) first = step;
  }
  return first;
}

/** Whether one of these steps can still lead to the goal. */
export function canBeReached(plan: Plan, goal: PlanStep, open: readonly string[]): boolean {
  const reaching = plan.graph.reaching(goal.index, undefined);
  return open.some((name) => {
    const step = plan.byName.get(name);
    return step !== undefined && reaching.has(step.index);
  });
}
