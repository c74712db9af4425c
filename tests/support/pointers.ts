// Hints that tests send: made up, as nothing is ever looked up by them.

import { commandId, eventId, executionId } from "#core/model/ids";
import type { CommandPointer } from "#core/ports/bus";

/** A pointer to a command of this step; each number is another command. */
export function pointer(step: string, n = 1): CommandPointer {
  const execution = executionId("301934857203945472");
  return {
    execution_id: execution,
    event_id: eventId(String(301934857203949568n + BigInt(n))),
    command_id: commandId(execution, step, n),
    attempt: 1,
    step,
  };
}
