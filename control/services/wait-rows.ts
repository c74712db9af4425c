// Rows of commands that wait for an answer or a child, and not beyond a time: a timer each, made from
// the events that said until when.

import type { ExecutionState, OpenCommand } from "#core/engine/state";
import type { Event } from "#core/model/event";
import type { CommandId } from "#core/model/ids";
import type { NewCommandRow } from "#core/ports/event-log";

/** Until when such a command waits; undefined for one that no row is needed for. */
export function waitDue({ wait, child }: OpenCommand): number | undefined {
  return wait === undefined ? child?.due : wait.due;
}

/** Whether nobody is to run the command: it waits for somebody else. */
export function isParked({ wait, child }: OpenCommand): boolean {
  return wait !== undefined || child !== undefined;
}

/** The rows that these events ask for; the time of the row is told by the clock of the store. */
export function waitRows(
  state: ExecutionState,
  events: readonly Event[],
): readonly NewCommandRow[] {
  return events.flatMap((event) => {
    if (event.type !== "wait.parked" && event.type !== "child.started") return [];
    if (event.due === undefined) return [];
    const command = state.commands.get(event.command_id);
    return command === undefined ? [] : [waitRow(state, command, event.due - event.time)];
  });
}

/** @param dueInMs from now on. */
export function waitRow(
  { executionId }: Pick<ExecutionState, "executionId">,
  { commandId, step, visit, kind, attempt }: OpenCommand,
  dueInMs: number,
): NewCommandRow {
  return {
    commandId,
    executionId,
    kind: "timer",
    pool: "",
    attempt,
    dueInMs: Math.max(0, dueInMs),
    payload: { step, visit, kind },
  };
}

/** The command of a row that fell due, if it still waits as the row says. */
export function dueCommand(
  state: ExecutionState,
  row: { readonly commandId: CommandId; readonly attempt: number },
): OpenCommand | undefined {
  const command = state.commands.get(row.commandId);
  return command?.attempt === row.attempt && waitDue(command) !== undefined ? command : undefined;
}
