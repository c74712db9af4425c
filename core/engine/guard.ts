// Before a step is entered: its guard, where the way goes on past it, and its admission, where the
// branch ends (language reference §§1.4, 9). Both are asked before anything of the step is rendered.

import { guardsInRowMax } from "#core/model/flow-limits";
import type { PlanStep } from "#core/playbook/plan";
import { isTruthy, type Template } from "#core/playbook/template";
import { enterStep } from "./enter.ts";
import { enterFailed, passBy } from "./exit.ts";
import { failure, failureOf, Unusable } from "./failures.ts";
import { ExecutionScope } from "./scope.ts";
import type { Turn } from "./turn.ts";

/** Enters a step, passes it by, or ends the branch before it. */
export function approachStep(turn: Turn, step: PlanStep): true {
  const { guard, admit } = step;
  if (guard === undefined && admit === undefined) return enterStep(turn, step);
  try {
    if (guard !== undefined && !holds(turn, guard)) {
      refuseCycle(turn, step);
      return passBy(turn, step);
    }
    if (!isAdmitted(turn, step)) {
      turn.journal.emit({ type: "step.skipped", step: step.name, reason: "admit" });
      return true;
    }
  } catch (thrown) {
    return failBefore(turn, step, thrown);
  }
  return enterStep(turn, step);
}

/** What can't be decided fails the step that asked for it: it is entered, and left at once. */
function failBefore(turn: Turn, step: PlanStep, thrown: unknown): true {
  return enterFailed(turn, step, failureOf(thrown, `step ${step.name}: before it is entered`));
}

/** A cycle of steps that are all passed by never enters anything, and would never end. */
function refuseCycle({ plan, state }: Turn, step: PlanStep): void {
  const most = Math.max(guardsInRowMax, plan.steps.length);
  if (state.guarded < most) return;
  const message = `${most} guards in a row did not hold, the last at step ${step.name}`;
  throw new Unusable(failure("guard", `${message}: expected one that does`, "guard_cycle"));
}

/** The first rule that matches says; where none does, the step is admitted. */
function isAdmitted(turn: Turn, { admit = [] }: PlanStep): boolean {
  for (const { when, allow } of admit) {
    if (when === undefined || holds(turn, when)) return allow;
  }
  return true;
}

function holds(turn: Turn, condition: Template): boolean {
  const scope = new ExecutionScope(turn.state, turn.facts);
  return isTruthy(condition.evaluate(scope, { nowMs: turn.facts.nowMs }));
}
