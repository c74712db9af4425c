// What every event log does with a transition before it stores anything: refuses what no correct
// caller sends (a bug of the caller, never an answer), and makes texts fit for any database.

import { invariant } from "#core/model/fault";
import { storableText } from "#core/model/storable-text";
import type { ExecutionRow, Transition } from "#core/ports/event-log";

/**
 * Checks the shape of one append call.
 * @throws InvariantViolation when an execution appears twice, or a transition has no events, or
 * its events aren't dense from its expected head on, or two of them issue one command.
 */
export function checkTransitions(transitions: readonly Transition[]): void {
  const seen = new Set<string>();
  const issuer = new Map<string, string>();
  for (const { row, expectedHead, events, issued } of transitions) {
    const id = row.executionId;
    invariant(!seen.has(id), `execution ${id} has two transitions in one append`);
    seen.add(id);
    invariant(events.length > 0, `the transition of execution ${id} has no events`);
    for (const { commandId } of issued) {
      const other = issuer.get(commandId) ?? id;
      invariant(other === id, `executions ${other} and ${id} both issue command ${commandId}`);
      issuer.set(commandId, id);
    }
    let seq = expectedHead;
    for (const { event } of events) {
      seq += 1;
      invariant(
        event.seq === seq,
        `an event of execution ${id} has seq ${event.seq}, expected ${seq}`,
      );
      invariant(
        event.execution_id === id,
        `an event of execution ${event.execution_id} stands in a transition of ${id}`,
      );
    }
  }
}

export { storableText };

/** The row with its free texts, which may hold anything that a tool said, made storable. */
export function storableRow(row: ExecutionRow): ExecutionRow {
  const { currentStep, error } = row;
  return {
    ...row,
    ...(currentStep === undefined ? {} : { currentStep: storableText(currentStep) }),
    ...(error === undefined ? {} : { error: storableText(error) }),
  };
}
