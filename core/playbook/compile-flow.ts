// Compiles what stands around a step's call: its guard, its admission, and the events that it makes
// known.

import type { AdmitRuleDocument, EmitDocument, StepDocument } from "./document.ts";
import type { PlanAdmission, PlanEmit, PlanStep } from "./plan.ts";
import { compileExpression } from "./template.ts";
import { compileValue } from "./value.ts";

export function compileFlow(step: StepDocument): Pick<PlanStep, "guard" | "admit" | "emit"> {
  const { when, emit = [], spec } = step;
  const rules = spec?.policy?.admit?.rules ?? [];
  return {
    ...(isAlways(when) ? {} : { guard: compileExpression(String(when)) }),
    ...(rules.length === 0 ? {} : { admit: rules.map(admission) }),
    emit: [emit].flat().map(compileEmit),
  };
}

const isAlways = (when: string | boolean | undefined): boolean =>
  when === undefined || when === true;

function admission({ when, then: { allow } }: AdmitRuleDocument): PlanAdmission {
  return isAlways(when) ? { allow } : { when: compileExpression(String(when)), allow };
}

function compileEmit({ event, data }: EmitDocument): PlanEmit {
  return { event, data: compileValue(data ?? null) };
}
