// What the events of a cursor loop make of its state: how many frames there were, which are open,
// and whether the queue is known to be empty. Rows stay in the log.

import type { CallSettled, CursorClaimed, Envelope, LoopDone, LoopEntry } from "#core/model/event";
import { isJsonObject, type JsonObject } from "#core/model/json";
import type { Failure, Output } from "#core/model/outcome";
import type { CursorState, ExecutionState, LoopState, OpenCommand } from "./state.ts";

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

/** A frame has rows: the queue is not empty, whatever a claim before it found. */
export function frameClaimed(
  state: ExecutionState,
  { frame }: OpenCommand,
  event: Envelope & CursorClaimed,
): void {
  if (frame === undefined) return;
  frame.claimedSeq = event.seq;
  frame.rowCount = event.row_count;
  const cursor = state.active.get(event.step)?.loop?.cursor;
  if (cursor !== undefined && event.row_count > 0) cursor.dry = false;
}

/** A frame has ended: with its rows, with none to claim, or because they could not be claimed. */
export function frameSettled(loop: LoopState, command: OpenCommand, event: CallSettled): void {
  const { cursor } = loop;
  const { frame } = command;
  if (cursor === undefined || frame === undefined) return;
  cursor.open--;
  loop.open--;
  loop.done++;
  if (event.type === "call.error") {
    loop.failed++;
    const error = event.output.error ?? unknownFailure;
    if (frame.claimedSeq === undefined) {
      cursor.claimFailed ??= error;
      return;
    }
    loop.firstError ??= { ...error, message: rowMessage(error) };
  }
  const { rows, success, failed } = countsOf(command, event);
  if (rows > 0) {
    cursor.filled++;
    cursor.rows += rows;
    cursor.success += success;
    cursor.failed += failed;
    return;
  }
  // Only a claim that began after every other frame had ended can tell that the queue is empty:
  // until then somebody might have put rows back.
  const isLast = frame.alone && cursor.open === 0 && cursor.frames === frame.number + 1;
  if (isLast) cursor.drained = true;
  else cursor.dry = true;
}

/** What the first row failed with, where the frame says so: it counts its own rows besides. */
function rowMessage({ message, details }: Failure): string {
  const said = isJsonObject(details ?? null) ? (details as JsonObject).message : undefined;
  return typeof said === "string" ? said : message;
}

interface Counts {
  readonly rows: number;
  readonly success: number;
  readonly failed: number;
}

/** As the worker counted; where it had no time to, all recorded rows went as the frame did. */
function countsOf({ frame }: OpenCommand, event: CallSettled): Counts {
  const { data } = event.output;
  const counted: JsonObject = isJsonObject(data ?? null) ? (data as JsonObject) : {};
  const rows = frame?.rowCount ?? 0;
  const { success, failed } = counted;
  if (typeof success === "number" && typeof failed === "number" && success + failed === rows) {
    return { rows, success, failed };
  }
  return event.type === "call.done"
    ? { rows, success: rows, failed: 0 }
    : { rows, success: 0, failed: rows };
}

/** The end of the queue stands in the log. */
export function saidDrained(loop: LoopState | undefined): void {
  if (loop?.cursor !== undefined) loop.cursor.isDrainedSaid = true;
}

/** The envelope of a cursor loop that has ended; it has no results, since a queue has no bound. */
export function cursorOutput({ stats }: LoopDone, loop: LoopState): Output {
  const { cursor, entry, firstError } = loop;
  const data = { stats: { ...stats } };
  const error =
    cursor?.claimFailed ??
    (cursor?.drained === true ? undefined : notDrained(entry.frame?.frames_max ?? 0)) ??
    rowsFailed(stats, firstError);
  return error === undefined ? { status: "ok", data } : { status: "error", data, error };
}

function notDrained(frames: number): Failure {
  const message = `the cursor was not drained after ${frames} claims, which max_iterations allows`;
  return { kind: "loop", code: "max_iterations", message, retryable: false };
}

function rowsFailed(stats: LoopDone["stats"], first: Failure | undefined): Failure | undefined {
  if (stats.failed === 0) return undefined;
  const because = first === undefined ? "" : `, first: ${first.message}`;
  const message = `${stats.failed} of ${stats.total} rows failed${because}`;
  return { kind: "loop", message, retryable: false };
}

const unknownFailure: Failure = { kind: "unknown", message: "failed", retryable: false };
