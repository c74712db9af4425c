// Durable waits (language reference §9): a call of kind `wait` is parked by the very decision that
// issues it, holds no slot, and ends by its answer, which is a fact.

import type { WaitParked } from "#core/model/event";
import { invariant } from "#core/model/fault";
import { waitKeyCharsMax, waitMsMax } from "#core/model/flow-limits";
import type { CommandId } from "#core/model/ids";
import { isJsonObject, type Json, type JsonObject } from "#core/model/json";
import { type Failure, failureOutput, type Output } from "#core/model/outcome";
import type { PlanStep } from "#core/playbook/plan";
import { failure, Unusable } from "./failures.ts";
import { instantMs } from "./instant.ts";
import type { WaitState } from "./state.ts";
import type { Turn } from "./turn.ts";

export type WaitPlan = Omit<WaitParked, "type" | "command_id">;

export interface WaitCall {
  readonly visit: number;
  /** Of a loop's item. */
  readonly iteration?: number;
  /** The tool's fields, rendered. */
  readonly config: JsonObject;
}

/**
 * What the step's rendered config asks to wait for.
 * @throws Unusable for a time that is none, too long a time, or a key that is taken.
 */
export function planWait(turn: Turn, step: PlanStep, call: WaitCall): WaitPlan {
  const { visit, iteration, config } = call;
  if ((step.tasks[0]?.holes.length ?? 0) > 0) {
    throw unusable("a wait reads what only a worker knows: secrets and outputs of a pipeline");
  }
  const place = `${step.name}:${visit}`;
  const usual = iteration === undefined ? place : `${place}:i${iteration}`;
  const nowMs = eventTimeMs(turn);
  const kind = config.for;
  if (kind === "timer") return { for: "timer", key: usual, due: timerDueMs(config, nowMs) };
  if (kind !== "callback" && kind !== "signal" && kind !== "approval") {
    throw unusable("'for' is none of timer, callback, signal and approval");
  }
  const timeoutMs = timeoutOf(config.timeout_s, step);
  const who = kind === "approval" ? config.approvers : undefined;
  return {
    for: kind,
    key: keyOf(turn, config.key, usual),
    ...(timeoutMs === undefined ? {} : { due: nowMs + timeoutMs }),
    ...(isJsonObject(who) ? { who } : {}),
  };
}

/** The time that the next event will have. */
export function eventTimeMs({ facts, state }: Turn): number {
  return Math.max(facts.nowMs, state.timeMs);
}

function timerDueMs({ seconds, until }: JsonObject, nowMs: number): number {
  if (until !== undefined && until !== null) {
    const atMs = instantMs(until);
    if (atMs === undefined) {
      throw unusable("'until' is no time, expected RFC 3339 text or milliseconds since 1970");
    }
    return nowMs + bounded(Math.max(0, atMs - nowMs), "until");
  }
  return nowMs + secondsMs(seconds ?? null, "seconds");
}

function timeoutOf(given: Json | undefined, { timeoutMs }: PlanStep): number | undefined {
  return given === undefined || given === null ? timeoutMs : secondsMs(given, "timeout_s");
}

/** Milliseconds of a number of seconds, or of text that says one. @throws Unusable */
export function secondsMs(value: Json, field: string): number {
  const seconds = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  if (typeof seconds !== "number" || !(seconds >= 0)) {
    throw unusable(`'${field}' is no number of seconds, expected one of at least 0`);
  }
  return bounded(Math.round(seconds * 1_000), field);
}

function bounded(durationMs: number, field: string): number {
  if (durationMs <= waitMsMax) return durationMs;
  const days = Math.floor(waitMsMax / 86_400_000);
  throw unusable(`'${field}' is more than ${days} days away, expected less`, "too_long");
}

function keyOf({ state }: Turn, given: Json | undefined, usual: string): string {
  const key = given === undefined || given === null || given === "" ? usual : String(given);
  if (typeof given === "object" && given !== null) {
    throw unusable(`'key' is ${Array.isArray(given) ? "a list" : "a map"}, expected text`);
  }
  if (key.length > waitKeyCharsMax || key.includes("\0")) {
    const wanted = `expected at most ${waitKeyCharsMax} without NUL`;
    throw unusable(`'key' has ${key.length} characters, ${wanted}`);
  }
  const holder = state.waits.get(key);
  if (holder === undefined) return key;
  throw unusable(`command ${holder} waits under the same key, expected another one`, "key_taken");
}

function unusable(message: string, code?: string): Unusable {
  return new Unusable(failure("wait", message, code));
}

/** Decides the end of a parked call whose answer is known. */
export function settleAnswered(turn: Turn, id: CommandId): true {
  const command = turn.state.commands.get(id);
  invariant(command?.answer !== undefined && command.wait !== undefined, `${id} has no answer`);
  const { answer, attempt, wait } = command;
  turn.journal.emit({
    type: answer.status === "error" ? "call.error" : "call.done",
    command_id: id,
    attempt,
    output: answer,
    duration_ms: Math.max(0, eventTimeMs(turn) - wait.sinceMs),
  });
  return true;
}

/** How a step fails whose approval was refused. */
export function rejection(by: string): Failure {
  return failure("rejected", `rejected by ${by}`, "rejected");
}

/**
 * What a wait comes to whose time is over: a timer has done its work, others were not answered. The
 * store says when that is, whose clock may be ahead of the one that is read here.
 */
export function dueOutput({ for: kind, key, sinceMs, due = 0 }: WaitState, nowMs: number): Output {
  const waitedMs = Math.max(0, due - sinceMs, nowMs - sinceMs);
  if (kind === "timer") return { status: "ok", data: { waited_ms: waitedMs } };
  const message = `no ${kind} came for ${key} within ${waitedMs} ms`;
  return failureOutput(failure("timeout", message));
}
