// Executions that begin in the middle: what was known before a step of another one is taken out of
// its state, and put into the state of the one that begins there.

import type { Json } from "#core/model/json";
import type { ResultRef } from "#core/model/outcome";
import type { Resumed, ResumedStep } from "#core/model/resumed";
import type { ExecutionState, StepState } from "./state.ts";
import { held, StoredValue } from "./variables.ts";

/** What a state of another execution knows, for one that begins with this step. */
export function knownBefore(state: ExecutionState, step: string): Resumed {
  const variables: [string, Json][] = [];
  const references: [string, ResultRef][] = [];
  for (const [name, value] of Object.entries(state.variables)) {
    if (value instanceof StoredValue) references.push([name, value.ref]);
    else variables.push([name, value]);
  }
  const steps = [...state.steps].flatMap(([name, own]): [string, ResumedStep][] => {
    const known = name === step ? undefined : knownStep(own);
    return known === undefined ? [] : [[name, known]];
  });
  return {
    execution_id: state.executionId,
    step,
    seq: state.seq,
    variables: Object.fromEntries(variables),
    ...(references.length === 0 ? {} : { variable_refs: Object.fromEntries(references) }),
    steps: Object.fromEntries(steps),
  };
}

/** A step that is under way is known by what it came to before, if it did. */
function knownStep(step: StepState): ResumedStep | undefined {
  const { output, results, stats, visits } = step;
  if (output === undefined) return undefined;
  const status = step.status === "entered" ? "completed" : step.status;
  const list =
    results instanceof StoredValue
      ? { results_ref: results.ref }
      : // Results of a loop are a list, by the event that brought them.
        { results: (results ?? []) as readonly Json[] };
  return { status, visits, output, ...(stats === undefined ? {} : { stats, ...list }) };
}

/** Puts what is known into the state of an execution that has just begun. */
export function resume(state: ExecutionState, resumed: Resumed): void {
  for (const [name, value] of Object.entries(resumed.variables)) state.variables[name] = value;
  for (const [name, ref] of Object.entries(resumed.variable_refs ?? {})) {
    state.variables[name] = new StoredValue(ref);
  }
  for (const [name, step] of Object.entries(resumed.steps)) {
    const { status, visits, output, stats, results, results_ref: ref } = step;
    const list = stats === undefined ? {} : { stats, results: held([...(results ?? [])], ref) };
    state.steps.set(name, { status, visits, output, ...list, inlineBytes: 0 });
  }
}
