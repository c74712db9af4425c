// Records what comes as events from outside. An outcome counts only from who holds the command's
// lease; whatever was recorded before is answered with the event that records it.

import { rejectedOutcome, ruleOutcome } from "#control/services/dispatch";
import type { Executions, Ruling } from "#control/services/executions";
import { endExecution } from "#control/services/lifecycle";
import { fetchResult } from "#control/services/results";
import type { TransitionBuilder } from "#control/services/transition";
import { type ExecutionState, isTerminal } from "#core/engine/state";
import type { Event, EventBody } from "#core/model/event";
import { Fault } from "#core/model/fault";
import type { CommandId, EventId, ExecutionId } from "#core/model/ids";
import { leaseMs } from "#core/model/limits";
import type { Outcome, ResultRef } from "#core/model/outcome";
import type { CommandName, EventInput } from "./event-input.ts";

export interface Recorded {
  /** "0" for what left no event. */
  readonly eventId: string;
  readonly commandsGenerated: number;
}

const nothing: Recorded = { eventId: "0", commandsGenerated: 0 };

/**
 * Records one event of an execution.
 * @param by who asks, for a cancellation.
 * @throws Fault `not_found` for an unknown execution or command, `conflict` where another worker has
 *   the command, or where it or its execution has ended.
 */
export async function recordEvent(
  executions: Executions,
  id: ExecutionId,
  { input, by }: { readonly input: EventInput; readonly by: string },
): Promise<Recorded> {
  switch (input.kind) {
    case "settle":
      return settle(executions, id, input);
    case "alive":
      return keepAlive(executions, id, input);
    case "emit":
      return emit(executions, id, input);
    case "cancel": {
      const { reason } = input;
      const given = reason === undefined ? {} : { reason };
      const verdict = await endExecution(executions, id, { by, ...given });
      if (verdict === "unknown") throw unknownExecution(id);
      if (verdict === "already") throw ended(id);
      return nothing;
    }
    default:
      input satisfies never;
      return nothing;
  }
}

type InputOf<Kind> = Extract<EventInput, { readonly kind: Kind }>;

const unknownExecution = (id: ExecutionId): Fault =>
  new Fault("not_found", `execution ${id} does not exist`);

const ended = (id: ExecutionId): Fault =>
  new Fault("conflict", `execution ${id} has ended`, { details: { code: "already_terminal" } });

/** What is known of a command that an event names. */
interface Named {
  readonly commandId: CommandId;
  /** Undefined for one that isn't open. */
  readonly attempt: number | undefined;
  /** The event that recorded its outcome. */
  readonly settledBy: EventId | undefined;
}

async function settle(
  executions: Executions,
  id: ExecutionId,
  input: InputOf<"settle">,
): Promise<Recorded> {
  const { worker, output, durationMs } = input;
  const { commandId, attempt, settledBy } = await named(executions, id, input.command);
  if (attempt === undefined) {
    if (settledBy !== undefined) return { eventId: settledBy, commandsGenerated: 0 };
    throw ended(id);
  }
  if (input.attempt !== undefined && input.attempt !== attempt) throw taken(commandId);
  const [lease] = await executions.context.log.renew(worker, [{ commandId, attempt }], leaseMs);
  if (lease !== "renewed") throw taken(commandId);
  if (output.ref !== undefined) await checkReference(executions, id, output.ref);
  const outcome: Outcome = { command_id: commandId, attempt, output, duration_ms: durationMs };
  return settleNow(executions, id, { worker, outcome });
}

/** Records an outcome of a command that the worker holds. */
export async function settleNow(
  executions: Executions,
  id: ExecutionId,
  { worker, outcome }: { readonly worker: string; readonly outcome: Outcome },
): Promise<Recorded> {
  const { command_id: commandId } = outcome;
  let recorded = nothing;
  const isIt = (event: Event): boolean => settles(event, commandId);
  const noted = (ruling: Ruling<string>): Ruling<string> => ({
    ...ruling,
    extend: (builder) => {
      recorded = recordedIn(builder, isIt);
    },
  });
  const verdict = await executions.submit<string>(id, {
    rule: (state) => noted(ruleOutcome(state, worker, outcome)),
    onRejected: (reason) => (state) =>
      noted(ruleOutcome(state, worker, rejectedOutcome(outcome, reason))),
  });
  if (verdict === "accepted") return recorded;
  const { settledBy } = await lookedUp(executions, id, commandId as CommandId);
  if (settledBy !== undefined) return { eventId: settledBy, commandsGenerated: 0 };
  throw taken(commandId);
}

const settles = (event: Event, commandId: string): boolean =>
  (event.type === "call.done" || event.type === "call.error") && event.command_id === commandId;

const taken = (commandId: string): Fault =>
  new Fault("conflict", `command ${commandId} is another worker's`, {
    details: { code: "active_claim" },
  });

