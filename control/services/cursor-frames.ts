// Frames of cursor loops: the rows that a worker has claimed stand in the log before any of them is
// worked on, so that whoever runs the frame again has the same ones.

import type { CommandPayload } from "#core/engine/assemble";
import { isTerminal } from "#core/engine/state";
import { canonicalJson } from "#core/model/canonical-json";
import type { CursorClaimed } from "#core/model/event";
import { Fault } from "#core/model/fault";
import type { CommandId, ExecutionId } from "#core/model/ids";
import type { Json } from "#core/model/json";
import type { ClaimedRows } from "#core/model/outcome";
import type { SettleVerdict } from "#core/ports/control-plane";
import type { CommandRow } from "#core/ports/event-log";
import type { Executions, Request } from "./executions.ts";

export interface FrameRecord {
  readonly executionId: ExecutionId;
  readonly commandId: CommandId;
  readonly attempt: number;
  readonly claimed: ClaimedRows;
  /** What is recorded instead of rows that the store refuses. */
  readonly onRejected: NonNullable<Request<SettleVerdict>["onRejected"]>;
}

/**
 * Records what a frame has claimed. `duplicate`: these rows stand there already. `refused`: others
 * do, which another worker has claimed for the frame, or another attempt is open.
 * @throws Fault `invalid` for rows of a command that is no frame, or of another one.
 */
export async function recordFrame(
  executions: Executions,
  record: FrameRecord,
): Promise<SettleVerdict> {
  const { executionId, commandId, attempt, claimed, onRejected } = record;
  const verdict = await executions.submit<SettleVerdict>(executionId, {
    onRejected,
    rule: (state) => {
      const command = state.commands.get(commandId);
      if (command === undefined || isTerminal(state)) return { answer: "gone" };
      if (command.attempt !== attempt || command.waiting === true) return { answer: "refused" };
      if (command.frame?.number !== claimed.frame) {
        throw new Fault("invalid", `command ${commandId} is no frame ${claimed.frame} of a cursor`);
      }
      if (command.frame.claimedSeq !== undefined) return { answer: "duplicate" };
      const { step, visit } = command;
      const { frame, row_count, rows, rows_ref } = claimed;
      return {
        answer: "accepted",
        events: [
          {
            type: "cursor.claimed",
            step,
            visit,
            frame,
            command_id: commandId,
            attempt,
            row_count,
            ...(rows === undefined ? {} : { rows }),
            ...(rows_ref === undefined ? {} : { rows_ref }),
          },
        ],
      };
    },
  });
  if (verdict !== "duplicate") return verdict;
  const known = await recordedRows(executions, executionId, commandId);
  return known === undefined || isSame(known, claimed) ? verdict : "refused";
}

/** What a command's row says, with the rows that its frame has claimed, if it is one and has. */
export async function frameRows(executions: Executions, row: CommandRow): Promise<CommandPayload> {
  // Written by `commandPayload` of this house.
  const payload = row.payload as unknown as CommandPayload;
  const { frame } = payload;
  if (frame === undefined) return payload;
  const claimed = await recordedRows(executions, row.executionId, row.commandId);
  if (claimed === undefined) return payload;
  const { rows, rows_ref } = claimed;
  const recorded = rows_ref === undefined ? { rows: rows ?? [] } : { rows_ref };
  return { ...payload, frame: { ...frame, ...recorded } };
}

async function recordedRows(
  executions: Executions,
  id: ExecutionId,
  commandId: CommandId,
): Promise<CursorClaimed | undefined> {
  const seq = await executions.read(
    id,
    (state) => state.commands.get(commandId)?.frame?.claimedSeq,
  );
  if (seq === undefined) return undefined;
  const [found] = await executions.context.log.events(id, seq - 1, 1);
  if (found?.event.type !== "cursor.claimed") {
    throw new Fault("internal", `event ${seq} of execution ${id} is no cursor.claimed`);
  }
  return found.event;
}

function isSame(one: ClaimedRows, other: ClaimedRows): boolean {
  if (one.row_count !== other.row_count) return false;
  const { rows_ref: a } = one;
  const { rows_ref: b } = other;
  if (a !== undefined && b !== undefined) return a.meta.sha256 === b.meta.sha256;
  if (a !== undefined || b !== undefined) return false;
  const plain = ({ rows = [] }: ClaimedRows): string => canonicalJson(rows as Json);
  return plain(one) === plain(other);
}
