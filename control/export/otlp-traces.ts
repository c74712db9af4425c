// Executions as traces: a span for the execution, for each visit of a step, for each attempt at a
// tool call. Their ids come from the log, so that what is sent twice is the same twice. Spans say
// what ran, when, where and how it ended; never with what, nor what came of it.

import { attemptSpanId, executionSpanId, stepSpanId } from "#core/engine/trace";
import type { Sha256 } from "#core/model/codec";
import { type CallSettled, type Event, terminalStatus } from "#core/model/event";
import type { Failure } from "#core/model/outcome";
import type { EventLog } from "#core/ports/event-log";
import { type OtlpAttributes, type OtlpSpan, spanText, tracesBody } from "#core/wire/otlp";
import {
  type OpenCall,
  type OpenExecution,
  type OpenStep,
  openExecutions,
  visited,
} from "./open-executions.ts";
import { type ExportAnswer, type ExportedEvent, type ExportSink, placeOf } from "./sink.ts";

export interface TracesOptions {
  /** Of the collector, without a path. */
  readonly endpoint: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly serviceName: string;
  readonly sha256: Sha256;
}

export function otlpTraces(log: Pick<EventLog, "events">, options: TracesOptions): ExportSink {
  const { endpoint, headers, serviceName, sha256 } = options;
  const resource = { "service.name": serviceName };
  return {
    name: "traces",
    place: placeOf(endpoint),
    begin: () => {
      const executions = openExecutions(log, sha256);
      return {
        items: async (events) => {
          const spans: string[] = [];
          for (const told of events) {
            const open = await executions.before(told.event);
            if (open === undefined) continue;
            const made = spansOf({ ...told, open, sha256 });
            for (const span of made) spans.push(spanText(span));
            executions.note(open, told.event);
            if (terminalStatus(told.event) !== undefined) executions.forget(open.id);
          }
          return spans;
        },
      };
    },
    request: (items) => ({
      method: "POST",
      url: `${endpoint.replace(/\/+$/, "")}/v1/traces`,
      headers: { "content-type": "application/json", ...headers },
      body: tracesBody(items, resource),
    }),
    partlyRefused,
  };
}

/** A collector may take a request and leave out some of its spans. */
function partlyRefused({ text }: ExportAnswer): { count: number; reason: string } | undefined {
  const [, count = "0"] = /"rejectedSpans"\s*:\s*"?(\d+)"?/.exec(text) ?? [];
  return count === "0" ? undefined : { count: Number(count), reason: "a partial success" };
}

interface Telling extends ExportedEvent {
  readonly open: OpenExecution;
  readonly sha256: Sha256;
}

/** What came to an end with this event. */
function spansOf(telling: Telling): readonly OtlpSpan[] {
  const { event, open } = telling;
  switch (event.type) {
    case "step.exit": {
      const step = open.steps.get(visited(event.step, event.visit));
      return step === undefined ? [] : [stepSpan(telling, step, event.status, event.error)];
    }
    case "call.done":
    case "call.error": {
      const call = open.calls.get(event.command_id);
      return call === undefined ? [] : [settledSpan(telling, call, event)];
    }
    case "command.yielded": {
      const call = open.calls.get(event.command_id);
      const ending = { attempt: event.attempt, outcome: "yielded" };
      return call === undefined ? [] : [attemptSpan(telling, call, ending)];
    }
    case "command.reissued": {
      const call = open.calls.get(event.command_id);
      const isLost = event.reason === "lease_expired" || event.reason === "worker_died";
      if (call === undefined || call.rests || !isLost) return [];
      const ending = { attempt: call.attempt, outcome: "lost", errorType: event.reason };
      return [attemptSpan(telling, call, ending)];
    }
    default:
      return terminalStatus(event) === undefined ? [] : lastSpans(telling);
  }
}

/** Of the execution, and of all that was under way when it ended. */
function lastSpans(telling: Telling): readonly OtlpSpan[] {
  const { open, event } = telling;
  const calls = [...open.calls.values()].filter(({ rests }) => !rests);
  const status = terminalStatus(event) ?? "cancelled";
  return [
    ...calls.map((call) => attemptSpan(telling, call, { attempt: call.attempt, outcome: status })),
    ...[...open.steps.values()].map((step) => stepSpan(telling, step, "unfinished")),
    executionSpan(telling, status),
  ];
}

function executionSpan(telling: Telling, status: string): OtlpSpan {
  const { open, event, sha256 } = telling;
  const failure = event.type === "playbook.failed" ? event.error : undefined;
  return {
    traceId: open.traceId,
    spanId: executionSpanId(open.id, sha256),
    ...(open.from === undefined ? {} : { parentSpanId: open.from.spanId }),
    name: telling.path,
    kind: "internal",
    startMs: open.startedMs,
    endMs: event.time,
    attributes: {
      ...about(telling),
      "noetl.version": telling.version,
      "noetl.status": status,
      "noetl.parent_execution_id": open.parentId,
      ...errorType(failure),
    },
    ...statusOf(failure, status === "failed"),
  };
}

