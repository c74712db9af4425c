// Commands that wait for an answer: a wait of the playbook's, a tool call that goes on elsewhere, a
// sub-playbook that is not waited for for ever. An answer is recorded once, whoever gives it and
// whenever it comes.

import { lateChildOutput } from "#core/engine/children";
import { type ExecutionState, isTerminal, type WaitState } from "#core/engine/state";
import { answerSlot } from "#core/engine/wait-fold";
import { dueOutput } from "#core/engine/waits";
import type { EventBody } from "#core/model/event";
import { earlyAnswersMax, waitKeyCharsMax, waitMsMax } from "#core/model/flow-limits";
import type { CommandId, ExecutionId } from "#core/model/ids";
import { failureOutput, type Output, type ParkedAt } from "#core/model/outcome";
import type { SettleVerdict } from "#core/ports/control-plane";
import type { CommandRow } from "#core/ports/event-log";
import type { Executions, Request, Ruling } from "./executions.ts";
import { dueCommand } from "./wait-rows.ts";

export interface ParkedCall {
  readonly executionId: ExecutionId;
  readonly commandId: CommandId;
  readonly attempt: number;
  readonly parked: ParkedAt;
  readonly onRejected: NonNullable<Request<SettleVerdict>["onRejected"]>;
}

/** Records that the command waits for an answer under its key, until its time is over. */
export function parkForAnswer(executions: Executions, call: ParkedCall): Promise<SettleVerdict> {
  const { executionId, commandId, attempt, parked, onRejected } = call;
  const { clock } = executions.context;
  return executions.submit<SettleVerdict>(executionId, {
    onRejected,
    rule: (state) => {
      const command = state.commands.get(commandId);
      if (command === undefined || isTerminal(state)) return { answer: "gone" };
      if (command.attempt !== attempt || command.waiting === true) return { answer: "refused" };
      if (command.wait !== undefined) {
        return { answer: command.wait.key === parked.key ? "duplicate" : "refused" };
      }
      const holder = state.waits.get(parked.key);
      const problem = keyProblem(parked.key, holder);
      const about = { command_id: commandId, attempt };
      if (problem !== undefined) {
        const error = { kind: "wait", message: problem, retryable: false };
        const output = failureOutput(error);
        return {
          answer: "accepted",
          events: [{ type: "call.error", ...about, output, duration_ms: 0 }],
        };
      }
      return { answer: "accepted", events: [parkedEvent(about, parked, state, clock.nowMs())] };
    },
  });
}

function keyProblem(key: string, holder: CommandId | undefined): string | undefined {
  if (key.length > waitKeyCharsMax) {
    return `the key of the call has ${key.length} characters, expected at most ${waitKeyCharsMax}`;
  }
  return holder === undefined ? undefined : `command ${holder} waits under the same key`;
}

function parkedEvent(
  about: { readonly command_id: CommandId; readonly attempt: number },
  parked: ParkedAt,
  state: ExecutionState,
  nowMs: number,
): EventBody {
  const { key, timeout_ms: timeoutMs, about: shown } = parked;
  const due = Math.max(nowMs, state.timeMs) + Math.min(Math.ceil(timeoutMs), waitMsMax);
  const more = shown === undefined ? {} : { about: shown };
  return { type: "wait.parked", ...about, key, for: "callback", due, ...more };
}

export interface WaitAnswer {
  readonly key: string;
  /** What it is an answer to; a callback without it. */
  readonly as?: "callback" | "signal" | "approval";
  /** The call that is meant: no other one that waits under the key. */
  readonly commandId?: string;
  /** Whether whoever answers may, by what is waited for; everybody may without it. */
  readonly isAllowed?: (wait: WaitState) => boolean;
  readonly output: Output;
  readonly by?: string;
}

/**
 * - `duplicate`: the key was answered before, and this changes nothing
 * - `full`: the execution keeps no more answers for waits that have not begun
 * - `other`: what waits under the key is of another kind, and is answered otherwise
 * - `absent`: nothing waits under the key, and such an answer is not kept for later
 * - `forbidden`: what waits there is to be answered by others
 */
export type AnswerVerdict =
  | "accepted"
  | "duplicate"
  | "ended"
  | "unknown"
  | "full"
  | "other"
  | "absent"
  | "forbidden";

/** Gives an answer to whoever waits for it, or keeps it for whoever will. */
export function answerWait(
  executions: Executions,
  id: ExecutionId,
  answer: WaitAnswer,
): Promise<AnswerVerdict> {
  return executions.submit<AnswerVerdict>(id, { rule: (state) => ruleAnswer(state, answer) });
}

function ruleAnswer(state: ExecutionState, given: WaitAnswer): Ruling<AnswerVerdict> {
  const { key, output, by, as = "callback" } = given;
  if (state.started === undefined) return { answer: "unknown" };
  if (isTerminal(state)) return { answer: "ended" };
  const commandId = state.waits.get(key);
  const refused =
    commandId === undefined ? ruleEarly(state, given) : ruleOpen(state, commandId, given);
  if (refused !== undefined) return { answer: refused };
  const event: EventBody = {
    type: "wait.done",
    key,
    ...(commandId === undefined ? {} : { command_id: commandId }),
    ...(commandId === undefined && as === "signal" ? { for: as } : {}),
    output,
    ...(by === undefined ? {} : { by }),
  };
  return { answer: "accepted", events: [event] };
}

/** Why an answer to nobody is not kept; undefined where it is. */
function ruleEarly(
  state: ExecutionState,
  { key, commandId, as = "callback" }: WaitAnswer,
): AnswerVerdict | undefined {
  const slot = answerSlot(as, key);
  if (state.answers.has(slot) || state.answeredKeys.has(slot)) return "duplicate";
  if (as === "approval" || commandId !== undefined) return "absent";
  return state.answers.size >= earlyAnswersMax ? "full" : undefined;
}

function ruleOpen(
  state: ExecutionState,
  openId: CommandId,
  { as = "callback", commandId, isAllowed }: WaitAnswer,
): AnswerVerdict | undefined {
  const wait = state.commands.get(openId)?.wait;
  // The call that was meant has had its answer: another one waits under its key by now.
  if (commandId !== undefined && commandId !== openId) return "duplicate";
  if (wait === undefined || wait.for !== as) return "other";
  return isAllowed === undefined || isAllowed(wait) ? undefined : "forbidden";
}

/** The time of a command is over that waited for an answer or a child; false for any other. */
export function endWait(executions: Executions, row: CommandRow): Promise<boolean> {
  const { clock } = executions.context;
  return executions.submit<boolean>(row.executionId, {
    rule: (state) => ruleDue(state, row, clock.nowMs()),
  });
}

function ruleDue(state: ExecutionState, row: CommandRow, nowMs: number): Ruling<boolean> {
  const command = isTerminal(state) ? undefined : dueCommand(state, row);
  if (command === undefined) return { answer: false };
  const { commandId, attempt, wait, child } = command;
  const endMs = Math.max(nowMs, state.timeMs);
  if (wait !== undefined) {
    const output = dueOutput(wait, endMs);
    return {
      answer: true,
      events: [{ type: "wait.done", key: wait.key, command_id: commandId, output }],
    };
  }
  if (child === undefined) return { answer: false };
  const output = lateChildOutput(child, endMs);
  const duration_ms = Math.max(0, endMs - (child.startedMs ?? endMs));
  return {
    answer: true,
    events: [{ type: "call.error", command_id: commandId, attempt, output, duration_ms }],
  };
}
