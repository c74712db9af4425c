// Builds the transitions that the contract of the event log is told in: real ids, texts and
// digests, with everything that a test doesn't speak about filled in.
import { snowflakeMint } from "#core/adapters/system-clock";
import { chainDigest, decodeEvent, genesisDigest } from "#core/model/codec";
import { type DispatchTerms, tenantDefault } from "#core/model/dispatch";
import type { LoggedEvent } from "#core/model/event";
import { type CommandId, commandId, type ExecutionId } from "#core/model/ids";
import type { NewDeadLetter } from "#core/ports/dead-letters";
import type {
  CommandRowKind,
  EventLog,
  ExecutionRow,
  NewCommandRow,
  Transition,
} from "#core/ports/event-log";

/** A moment after the epoch; ids are minted from it on, the same ones in every run. */
export const startMs = Date.UTC(2026, 0, 1);
const mint = snowflakeMint({ nowMs: () => startMs }, 7);
const catalogId = mint.catalogId() as ExecutionRow["catalogId"];

export const sha256 = (text: string): string =>
  new Bun.CryptoHasher("sha256").update(text).digest("hex");

export const newExecution = (): ExecutionId => mint.executionId();

/** What an event's text ends with: more fields, as they shall stand in the log. */
export type EventTail = string;
export const plainTail: EventTail = '"name":"probe"';

/** Logged events of an execution after `head`, chained from `digest`. */
export function eventsAfter(
  executionId: ExecutionId,
  head: { readonly seq: number; readonly digest: string },
  tails: readonly EventTail[],
): readonly LoggedEvent[] {
  let { seq, digest } = head;
  return tails.map((tail) => {
    seq += 1;
    const envelope = `"execution_id":"${executionId}","seq":${seq},"event_id":"${mint.eventId()}"`;
    const kind = `"time":${startMs},"schema_version":1,"type":"event.emitted"`;
    const text = `{${envelope},${kind},${tail}}`;
    digest = chainDigest(digest, text, sha256);
    return { event: decodeEvent(text), text, digest };
  });
}

export const rowOf = (
  executionId: ExecutionId,
  part: Partial<ExecutionRow> = {},
): ExecutionRow => ({
  executionId,
  tenant: tenantDefault,
  catalogId,
  path: "tests/probe",
  version: 1,
  status: "running",
  startedAtMs: startMs,
  ...part,
});

export interface TransitionParts {
  readonly row?: Partial<ExecutionRow>;
  readonly tails?: readonly EventTail[];
  readonly settled?: readonly CommandId[];
  readonly issued?: readonly NewCommandRow[];
  readonly deadLetters?: readonly NewDeadLetter[];
  readonly head?: { readonly seq: number; readonly digest: string };
}

/** One transition on top of `head`, which is the start of the execution if not given. */
export function transition(executionId: ExecutionId, parts: TransitionParts = {}): Transition {
  const head = parts.head ?? { seq: 0, digest: genesisDigest };
  return {
    row: rowOf(executionId, parts.row),
    expectedHead: head.seq,
    events: eventsAfter(executionId, head, parts.tails ?? [plainTail]),
    settled: parts.settled ?? [],
    issued: parts.issued ?? [],
    ...(parts.deadLetters === undefined ? {} : { deadLetters: parts.deadLetters }),
  };
}

export interface CommandParts {
  readonly kind?: CommandRowKind;
  readonly pool?: string;
  readonly attempt?: number;
  readonly dueInMs?: number;
  readonly lease?: { readonly worker: string; readonly leaseMs: number };
  readonly terms?: DispatchTerms;
  readonly suspect?: boolean;
  readonly payload?: NewCommandRow["payload"];
}

/** A command row of a step; the step's name makes the id. */
export const command = (
  executionId: ExecutionId,
  step: string,
  parts: CommandParts = {},
): NewCommandRow => ({
  commandId: commandId(executionId, step, 1),
  executionId,
  kind: "tool",
  pool: "default",
  attempt: 1,
  payload: { step },
  ...parts,
});

/** Starts an execution with these command rows and returns them. */
export async function startWith(
  log: EventLog,
  issue: (executionId: ExecutionId) => readonly NewCommandRow[],
): Promise<readonly NewCommandRow[]> {
  const executionId = newExecution();
  const issued = issue(executionId);
  await log.append([transition(executionId, { issued })]);
  return issued;
}

/** Appends to an execution on top of the head that the log has now. */
export async function continueWith(
  log: EventLog,
  executionId: ExecutionId,
  parts: Omit<TransitionParts, "head">,
): Promise<void> {
  const head = await log.head(executionId);
  if (head === undefined) throw new Error(`execution ${executionId} was not started`);
  await log.append([transition(executionId, { ...parts, head })]);
}

export const idsOf = (rows: readonly { readonly commandId: CommandId }[]): readonly CommandId[] =>
  rows.map((row) => row.commandId);
