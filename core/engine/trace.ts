// Which trace an execution belongs to, and what its parts are called in it. Names come from ids that
// the log has, so that every replica, every worker and every replay names the same ones.

import type { Sha256 } from "#core/model/codec";
import type { CommandId, ExecutionId } from "#core/model/ids";
import type { JsonObject } from "#core/model/json";
import type { Started } from "./state.ts";

/** A place in a trace, as W3C Trace Context has it: ids of 32 and 16 hexadecimal digits. */
export interface TracePlace {
  readonly traceId: string;
  readonly spanId: string;
}

/** Of version 00, and what later versions promise to keep of it. */
const pattern = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}/;

/** The place that an execution was started from, if whoever started it said one. */
export function givenPlace(trace: JsonObject | undefined): TracePlace | undefined {
  const text = trace?.["traceparent"];
  if (typeof text !== "string") return undefined;
  const [, traceId, spanId] = pattern.exec(text) ?? [];
  return traceId === undefined || spanId === undefined ? undefined : { traceId, spanId };
}

/** The header by which a place is told to others. */
export function traceparent({ traceId, spanId }: TracePlace): string {
  return `00-${traceId}-${spanId}-01`;
}

/** The trace's id where somebody said it; otherwise it is made of the execution's id. */
export function traceIdOf(started: Started | undefined, _id: ExecutionId): string | undefined {
  return givenPlace(started?.trace)?.traceId;
}

/** The trace of an execution that nobody named one for. */
export function ownTraceId(id: ExecutionId, sha256: Sha256): string {
  return sha256(`noetl trace ${id}`).slice(0, 32);
}

export function executionSpanId(id: ExecutionId, sha256: Sha256): string {
  return spanId(id, sha256);
}

export function stepSpanId(id: ExecutionId, visited: string, sha256: Sha256): string {
  return spanId(`${id}:${visited}`, sha256);
}

/** Of one attempt at a command: what its tool calls are told to be part of. */
export function attemptSpanId(commandId: CommandId, attempt: number, sha256: Sha256): string {
  return spanId(`attempt ${commandId}:${attempt}`, sha256);
}

/** What a child is told: it belongs to its parent's trace, below the command that started it. */
export function childTrace(
  parent: { readonly id: ExecutionId; readonly trace?: JsonObject },
  commandId: CommandId,
  sha256: Sha256,
): JsonObject {
  const traceId = givenPlace(parent.trace)?.traceId ?? ownTraceId(parent.id, sha256);
  return { traceparent: traceparent({ traceId, spanId: attemptSpanId(commandId, 1, sha256) }) };
}

function spanId(name: string, sha256: Sha256): string {
  return sha256(`noetl span ${name}`).slice(0, 16);
}
