// Decisions of cursor loops (language reference §4.8): which frame is issued next, and when the
// queue has been drained.

import type { FrameBinding } from "#core/model/command";
import type { CommandIssued, LoopEntry } from "#core/model/event";
import type { Failure } from "#core/model/outcome";
import type { PlanLoop, PlanStep } from "#core/playbook/plan";
import { failure } from "./failures.ts";
import type { ExecutionState } from "./state.ts";
import type { Turn } from "./turn.ts";

/** The loop's numbers as they are now; a failure where one is none. */
export function cursorEntry(_turn: Turn, _loop: PlanLoop): LoopEntry | Failure {
  return failure("loop", "cursor loops are not supported by this version");
}

/** Takes the loop's next decision; false if there is none. */
export function decideCursor(_turn: Turn, _step: PlanStep): boolean {
  return false;
}

/** What a frame's row keeps for its worker; undefined for a command that is no frame. */
export function framePayload(
  _state: ExecutionState,
  _event: CommandIssued,
): FrameBinding | undefined {
  return undefined;
}
