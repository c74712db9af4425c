// Where a tool's calls are in the trace of their execution: below the attempt that makes them.

import { attemptSpanId, ownTraceId, traceparent } from "#core/engine/trace";
import type { WorkerCommand } from "#core/model/command";

const sha256 = (text: string): string => Bun.SHA256.hash(text, "hex");

/** What is sent as `traceparent`, so that what answers can tell what it was asked by. */
export function traceparentOf({
  trace,
  execution_id: id,
  command_id: commandId,
  attempt,
}: Pick<WorkerCommand, "trace" | "execution_id" | "command_id" | "attempt">): string {
  const traceId = trace ?? ownTraceId(id, sha256);
  return traceparent({ traceId, spanId: attemptSpanId(commandId, attempt, sha256) });
}
