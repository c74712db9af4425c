// What the contract of command rows is told with: issuing, claiming and settling in one line.
import { type DispatchTerms, plainTerms } from "#core/model/dispatch";
import type { ClaimRequest } from "#core/ports/command-rows";
import type { CommandRow, EventLog, LeaseRef, NewCommandRow } from "#core/ports/event-log";
import { type CommandParts, command, continueWith, startWith } from "./transitions.ts";

/** The length of every lease that a test doesn't choose. */
export const leaseMs = 10_000;

export const claim = (
  log: EventLog,
  want: number,
  { worker = "w", pools = ["default"], ...parts }: Partial<ClaimRequest> = {},
): Promise<readonly CommandRow[]> => log.claim({ worker, pools, want, leaseMs, ...parts });

/** Terms that differ from the plain ones in these. */
export const terms = (parts: Partial<DispatchTerms>): DispatchTerms => ({
  ...plainTerms,
  ...parts,
});

/** What a store says of a row that was issued. */
export const asRow = (row: NewCommandRow, worker?: string): CommandRow => ({
  commandId: row.commandId,
  executionId: row.executionId,
  kind: row.kind,
  pool: row.pool,
  attempt: row.attempt,
  terms: row.terms ?? plainTerms,
  suspect: row.suspect ?? false,
  payload: row.payload,
  ...(worker === undefined ? {} : { worker }),
});

/** A sweep of leases where no worker is waited for: what has run out is marked at once. */
export const expire = (
  log: EventLog,
  limit: number,
  againMs: number,
): Promise<readonly CommandRow[]> =>
  log.expire({ limit, againMs, leaseMs, gapMs: leaseMs, workersAreNew: true });

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
