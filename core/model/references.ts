// How references are written. A value is behind its digest in the result store, or, when the log
// already holds it, behind the number of its event.

import type { ExecutionId } from "./ids.ts";

const base = (execution: ExecutionId | string): string => `noetl://execution/${execution}`;

export function resultReference(execution: ExecutionId, name: string, sha256: string): string {
  return `${base(execution)}/result/${encodeURIComponent(name)}/${sha256}`;
}

/** The data of the outcome that this event records. */
export function eventReference(execution: ExecutionId, seq: number): string {
  return `${base(execution)}/event/${seq}`;
}

const eventPattern = /^noetl:\/\/execution\/([1-9][0-9]{0,18})\/event\/([1-9][0-9]{0,9})$/;

export interface EventPlace {
  readonly executionId: string;
  readonly seq: number;
}

/** The event that a reference names, or undefined for any other reference. */
export function parseEventReference(ref: string): EventPlace | undefined {
  const [, executionId, seq] = eventPattern.exec(ref) ?? [];
  return executionId === undefined ? undefined : { executionId, seq: Number(seq) };
}
