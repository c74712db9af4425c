// The command rows that an execution's log asks for: what the write side should hold, put together
// from the log alone.

import { iterationBinding } from "#core/engine/iteration";
import { type ExecutionState, isTerminal, type OpenCommand } from "#core/engine/state";
import { StoredValue } from "#core/engine/variables";
import type { IterationBinding } from "#core/model/command";
import type { ChildStarted, CommandIssued, CommandYielded, Event } from "#core/model/event";
import { Fault } from "#core/model/fault";
import { isJsonObject, type Json } from "#core/model/json";
import type { Plan } from "#core/playbook/plan";
import type { NewCommandRow } from "#core/ports/event-log";
import type { ControlContext } from "./context.ts";
import type { LogPass } from "./log-pass.ts";
import { fetchResult } from "./results.ts";
import { toolRow } from "./rows.ts";
import { isParked, waitDue, waitRow } from "./wait-rows.ts";

/** What the state says of a row, without reading more: enough to see that one is missing or stale. */
export interface RowShape {
  readonly kind: "tool" | "timer";
  readonly attempt: number;
}

/** Commands that wait for a worker or for a time; who waits for others only has no row. */
export function rowShapes(state: ExecutionState): ReadonlyMap<OpenCommand, RowShape> {
  const shapes = new Map<OpenCommand, RowShape>();
  if (isTerminal(state)) return shapes;
  for (const command of state.commands.values()) {
    if (isParked(command) && waitDue(command) === undefined) continue;
    const kind = command.waiting === true || isParked(command) ? "timer" : "tool";
    shapes.set(command, { kind, attempt: command.attempt });
  }
  return shapes;
}

export interface ExpectedRowsRequest {
  readonly context: ControlContext;
  readonly pass: LogPass;
  readonly plan: Plan;
}

/** The row of an open command, as the transition that left it so has written it. */
export async function expectedRow(
  request: ExpectedRowsRequest,
  command: OpenCommand,
): Promise<NewCommandRow> {
  const { context, pass } = request;
  const { state } = pass.check;
  const endMs = isParked(command) ? waitDue(command) : undefined;
  if (endMs !== undefined) return waitRow(state, command, endMs - context.clock.nowMs());
  const issued = await eventAt(request, command.issuedSeq, "command.issued");
  const event = await withInput(context, issued);
  const iteration = await iterationOf(request, issued);
  const row = toolRow(
    state,
    iteration === undefined ? { event } : { event, iteration },
    command.attempt,
  );
  const suspect = command.suspect === true && command.waiting !== true;
  const yieldedSeq = pass.yields.get(command.commandId);
  if (yieldedSeq === undefined) return suspect ? { ...row, suspect } : row;
  const { checkpoint, due } = await eventAt(request, yieldedSeq, "command.yielded");
  const payload = isJsonObject(row.payload) ? { ...row.payload, checkpoint } : row.payload;
  return command.waiting === true
    ? { ...row, payload, kind: "timer", dueInMs: due - context.clock.nowMs() }
    : { ...row, payload, ...(suspect ? { suspect } : {}) };
}

/** The event that started an open command's child. */
export async function childStarted(
  pass: LogPass,
  command: OpenCommand,
): Promise<ChildStarted | undefined> {
  // The decision that issues such a command starts its child in the next event.
  const [found] = await pass.context.log.events(pass.id, command.issuedSeq, 1);
  return found?.event.type === "child.started" ? found.event : undefined;
}

type EventOf<Type> = Extract<Event, { readonly type: Type }>;

async function eventAt<Type extends (CommandIssued | CommandYielded)["type"]>(
  { pass }: ExpectedRowsRequest,
  seq: number,
  type: Type,
): Promise<EventOf<Type>> {
  const [found] = await pass.context.log.events(pass.id, seq - 1, 1);
  if (found?.event.type !== type) {
    throw new Fault("internal", `event ${seq} of execution ${pass.id} is no ${type}`);
  }
  // Its type was compared just now.
  return found.event as EventOf<Type>;
}

async function withInput(context: ControlContext, event: CommandIssued): Promise<CommandIssued> {
  if (event.input_ref === undefined) return event;
  const input = await fetchResult(context, event.input_ref.ref);
  return { ...event, input: input as unknown as NonNullable<CommandIssued["input"]> };
}

async function iterationOf(
  { context, pass, plan }: ExpectedRowsRequest,
  { step, iteration }: CommandIssued,
): Promise<IterationBinding | undefined> {
  const items = pass.check.state.active.get(step)?.loop?.items;
  const loop = plan.byName.get(step)?.loop;
  if (iteration === undefined || items === undefined || loop === undefined) return undefined;
  const list: Json =
    items instanceof StoredValue ? await fetchResult(context, items.ref.ref) : items;
  return Array.isArray(list) ? iterationBinding(loop.iterator, list, iteration) : undefined;
}
