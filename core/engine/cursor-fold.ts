// What the events of a cursor loop make of its state: how many frames there were, which are open,
// and whether the queue is known to be empty. Rows stay in the log.

import type { CallSettled, CursorClaimed, LoopEntry } from "#core/model/event";
import type { CursorState, LoopState, OpenCommand } from "./state.ts";

/** Where a cursor loop begins; undefined for loops over items. */
export function cursorState(entry: LoopEntry): CursorState | undefined {
  if (entry.mode !== "cursor") return undefined;
  return {
    frames: 0,
    open: 0,
    dry: false,
    drained: false,
    rows: 0,
    success: 0,
    failed: 0,
    filled: 0,
  };
}

/** The frame of a command that was issued, kept in the loop and the command. */
export function frameIssued(loop: LoopState, number: number): NonNullable<OpenCommand["frame"]> {
  const { cursor } = loop;
  const alone = cursor === undefined || cursor.open === 0;
  if (cursor !== undefined) {
    cursor.frames = number + 1;
    cursor.open++;
  }
  return { number, alone };
}

export function frameClaimed(command: OpenCommand, event: CursorClaimed, seq: number): void {
  const { frame } = command;
  if (frame === undefined) return;
  frame.claimedSeq = seq;
  frame.rowCount = event.row_count;
}

/** A frame has ended. */
export function frameSettled(loop: LoopState, command: OpenCommand, event: CallSettled): void {
  const { cursor } = loop;
  if (cursor === undefined) return;
  cursor.open--;
  if (event.type === "call.error") cursor.failed++;
  if (command.frame?.rowCount !== undefined) cursor.rows += command.frame.rowCount;
}

/** The end of the queue stands in the log. */
export function saidDrained(loop: LoopState | undefined): void {
  if (loop?.cursor !== undefined) loop.cursor.isDrainedSaid = true;
}
