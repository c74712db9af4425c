// What is known of executions whose end isn't told yet: when their parts began. Made from the log,
// and read from it anew where it was forgotten.

import type { TracePlace } from "#core/engine/trace";
import { givenPlace, ownTraceId } from "#core/engine/trace";
import type { Sha256 } from "#core/model/codec";
import type { CommandIssued, Event, StepEnter } from "#core/model/event";
import { exportLogPageMax, exportOpenMax } from "#core/model/export-limits";
import type { CommandId, ExecutionId } from "#core/model/ids";
import type { EventLog } from "#core/ports/event-log";

export interface OpenStep {
  readonly event: StepEnter;
  readonly sinceMs: number;
}

export interface OpenCall {
  readonly event: CommandIssued;
  readonly issuedMs: number;
  /** Since when its attempt may have been running. */
  sinceMs: number;
  attempt: number;
  /** It has stopped for a time, or goes on elsewhere. */
  rests: boolean;
  parked: { readonly timeMs: number; readonly what: string } | undefined;
}

export interface OpenExecution {
  readonly id: ExecutionId;
  seq: number;
  readonly startedMs: number;
  readonly traceId: string;
  /** Where it was started from. */
  readonly from: TracePlace | undefined;
  readonly parentId: ExecutionId | undefined;
  readonly steps: Map<string, OpenStep>;
  readonly calls: Map<CommandId, OpenCall>;
}

/** A step's visit, among all of its execution. */
export const visited = (step: string, visit: number): string => `${step}:${visit}`;

export interface OpenExecutions {
  /** What was known before this event; undefined where the log has its beginning no more. */
  before(event: Event): Promise<OpenExecution | undefined>;
  /** Notes the event, after what came of it has been told. */
  note(open: OpenExecution, event: Event): void;
  /** It has ended: nothing of it will be asked for again. */
  forget(id: ExecutionId): void;
}

export function openExecutions(log: Pick<EventLog, "events">, sha256: Sha256): OpenExecutions {
  const known = new Map<ExecutionId, OpenExecution>();
  const begin = (event: Event): OpenExecution => {
    const open = beginningOf(event, sha256);
    known.set(open.id, open);
    return open;
  };
  const reread = async (event: Event): Promise<OpenExecution | undefined> => {
    let open: OpenExecution | undefined;
    while ((open?.seq ?? 0) < event.seq - 1) {
      const after = open?.seq ?? 0;
      const limit = Math.min(exportLogPageMax, event.seq - 1 - after);
      const page = await log.events(event.execution_id, after, limit);
      if (page.length === 0) return undefined;
      for (const { event: earlier } of page) {
        if (open === undefined) open = begin(earlier);
        noteIn(open, earlier);
      }
    }
    return open;
  };
  return {
    before: async (event) => {
      const open = known.get(event.execution_id);
      if (event.seq === 1) return begin(event);
      return open?.seq === event.seq - 1 ? open : reread(event);
    },
    note: (open, event) => {
      noteIn(open, event);
      bound(known, open.id);
    },
    forget: (id) => void known.delete(id),
  };
}

function beginningOf(event: Event, sha256: Sha256): OpenExecution {
  const started = event.type === "playbook.started" ? event : undefined;
  const from = givenPlace(started?.trace);
  return {
    id: event.execution_id,
    seq: 0,
    startedMs: event.time,
    traceId: from?.traceId ?? ownTraceId(event.execution_id, sha256),
    from,
    parentId: started?.parent?.execution_id ?? started?.origin?.parent,
    steps: new Map(),
    calls: new Map(),
  };
}

function noteIn(open: OpenExecution, event: Event): void {
  const { steps, calls } = open;
  open.seq = event.seq;
  switch (event.type) {
    case "step.enter":
      steps.set(visited(event.step, event.visit), { event, sinceMs: event.time });
      break;
    case "step.exit":
      steps.delete(visited(event.step, event.visit));
      break;
    case "command.issued": {
      const times = { issuedMs: event.time, sinceMs: event.time };
      calls.set(event.command_id, { event, ...times, attempt: 1, rests: false, parked: undefined });
      break;
    }
    case "command.reissued": {
      const call = calls.get(event.command_id);
      if (call === undefined) break;
      call.sinceMs = event.time;
      call.attempt = event.attempt;
      call.rests = false;
      break;
    }
    case "command.yielded": {
      const call = calls.get(event.command_id);
      if (call !== undefined) call.rests = true;
      break;
    }
    case "wait.parked": {
      const call = calls.get(event.command_id);
      if (call !== undefined) call.parked = { timeMs: event.time, what: event.for };
      break;
    }
    case "call.done":
    case "call.error":
      calls.delete(event.command_id);
      break;
    default:
  }
}

/** The longest silent ones are forgotten first; the log still has them. */
function bound(known: Map<ExecutionId, OpenExecution>, kept: ExecutionId): void {
  const open = known.get(kept);
  if (open === undefined) return;
  known.delete(kept);
  known.set(kept, open);
  let total = 0;
  // Counting all of them at each event would cost more than what is saved.
  if (open.seq % boundedEvery !== 0 && known.size < exportOpenMax) return;
  for (const { steps, calls } of known.values()) total += 1 + steps.size + calls.size;
  for (const [id, { steps, calls }] of known) {
    if (total <= exportOpenMax || id === kept) return;
    known.delete(id);
    total -= 1 + steps.size + calls.size;
  }
}

const boundedEvery = 64;
