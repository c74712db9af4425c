// Places in the log of all executions together. A position is (transaction, execution, seq) in a
// timeline; it is compared part by part and travels as one text that nobody else takes apart.

import { Fault } from "./fault.ts";

/** The history that positions are counted in; `<copy of the data>-<timeline of the server>`. */
export type Timeline = string;

export interface Position {
  readonly timeline: Timeline;
  /** Number of the transaction that appended the event, decimal; 0 is before all. */
  readonly xid: string;
  /** Decimal; 0 is before all. */
  readonly executionId: string;
  readonly seq: number;
}

const textPattern =
  /^([0-9a-z]{1,32}-\d{1,19})\.([0-9a-z]{1,13})\.([0-9a-z]{1,13})\.([0-9a-z]{1,6})$/;

const radix = 36;
const [xidMax, executionMax, seqMax] = [2n ** 64n - 1n, 2n ** 63n - 1n, 2n ** 31n - 1n];

/** Before the first event of a timeline. */
export function startOf(timeline: Timeline): Position {
  return { timeline, xid: "0", executionId: "0", seq: 0 };
}

/** One text without characters that an address, a header or a subject would have to escape. */
export function encodePosition({ timeline, xid, executionId, seq }: Position): string {
  const parts = [BigInt(xid), BigInt(executionId), BigInt(seq)].map((part) => part.toString(radix));
  return [timeline, ...parts].join(".");
}

/**
 * The position of a text that `encodePosition` made.
 * @throws Fault `invalid` for any other text.
 */
export function parsePosition(text: string): Position {
  const [, timeline, ...parts] = textPattern.exec(text) ?? [];
  const [xid, execution, seq] = parts.map(bigintOf);
  if (
    timeline === undefined ||
    xid === undefined ||
    execution === undefined ||
    seq === undefined ||
    xid > xidMax ||
    execution > executionMax ||
    seq > seqMax
  ) {
    const found = JSON.stringify(text.slice(0, 80));
    throw new Fault("invalid", `expected a position of this log, found ${found}`);
  }
  return { timeline, xid: String(xid), executionId: String(execution), seq: Number(seq) };
}

function bigintOf(digits: string): bigint {
  let value = 0n;
  for (const digit of digits) value = value * BigInt(radix) + BigInt(Number.parseInt(digit, radix));
  return value;
}

/** Negative when the first lies before the second; both are of one timeline. */
export function comparePositions(a: Position, b: Position): number {
  return (
    compare(BigInt(a.xid), BigInt(b.xid)) ||
    compare(BigInt(a.executionId), BigInt(b.executionId)) ||
    a.seq - b.seq
  );
}

const compare = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0);

/**
 * True when both are of one copy of the data, whatever the server's own timeline. A cursor that is
 * kept in that database moved back together with the log and still says what was done with it.
 */
export function isSameCopy(a: Timeline, b: Timeline): boolean {
  return a.slice(0, a.indexOf("-")) === b.slice(0, b.indexOf("-"));
}

/** Whoever reads on from a position of another history must start over. */
export function otherTimeline(found: Position, timeline: Timeline): Fault {
  return new Fault(
    "conflict",
    `position ${encodePosition(found)} is of another timeline, the log is in ${timeline}: start over`,
    { details: { reason: "timeline", timeline } },
  );
}
