// An event as one flat row, for places that keep rows: what happened, where, when and how it ended,
// without its data.

import { statusOfEvent, stepOf } from "#control/services/views";
import { exportMessageCharsMax } from "#core/model/export-limits";
import type { Failure } from "#core/model/outcome";
import type { ExportedEvent } from "./sink.ts";

export interface FlatEvent {
  readonly timeMs: number;
  readonly eventId: string;
  readonly executionId: string;
  readonly seq: number;
  readonly type: string;
  readonly status: string;
  readonly tenant: string;
  readonly path: string;
  readonly version: number;
  readonly step: string;
  readonly commandId: string;
  readonly attempt: number;
  readonly worker: string;
  readonly durationSeconds: number;
  readonly errorKind: string;
  readonly errorMessage: string;
}

export function flatEvent({ event, tenant, path, version }: ExportedEvent): FlatEvent {
  const failure = failureIn(event);
  return {
    timeMs: event.time,
    eventId: event.event_id,
    executionId: event.execution_id,
    seq: event.seq,
    type: event.type,
    status: statusOfEvent(event),
    tenant,
    path,
    version,
    step: stepOf(event) ?? "",
    commandId: "command_id" in event ? (event.command_id ?? "") : "",
    attempt: "attempt" in event ? (event.attempt ?? 0) : 0,
    worker: "worker" in event ? (event.worker ?? "") : "",
    durationSeconds: "duration_ms" in event ? event.duration_ms / 1_000 : 0,
    errorKind: failure?.kind ?? "",
    errorMessage: (failure?.message ?? "").slice(0, exportMessageCharsMax).toWellFormed(),
  };
}

function failureIn(event: ExportedEvent["event"]): Failure | undefined {
  if ("error" in event && event.error !== undefined) return event.error;
  return "output" in event ? event.output.error : undefined;
}
