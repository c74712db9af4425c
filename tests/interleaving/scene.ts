// One execution with one open command, put into any standing by production's own statements, and
// the operations on it. Events say in their name what they would say in their type.
import { genesisDigest } from "#core/model/codec";
import type { CommandId, ExecutionId } from "#core/model/ids";
import type { CommandRow, NewCommandRow, Transition } from "#core/ports/event-log";
import type { Stores } from "#core/ports/stores";
import { claim, expire, leaseMs } from "#tests/contract/rows";
import {
  type CommandParts,
  command,
  newExecution,
  rowOf,
  type TransitionParts,
  transition,
} from "#tests/contract/transitions";
import type { Act, Shape } from "./model.ts";

/** Who has the command at first. */
export const holder = "w";
const againMs = 60_000;

export interface Part {
  readonly executionId: ExecutionId;
  readonly commandId: CommandId;
  /** The row as the first event of the log has it. */
  readonly row: NewCommandRow;
  readonly head: { readonly seq: number; readonly digest: string };
}

/** What an event of these tests tells of a command. */
export const says = (name: string, row: { commandId: CommandId; attempt: number }): string =>
  `"name":"${name}","data":{"command_id":"${row.commandId}","attempt":${row.attempt}}`;

const partsOf: Partial<Record<Shape, CommandParts>> = {
  timer: { kind: "timer" },
  held: { kind: "timer" },
  handed: { lease: { worker: holder, leaseMs } },
  unheard: { lease: { worker: holder, leaseMs: 0 } },
};

/** Starts an execution for each, and brings their commands into this standing. */
export async function arrange(
  { log }: Stores,
  shape: Shape,
  count = 1,
  extra: CommandParts = {},
): Promise<readonly Part[]> {
  const started = Array.from({ length: count }, () => {
    const id = newExecution();
    const row = command(id, "one", { ...partsOf[shape], ...extra });
    return { row, begun: transition(id, { issued: [row], tails: [says("issued", row)] }) };
  });
  await log.append(started.map(({ begun }) => begun));
  if (["leased", "late", "expired"].includes(shape)) {
    await claim(log, count, { worker: holder, leaseMs: shape === "leased" ? leaseMs : 0 });
  }
  if (shape === "expired") await expire(log, count, againMs);
  if (shape === "held") await log.due(count, againMs);
  const parts = started.map(({ row, begun }): Part => {
    const digest = begun.events.at(-1)?.digest ?? genesisDigest;
    const { executionId, commandId } = row;
    const { lease: _, ...unleased } = row;
    return { executionId, commandId, row: unleased, head: { seq: 1, digest } };
  });
  if (shape === "again") {
    await log.append(parts.map(transitionBy(nextAttempt)));
    await claim(log, count, { worker: holder, leaseMs: 0 });
  }
  return parts;
}

const transitionBy =
  (next: (part: Part) => TransitionParts) =>
  (part: Part): Transition =>
    transition(part.executionId, { head: part.head, ...next(part) });

const reissued = ({ executionId }: Part): NewCommandRow =>
  command(executionId, "one", { attempt: 2 });
const parked = ({ executionId }: Part): NewCommandRow =>
  command(executionId, "one", { kind: "timer" });

const nextAttempt = (part: Part): TransitionParts => ({
  issued: [reissued(part)],
  tails: [says("issued", reissued(part))],
});

/** Does the act on these commands in one statement, and says what it was told of each. */
export type Doing = (
  stores: Stores,
  parts: readonly Part[],
  worker: string,
) => Promise<readonly string[]>;

const found = (
  parts: readonly Part[],
  rows: readonly CommandRow[],
  word: string,
): readonly string[] =>
  parts.map(({ commandId }) => (rows.some((row) => row.commandId === commandId) ? word : "none"));

const leases = (parts: readonly Part[]) =>
  parts.map(({ commandId }) => ({ commandId, attempt: 1 }));

const appending =
  (next: (part: Part) => TransitionParts): Doing =>
  ({ log }, parts) =>
    log.append(parts.map(transitionBy(next)));

export const doings: Readonly<Record<Act, Doing>> = {
  claim: async ({ log }, parts, worker) =>
    found(parts, await claim(log, parts.length, { worker }), "got"),
  renew: ({ log }, parts) => log.renew(holder, leases(parts), leaseMs),
  release: async ({ log }, parts) => {
    await log.release(holder, leases(parts));
    return parts.map(() => "");
  },
  handed: async ({ log }, parts) => {
    const ids = parts.map(({ executionId }) => executionId);
    return found(parts, await log.handed(holder, ids, leaseMs), "kept");
  },
  sweep: async ({ log }, parts) => found(parts, await expire(log, parts.length, againMs), "marked"),
  due: async ({ log }, parts) => found(parts, await log.due(parts.length, againMs), "due"),
  settle: appending(({ row }) => ({ settled: [row.commandId], tails: [says("settled", row)] })),
  cancel: appending(({ row }) => ({
    settled: [row.commandId],
    tails: [says("cancelled", row)],
    row: { status: "cancelled" },
  })),
  reissue: appending(nextAttempt),
  park: appending((part) => ({ issued: [parked(part)], tails: [says("issued", parked(part))] })),
  repair: async ({ repair }, parts) => {
    const verdicts: string[] = [];
    for (const { executionId, row, head } of parts) {
      const { seq, digest } = head;
      const now = { row: rowOf(executionId), head: seq, digest, found: head };
      verdicts.push(await repair.repair({ ...now, rows: [row], leaseMs }));
    }
    return verdicts;
  },
};
