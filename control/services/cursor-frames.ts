// Frames of cursor loops: the rows that a worker has claimed stand in the log before any of them is
// worked on, so that whoever runs the frame again has the same ones.

import { isTerminal } from "#core/engine/state";
import { Fault } from "#core/model/fault";
import type { CommandId, ExecutionId } from "#core/model/ids";
import type { ClaimedRows } from "#core/model/outcome";
import type { SettleVerdict } from "#core/ports/control-plane";
import type { Executions, Request } from "./executions.ts";

export interface FrameRecord {
  readonly executionId: ExecutionId;
  readonly commandId: CommandId;
  readonly attempt: number;
  readonly claimed: ClaimedRows;
  /** What is recorded instead of rows that the store refuses. */
  readonly onRejected: NonNullable<Request<SettleVerdict>["onRejected"]>;
}

/** Records what a frame has claimed; the verdicts mean what they mean for outcomes. */
export function recordFrame(executions: Executions, record: FrameRecord): Promise<SettleVerdict> {
  const { executionId, commandId, attempt, claimed, onRejected } = record;
  return executions.submit<SettleVerdict>(executionId, {
    onRejected,
    rule: (state) => {
      const command = state.commands.get(commandId);
      if (command === undefined || isTerminal(state)) return { answer: "gone" };
      if (command.attempt !== attempt || command.waiting === true) return { answer: "refused" };
      if (command.frame === undefined) {
        throw new Fault("invalid", `command ${commandId} is no frame of a cursor loop`);
      }
      if (command.frame.claimedSeq !== undefined) return { answer: "duplicate" };
      const { step, visit } = command;
      return {
        answer: "accepted",
        events: [
          { type: "cursor.claimed", step, visit, command_id: commandId, attempt, ...claimed },
        ],
      };
    },
  });
}
