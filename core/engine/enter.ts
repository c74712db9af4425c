// Entering a step: a plain one just starts a visit; a loop renders its collection once, so that
// nothing its iterations set can change what they run over.

import type { LoopEntry } from "#core/model/event";
import type { Failure } from "#core/model/outcome";
import type { PlanLoop, PlanStep } from "#core/playbook/plan";
import { renderValue } from "#core/playbook/value";
import { cursorEntry } from "./cursor.ts";
import { enterFailed } from "./exit.ts";
import { failure, failureOf, Unusable } from "./failures.ts";
import { loopItems } from "./loop-items.ts";
import { ExecutionScope } from "./scope.ts";
import type { Turn } from "./turn.ts";

/** Emits `step.enter`; for a loop that can't start, its failed exit too. */
export function enterStep(turn: Turn, step: PlanStep): true {
  const visit = (turn.state.steps.get(step.name)?.visits ?? 0) + 1;
  const entry = { type: "step.enter", step: step.name, visit } as const;
  if (step.loop === undefined) {
    turn.journal.emit(entry);
    return true;
  }
  const isCursor = step.loop.mode === "cursor";
  const loop = isCursor ? cursorEntry(turn, step.loop) : loopEntry(turn, step.loop);
  if ("kind" in loop) return enterFailed(turn, step, loop);
  turn.journal.emit({ ...entry, loop });
  return true;
}

function loopEntry(turn: Turn, loop: PlanLoop): LoopEntry | Failure {
  const scope = new ExecutionScope(turn.state, turn.facts);
  const environment = { nowMs: turn.facts.nowMs };
  try {
    const items = loopItems(renderValue(loop.items, scope, environment));
    const bound =
      typeof loop.maxInFlight === "number"
        ? loop.maxInFlight
        : boundOf(loop.maxInFlight.evaluate(scope, environment));
    return { mode: loop.mode, total: items.length, max_in_flight: bound, items };
  } catch (thrown) {
    return failureOf(thrown, "loop");
  }
}

function boundOf(value: unknown): number {
  const bound = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  if (typeof bound === "number" && Number.isInteger(bound) && bound >= 1) return bound;
  throw new Unusable(
    failure("loop", `max_in_flight is ${describe(value)}, expected a whole number from 1`),
  );
}

function describe(value: unknown): string {
  if (value === undefined || value === null) return "not defined";
  if (typeof value === "object") return Array.isArray(value) ? "a list" : "a map";
  return typeof value === "string" ? "a string" : String(value);
}