/** The event of a transition that is meant, and how many commands came with it. */
function recordedIn(builder: TransitionBuilder, isIt: (event: Event) => boolean): Recorded {
  const events = builder.events.map(({ event }) => event);
  const commandsGenerated = events.filter(({ type }) => type === "command.issued").length;
  return { eventId: events.findLast(isIt)?.event_id ?? "0", commandsGenerated };
}

/** A reference that leads nowhere would hold up whoever reads it. */
async function checkReference(
  executions: Executions,
  id: ExecutionId,
  { ref }: ResultRef,
): Promise<void> {
  const own = ref.startsWith(`noetl://execution/${id}/`);
  const found = own && (await isStored(executions, ref));
  if (!found) {
    throw new Fault("invalid", "result.reference: expected a stored result of this execution");
  }
}

async function isStored({ context }: Executions, ref: string): Promise<boolean> {
  try {
    await fetchResult(context, ref);
    return true;
  } catch (thrown) {
    if (thrown instanceof Fault && !thrown.retryable) return false;
    throw thrown;
  }
}

async function keepAlive(
  executions: Executions,
  id: ExecutionId,
  { command, worker }: InputOf<"alive">,
): Promise<Recorded> {
  if ((await executions.context.log.head(id)) === undefined) throw unknownExecution(id);
  if (command === undefined || worker === undefined) return nothing;
  const { commandId, attempt } = await named(executions, id, command);
  if (attempt === undefined) return nothing;
  const [lease] = await executions.context.log.renew(worker, [{ commandId, attempt }], leaseMs);
  if (lease === "lost") throw taken(commandId);
  return nothing;
}

async function emit(
  executions: Executions,
  id: ExecutionId,
  { name, step, data }: InputOf<"emit">,
): Promise<Recorded> {
  let recorded = nothing;
  const body: EventBody = {
    type: "event.emitted",
    name,
    ...(step === undefined ? {} : { step }),
    ...(data === undefined ? {} : { data }),
  };
  const verdict = await executions.submit<"done" | "unknown" | "ended">(id, {
    rule: (state) => {
      if (state.started === undefined) return { answer: "unknown" };
      if (isTerminal(state)) return { answer: "ended" };
      const extend = (builder: TransitionBuilder): void => {
        recorded = recordedIn(builder, ({ type }) => type === "event.emitted");
      };
      return { answer: "done", events: [body], extend };
    },
  });
  if (verdict === "unknown") throw unknownExecution(id);
  if (verdict === "ended") throw ended(id);
  return recorded;
}

/** @throws Fault `not_found` for an execution or a command that there never was. */
async function named(
  executions: Executions,
  id: ExecutionId,
  command: CommandName,
): Promise<Named> {
  if ("commandId" in command) {
    const found = await lookedUp(executions, id, command.commandId as CommandId);
    if (found.attempt !== undefined || found.wasIssued) return found;
    throw new Fault("not_found", `command ${command.commandId} does not exist`);
  }
  const eventId = command.eventId as EventId;
  const row = await executions.context.log.openRow({ eventId, executionId: id });
  const commandId = row?.commandId ?? (await issuedBy(executions, id, eventId));
  if (commandId !== undefined) return lookedUp(executions, id, commandId);
  if ((await executions.context.log.head(id)) === undefined) throw unknownExecution(id);
  throw new Fault("not_found", `no command was issued by event ${eventId}`);
}

interface LookedUp extends Named {
  readonly wasIssued: boolean;
}

/** The open command, else what the log says of it. */
export async function lookedUp(
  executions: Executions,
  id: ExecutionId,
  commandId: CommandId,
): Promise<LookedUp> {
  const open = await executions.read(id, (state: ExecutionState) => ({
    exists: state.started !== undefined,
    attempt: state.commands.get(commandId)?.attempt,
  }));
  if (!open.exists) throw unknownExecution(id);
  if (open.attempt !== undefined) {
    return { commandId, attempt: open.attempt, settledBy: undefined, wasIssued: true };
  }
  const told = { settledBy: undefined as EventId | undefined, wasIssued: false };
  for await (const event of eventsOf(executions, id)) {
    if (event.type === "command.issued" && event.command_id === commandId) told.wasIssued = true;
    if (settles(event, commandId)) told.settledBy = event.event_id;
  }
  return { commandId, attempt: undefined, ...told };
}

async function issuedBy(
  executions: Executions,
  id: ExecutionId,
  eventId: EventId,
): Promise<CommandId | undefined> {
  for await (const event of eventsOf(executions, id)) {
    if (event.event_id === eventId && event.type === "command.issued") return event.command_id;
  }
  return undefined;
}

const pageEvents = 1_000;

async function* eventsOf({ context }: Executions, id: ExecutionId): AsyncGenerator<Event, void> {
  for (let after = 0; ; ) {
    const page = await context.log.events(id, after, pageEvents);
    for (const { event } of page) yield event;
    if (page.length < pageEvents) return;
    after = page.at(-1)?.event.seq ?? after;
  }
}
