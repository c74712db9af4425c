// What waits and answers make of the state: a parked call is open and nobody runs it; its answer may
// come before it is parked, and counts once.

import type { WaitDone, WaitParked } from "#core/model/event";
import { answeredKeysMax } from "#core/model/flow-limits";
import type { Output } from "#core/model/outcome";
import { type Place, withinBudget } from "./budget.ts";
import { ReplayError } from "./replay-error.ts";
import type { ExecutionState, OpenCommand } from "./state.ts";

/**
 * Where an answer under the key is kept, and known again: answers of different kinds have nothing to
 * do with each other, so that none is taken for another. No key has a NUL in it.
 */
export function answerSlot(kind: "callback" | "signal" | "approval", key: string): string {
  return kind === "callback" ? key : `${kind}\0${key}`;
}

/** A call waits from here on; an answer that has come already is its own. */
export function callParked(state: ExecutionState, event: WaitParked, timeMs: number): void {
  const { command_id: id, key, due, about, who } = event;
  const command = state.commands.get(id);
  if (command === undefined) throw new ReplayError(`command ${id} is not open`);
  if (command.waiting === true || command.wait !== undefined) {
    throw new ReplayError(`command ${id} waits already`);
  }
  if (event.attempt !== undefined && event.attempt !== command.attempt) {
    throw new ReplayError(`command ${id} is at attempt ${command.attempt}, not ${event.attempt}`);
  }
  command.wait = {
    for: event.for,
    key,
    sinceMs: timeMs,
    ...(due === undefined ? {} : { due }),
    ...(about === undefined ? {} : { about }),
    ...(who === undefined ? {} : { who }),
  };
  if (event.for === "timer") return;
  const holder = state.waits.get(key);
  if (holder !== undefined) throw new ReplayError(`key ${key} is that of command ${holder}`);
  const slot = answerSlot(event.for, key);
  // Whoever may approve is asked while it is waited for.
  const early = event.for === "approval" ? undefined : state.answers.get(slot);
  if (early === undefined) {
    state.waits.set(key, id);
    // Whoever answers now means this wait, also where an earlier one had the same key.
    state.answeredKeys.delete(slot);
    return;
  }
  state.answers.delete(slot);
  state.inlineBytes -= early.inlineBytes;
  give(state, command, signed(early.output, early.by));
  remember(state, slot);
}

/** An answer: to the call that the event names, or to one that will be parked under its key. */
export function answerCame(state: ExecutionState, event: WaitDone, place: Place): void {
  const { command_id: id, key, by } = event;
  const { output, inlineBytes } = withinBudget(state, event.output, place);
  if (id === undefined) {
    const slot = answerSlot(event.for ?? "callback", key);
    if (state.waits.has(key) || state.answers.has(slot)) {
      throw new ReplayError(`key ${key} has been answered, or is waited for`);
    }
    state.inlineBytes += inlineBytes;
    state.answers.set(slot, { output, inlineBytes, ...(by === undefined ? {} : { by }) });
    return;
  }
  const command = state.commands.get(id);
  if (command?.wait === undefined || command.wait.key !== key || command.answer !== undefined) {
    throw new ReplayError(`command ${id} does not wait for ${key}`);
  }
  give(state, command, signed(output, by));
  if (command.wait.for === "timer") return;
  state.waits.delete(key);
  remember(state, answerSlot(command.wait.for, key));
}

/** A call has ended: nothing waits for it any more. */
export function closeWait(state: ExecutionState, command: OpenCommand): void {
  if (command.wait === undefined) return;
  const { commandId, answer } = command;
  if (answer === undefined) throw new ReplayError(`command ${commandId} waits for an answer`);
  state.answered.delete(commandId);
}

function give(state: ExecutionState, command: OpenCommand, output: Output): void {
  command.answer = output;
  state.answered.add(command.commandId);
}

/** Who answered is part of what was answered. */
function signed(output: Output, by: string | undefined): Output {
  return by === undefined ? output : { ...output, meta: { ...output.meta, by } };
}

function remember(state: ExecutionState, slot: string): void {
  const { answeredKeys } = state;
  answeredKeys.delete(slot);
  answeredKeys.add(slot);
  if (answeredKeys.size <= answeredKeysMax) return;
  for (const oldest of answeredKeys) {
    answeredKeys.delete(oldest);
    return;
  }
}
