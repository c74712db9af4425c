// What the contract of command rows is told with: issuing, claiming and settling in one line.
import type { CommandRow, EventLog, LeaseRef, NewCommandRow } from "#core/ports/event-log";
import { type CommandParts, command, continueWith, startWith } from "./transitions.ts";

/** The length of every lease that a test doesn't choose. */
export const leaseMs = 10_000;

export const claim = (
  log: EventLog,
  want: number,
  { worker = "w", pools = ["default"] }: { worker?: string; pools?: readonly string[] } = {},
): Promise<readonly CommandRow[]> => log.claim({ worker, pools, want, leaseMs });

/** What a store says of a row that was issued. */
export const asRow = (row: NewCommandRow, worker?: string): CommandRow => ({
  commandId: row.commandId,
  executionId: row.executionId,
  kind: row.kind,
  pool: row.pool,
  attempt: row.attempt,
  payload: row.payload,
  ...(worker === undefined ? {} : { worker }),
});

export const leasesOf = (rows: readonly CommandRow[]): readonly LeaseRef[] =>
  rows.map(({ commandId, attempt }) => ({ commandId, attempt }));

/** Issues one row a step, all of one execution, with the same parts. */
export const issue = (log: EventLog, steps: readonly string[], parts: CommandParts = {}) =>
  startWith(log, (id) => steps.map((step) => command(id, step, parts)));

/** Settles rows through transitions of the executions that issued them. */
export async function settle(log: EventLog, rows: readonly CommandRow[]): Promise<void> {
  for (const { executionId, commandId } of rows) {
    await continueWith(log, executionId, { settled: [commandId] });
  }
}
