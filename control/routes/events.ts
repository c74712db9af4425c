// Routes by which events come from outside.

import type { Elysia } from "elysia";
import { principalOf } from "#control/access/admission";
import type { Executions } from "#control/services/executions";
import { type EventInput, eventInput, type WireEvent } from "#control/services/wire/event-input";
import { type Recorded, recordEvent } from "#control/services/wire/outside-events";
import { batchEventsBytesMax, batchEventsMax } from "#core/model/api-limits";
import { Fault } from "#core/model/fault";
import type { ExecutionId } from "#core/model/ids";
import { requestKeyCharsMax } from "#core/model/request-limits";
import type { EventBatch } from "#core/ports/event-batches";
import { api } from "#core/wire/api";
import { answerWith } from "./answer-with.ts";
import { parseExecutionId } from "./executions.ts";
import { mount } from "./mount.ts";
import { eventStream, framedBody, wantsStream } from "./stream.ts";
import { tenantSeen } from "./tenant-seen.ts";

export function eventsRoutes(app: Elysia, executions: Executions): void {
  mount(app, api.postEvent, async ({ body }, http) => {
    const id = parseExecutionId(body.execution_id);
    const input = eventInput(body);
    const { eventId, commandsGenerated } = await recordFor(executions, { id, input, http });
    return { status: "ok" as const, event_id: eventId, commands_generated: commandsGenerated };
  });
  mount(app, api.postEvents, async ({ body }, http) => {
    const id = parseExecutionId(body.execution_id);
    const { batch, isNew, commandsGenerated } = await recordBatch(executions, {
      id,
      http,
      inputs: inputsOf(body.events, body.worker_id ?? undefined),
    });
    const { requestId, eventIds = [], key } = batch;
    const answer = {
      status: "accepted" as const,
      request_id: requestId,
      event_ids: [...eventIds],
      commands_generated: commandsGenerated,
      queue_depth: 0,
      duplicate: !isNew,
      ...(key === undefined ? {} : { idempotency_key: key }),
    };
    return answerWith(answer, { status: 202 });
  });
  batchRoutes(app, executions);
}

function batchRoutes(app: Elysia, executions: Executions): void {
  const { eventBatches } = executions.context;
  const found = async (requestId: string, http: Request): Promise<EventBatch> => {
    const batch = await eventBatches.get(requestId);
    const tenant = tenantSeen(http);
    const isSeen = tenant === undefined || batch?.tenant === tenant;
    if (batch !== undefined && isSeen) return batch;
    throw new Fault("not_found", "expected a batch of events that is kept, found none");
  };
  mount(app, api.eventBatch, async ({ params }, http) =>
    viewOf(await found(params.request_id, http)),
  );
  mount(app, api.eventBatchStream, async ({ params }, http) => {
    const view = viewOf(await found(params.request_id, http));
    if (!wantsStream(http)) return view;
    // A batch has been worked on before it is answered: there is one thing to tell.
    const frames = (async function* () {
      yield `event: status\ndata: ${JSON.stringify(view)}\n\n`;
    })();
    return eventStream(framedBody(frames, new AbortController()));
  });
}

function viewOf({ requestId, executionId, eventIds, key }: EventBatch) {
  const state = eventIds === undefined ? ("processing" as const) : ("completed" as const);
  return {
    request_id: requestId,
    execution_id: executionId,
    state,
    status: state,
    event_ids: [...(eventIds ?? [])],
    ...(key === undefined ? {} : { idempotency_key: key }),
  };
}

/** All of them are understood before the first is recorded. */
function inputsOf(events: readonly WireEvent[], worker: string | undefined): readonly EventInput[] {
  if (events.length > batchEventsMax) {
    throw new Fault(
      "too_large",
      `expected at most ${batchEventsMax} events in a request, found ${events.length}`,
    );
  }
  let bytes = 0;
  for (const { payload, context, result } of events) {
    for (const part of [payload, context, result]) {
      bytes += part === undefined ? 0 : JSON.stringify(part).length;
    }
  }
  if (bytes > batchEventsBytesMax) {
    throw new Fault("too_large", `expected payloads of at most ${batchEventsBytesMax} bytes`);
  }
  return events.map((event) => eventInput(event, worker));
}

interface Told {
  readonly id: ExecutionId;
  readonly input: EventInput;
  readonly http: Request;
}

/** Cancelling is for people: a worker only says how its own commands ended. */
function recordFor(executions: Executions, { id, input, http }: Told): Promise<Recorded> {
  const { kind, platform, subject } = principalOf(http);
  if (input.kind === "cancel" && kind === "machine" && platform !== true) {
    throw new Fault("forbidden", "expected role operator to cancel, found a machine");
  }
  return recordEvent(executions, id, { input, by: subject });
}

interface BatchTold extends Omit<Told, "input"> {
  readonly inputs: readonly EventInput[];
}

async function recordBatch(
  executions: Executions,
  { id, inputs, http }: BatchTold,
): Promise<{ batch: EventBatch; isNew: boolean; commandsGenerated: number }> {
  const { log, ids, eventBatches } = executions.context;
  const head = await log.head(id);
  if (head === undefined) throw new Fault("not_found", `execution ${id} does not exist`);
  const key = keyOf(http);
  const requestId: string = ids.executionId();
  const batch = await eventBatches.begin({
    requestId,
    tenant: head.row.tenant,
    executionId: id,
    ...(key === undefined ? {} : { key }),
  });
  if (batch.eventIds !== undefined) return { batch, isNew: false, commandsGenerated: 0 };
  const eventIds: string[] = [];
  let commandsGenerated = 0;
  for (const [index, input] of inputs.entries()) {
    const recorded = await recordFor(executions, { id, input, http }).catch((thrown: unknown) => {
      throw thrown instanceof Fault ? atIndex(thrown, index, eventIds) : thrown;
    });
    eventIds.push(recorded.eventId);
    commandsGenerated += recorded.commandsGenerated;
  }
  await eventBatches.finish(batch.requestId, eventIds);
  const isNew = batch.requestId === requestId;
  return { batch: { ...batch, eventIds }, isNew, commandsGenerated };
}

/** What was recorded before it stays. */
function atIndex(fault: Fault, index: number, eventIds: readonly string[]): Fault {
  const details = { index, event_ids: [...eventIds], cause: fault.details ?? null };
  return new Fault(fault.code, `event ${index}: ${fault.message}`, { details, cause: fault });
}

function keyOf({ headers }: Request): string | undefined {
  const key = headers.get("idempotency-key") ?? headers.get("x-idempotency-key") ?? undefined;
  if (key === undefined || (key.length > 0 && key.length <= requestKeyCharsMax)) return key;
  throw new Fault("invalid", `expected a key of 1 to ${requestKeyCharsMax} characters`);
}
