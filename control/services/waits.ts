// Commands that wait for an answer: a tool call that goes on elsewhere, a callback, a person.

import { Fault } from "#core/model/fault";
import type { CommandId, ExecutionId } from "#core/model/ids";
import type { Output, ParkedAt } from "#core/model/outcome";
import type { SettleVerdict } from "#core/ports/control-plane";
import type { Executions, Request } from "./executions.ts";

export interface ParkedCall {
  readonly executionId: ExecutionId;
  readonly commandId: CommandId;
  readonly attempt: number;
  readonly parked: ParkedAt;
  readonly onRejected: NonNullable<Request<SettleVerdict>["onRejected"]>;
}

/** Records that the command waits for an answer under its key, until its time is over. */
export function parkForAnswer(_executions: Executions, call: ParkedCall): Promise<SettleVerdict> {
  throw new Fault("invalid", `command ${call.commandId} can't wait for an answer in this version`);
}

export interface WaitAnswer {
  readonly key: string;
  readonly output: Output;
  readonly by?: string;
}

export type AnswerVerdict = "accepted" | "duplicate" | "ended" | "unknown" | "full";

/** Gives an answer to whoever waits for it, or keeps it for whoever will. */
export function answerWait(
  _executions: Executions,
  id: ExecutionId,
  _answer: WaitAnswer,
): Promise<AnswerVerdict> {
  throw new Fault("invalid", `execution ${id} can't be answered in this version`);
}
