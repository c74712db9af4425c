// The end: nothing runs, nothing waits. Completed if every failure was recovered, else failed.

import type { PlaybookCompleted } from "#core/model/event";
import type { Json } from "#core/model/json";
import { failure } from "./failures.ts";
import { heldValue } from "./scope.ts";
import type { StepState } from "./state.ts";
import type { Turn } from "./turn.ts";

/** Emits the terminal event. */
export function complete(turn: Turn): true {
  const { state, journal } = turn;
  if (state.failed.size === 0) {
    journal.emit({ type: "playbook.completed", ...resultOf(turn) });
    return true;
  }
  const names = [...state.failed.keys()];
  const [first] = state.failed.values();
  const message = `failed steps: ${names.join(", ")}${first === undefined ? "" : `: ${first.message}`}`;
  journal.emit({
    type: "playbook.failed",
    error: { ...failure(first?.kind ?? "unknown", message), ...codeOf(first?.code) },
    failed_steps: names,
  });
  return true;
}

function codeOf(code: string | number | undefined): { code?: string | number } {
  return code === undefined ? {} : { code };
}

/** The result of step `end` if it ran, else of the last step to exit (DESIGN §4). */
function resultOf(turn: Turn): Omit<PlaybookCompleted, "type"> {
  const { steps, lastExit } = turn.state;
  const end = steps.get("end");
  const step = end?.output !== undefined ? end : steps.get(lastExit ?? "");
  if (step?.output === undefined) return {};
  if (step.stats !== undefined) return { result: loopResult(turn, step) };
  const { ref, data } = step.output;
  return ref === undefined ? { result: data ?? null } : { result_ref: ref };
}

function loopResult(turn: Turn, step: StepState): Json {
  return { results: heldValue(step.results ?? [], turn.facts), stats: { ...step.stats } };
}
