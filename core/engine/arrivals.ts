// Who has arrived where: arcs that were taken bring the execution to their targets, and a step that
// is passed by sends it on at once.

import type { StepSkipped } from "#core/model/event";
import { ReplayError } from "./replay-error.ts";
import type { ExecutionState } from "./state.ts";
import { setVariables } from "./variables.ts";

export function arrive(state: ExecutionState, from: string, to: string): void {
  const arrived = state.arrivals.get(to);
  if (arrived === undefined) state.arrivals.set(to, new Set([from]));
  else arrived.add(from);
}

/**
 * A step that no arc leads to any more, or that the execution came to and did not enter. What an
 * earlier visit came to stays visible.
 */
export function skipped(state: ExecutionState, event: StepSkipped): void {
  const { step, reason } = event;
  const known = state.steps.get(step);
  if (known === undefined) {
    state.steps.set(step, { visits: 0, status: "skipped", inlineBytes: 0 });
  }
  if (reason === "unmatched") return;
  if (state.active.has(step)) throw new ReplayError(`step ${step} is passed by while it runs`);
  if (known !== undefined) known.status = "skipped";
  state.arrivals.delete(step);
  state.guarded++;
  for (const arc of event.taken ?? []) {
    setVariables(state.variables, arc);
    arrive(state, step, arc.to);
  }
}