function stepSpan(
  telling: Telling,
  { event: entered, sinceMs }: OpenStep,
  status: string,
  failure?: Failure,
): OtlpSpan {
  const { open, event, sha256 } = telling;
  const { step, visit, loop } = entered;
  return {
    traceId: open.traceId,
    spanId: stepSpanId(open.id, visited(step, visit), sha256),
    parentSpanId: executionSpanId(open.id, sha256),
    name: step,
    kind: "internal",
    startMs: sinceMs,
    endMs: event.time,
    attributes: {
      ...about(telling),
      "noetl.step": step,
      "noetl.visit": visit,
      "noetl.status": status,
      "noetl.loop.mode": loop?.mode,
      "noetl.loop.total": loop?.total,
      ...errorType(failure),
    },
    ...statusOf(failure, status === "failed"),
  };
}

function settledSpan(telling: Telling, call: OpenCall, settled: Event & CallSettled): OtlpSpan {
  const failure = settled.type === "call.error" ? settled.output.error : undefined;
  const ending = {
    attempt: settled.attempt,
    outcome: settled.type === "call.error" ? "failed" : "completed",
    durationMs: settled.duration_ms,
    worker: settled.worker,
    failure,
  };
  return attemptSpan(telling, call, ending);
}

interface AttemptEnd {
  readonly attempt: number;
  readonly outcome: string;
  /** As the worker measured it; without it since the attempt was handed out. */
  readonly durationMs?: number;
  readonly worker?: string | undefined;
  readonly failure?: Failure | undefined;
  readonly errorType?: string;
}

function attemptSpan(telling: Telling, call: OpenCall, ending: AttemptEnd): OtlpSpan {
  const { open, event, sha256 } = telling;
  const { event: issued, parked } = call;
  const { attempt, durationMs, failure, outcome } = ending;
  const key = visited(issued.step, issued.visit);
  // A job that was asked for belongs to no visit of a step.
  const isOfStep = issued.job === undefined && open.steps.has(key);
  const beganMs = durationMs === undefined ? call.sinceMs : event.time - durationMs;
  return {
    traceId: open.traceId,
    spanId: attemptSpanId(issued.command_id, attempt, sha256),
    parentSpanId: isOfStep ? stepSpanId(open.id, key, sha256) : executionSpanId(open.id, sha256),
    name: `${issued.kind} ${issued.step}`,
    kind: issued.kind === "http" ? "client" : "internal",
    startMs: Math.min(Math.max(beganMs, call.issuedMs), event.time),
    endMs: event.time,
    attributes: {
      ...about(telling),
      "noetl.step": issued.step,
      "noetl.command_id": issued.command_id,
      "noetl.kind": issued.kind,
      "noetl.pool": issued.pool,
      "noetl.attempt": attempt,
      "noetl.iteration": issued.iteration,
      "noetl.frame": issued.frame,
      "noetl.job": issued.job,
      "noetl.worker": ending.worker,
      "noetl.outcome": outcome,
      ...(ending.errorType === undefined ? errorType(failure) : { "error.type": ending.errorType }),
    },
    events: [
      { name: "queued", timeMs: call.sinceMs },
      ...(parked === undefined
        ? []
        : [{ name: "parked", timeMs: parked.timeMs, attributes: { "noetl.wait": parked.what } }]),
    ],
    ...statusOf(failure, outcome === "failed" || outcome === "lost"),
  };
}

function about({ event, tenant, path }: Telling): OtlpAttributes {
  return {
    "noetl.execution_id": event.execution_id,
    "noetl.tenant": tenant,
    "noetl.path": path,
  };
}

/** What kind of failure it was: its message may hold what was worked on. */
function errorType(failure: Failure | undefined): OtlpAttributes {
  return failure === undefined ? {} : { "error.type": kindOf(failure) };
}

function statusOf(
  failure: Failure | undefined,
  isError: boolean,
): Pick<OtlpSpan, "status" | "message"> {
  if (!isError) return { status: "ok" };
  return failure === undefined
    ? { status: "error" }
    : { status: "error", message: kindOf(failure) };
}

function kindOf({ kind, code }: Failure): string {
  return code === undefined || !plainCode.test(String(code)) ? kind : `${kind} ${code}`;
}

/** Codes are short words and numbers; anything else came from somewhere else. */
const plainCode = /^[A-Za-z0-9_.-]{1,64}$/;
