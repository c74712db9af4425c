// Events of a playbook's own (language reference §9): rendered as a step completes, and told before
// its exit, so that a log cut between the two goes on behind those that it has.

import type { Json } from "#core/model/json";
import type { PlanStep } from "#core/playbook/plan";
import type { Scope, TemplateEnvironment } from "#core/playbook/template";
import { renderValue } from "#core/playbook/value";
import type { Turn } from "./turn.ts";

export interface RenderedEmit {
  readonly name: string;
  readonly data?: Json;
}

export function renderEmits(
  { emit }: PlanStep,
  scope: Scope,
  environment: TemplateEnvironment,
): readonly RenderedEmit[] {
  return emit.map(({ event, data }) => {
    // Templates give JSON, or undefined.
    const value = renderValue(data, scope, environment) as Json | undefined;
    return { name: event, ...(value === undefined || value === null ? {} : { data: value }) };
  });
}

/** Those that the log has already are not told again. */
export function emitAll(turn: Turn, step: PlanStep, emits: readonly RenderedEmit[]): void {
  const active = turn.state.active.get(step.name);
  if (active === undefined) return;
  const { visit, emitted = 0 } = active;
  for (const { name, data } of emits.slice(emitted)) {
    turn.journal.emit({
      type: "event.emitted",
      name,
      step: step.name,
      visit,
      ...(data === undefined ? {} : { data }),
    });
  }
}
