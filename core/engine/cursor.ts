// Decisions of cursor loops (language reference §4.8): which frame is issued next, and when the
// queue has been drained. A frame is one command; what it claims is known to the log alone.

import {
  cursorFramesMax,
  frameAttemptsMax,
  frameRowsMax,
  frameSecondsMax,
  framesInFlightMax,
  rowConcurrencyMax,
} from "#core/model/cursor-limits";
import type { CommandInput, CommandIssued, FrameEntry, LoopEntry } from "#core/model/event";
import { invariant } from "#core/model/fault";
import { frameCommandId } from "#core/model/ids";
import { resultBytesMax } from "#core/model/limits";
import type { Failure } from "#core/model/outcome";
import type { PlanCursor, PlanFrame } from "#core/playbook/compile-cursor";
import type { PlanLoop, PlanStep } from "#core/playbook/plan";
import { renderValue } from "#core/playbook/value";
import type { FramePayload } from "./assemble.ts";
import { failure, failureOf, Unusable } from "./failures.ts";
import { issuedEvent, renderInput } from "./issue.ts";
import { ExecutionScope, locals } from "./scope.ts";
import type { ActiveStep, ExecutionState, LoopState } from "./state.ts";
import type { Turn } from "./turn.ts";

interface Bounds {
  /** As the playbook has it. */
  readonly says: string;
  readonly max: number;
  readonly whole: boolean;
}

const whole = (says: string, max: number): Bounds => ({ says, max, whole: true });
const seconds = (says: string): Bounds => ({ says, max: frameSecondsMax, whole: false });

const bounds: Readonly<Record<keyof PlanFrame, Bounds>> = {
  max_rows: whole("frame.max_rows", frameRowsMax),
  max_bytes: whole("frame.max_bytes", resultBytesMax),
  max_seconds: seconds("frame.max_seconds"),
  lease_seconds: { ...seconds("frame.lease_seconds"), max: Number.MAX_SAFE_INTEGER },
  heartbeat_seconds: seconds("frame.heartbeat_seconds"),
  row_concurrency: whole("frame.row_concurrency", rowConcurrencyMax),
  max_attempts: whole("frame.max_attempts", frameAttemptsMax),
  frames_max: whole("max_iterations", cursorFramesMax),
  max_in_flight: whole("max_in_flight", framesInFlightMax),
};

/** The loop's numbers as they are now; a failure where one is none. */
export function cursorEntry(turn: Turn, loop: PlanLoop): LoopEntry | Failure {
  const cursor = cursorOf(loop);
  const scope = new ExecutionScope(turn.state, turn.facts);
  const number = (name: keyof PlanFrame): number => {
    const value = renderValue(cursor.frame[name], scope, { nowMs: turn.facts.nowMs });
    return boundedNumber(value, bounds[name]);
  };
  try {
    const frame: FrameEntry = {
      max_rows: number("max_rows"),
      max_bytes: number("max_bytes"),
      max_seconds: number("max_seconds"),
      lease_seconds: number("lease_seconds"),
      heartbeat_seconds: number("heartbeat_seconds"),
      row_concurrency: number("row_concurrency"),
      max_attempts: number("max_attempts"),
      frames_max: number("frames_max"),
      process: cursor.process,
    };
    return { mode: "cursor", total: 0, max_in_flight: number("max_in_flight"), frame };
  } catch (thrown) {
    return failureOf(thrown, "loop");
  }
}

function boundedNumber(value: unknown, { says, max, whole: isWhole }: Bounds): number {
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  const fits = typeof number === "number" && number >= 1 && number <= max;
  if (fits && (!isWhole || Number.isInteger(number))) return number;
  const noun = isWhole ? "a whole number" : "a number";
  const range = max === Number.MAX_SAFE_INTEGER ? "from 1" : `from 1 to ${max}`;
  throw new Unusable(
    failure("loop", `${says} is ${describe(value)}, expected ${noun} ${range}`, "not_a_number"),
  );
}

function describe(value: unknown): string {
  if (value === undefined || value === null) return "not defined";
  if (typeof value === "object") return Array.isArray(value) ? "a list" : "a map";
  return typeof value === "string" ? "a text" : String(value);
}

function cursorOf(loop: PlanLoop): PlanCursor {
  invariant(loop.cursor !== undefined, "a loop without a cursor was taken for one with");
  return loop.cursor;
}

type Work = "issue" | "drained" | "finish";

/** What a cursor loop is due for, if anything. */
function workOf({ cursor, entry }: LoopState): Work | undefined {
  if (cursor === undefined) return undefined;
  const { open, frames, dry } = cursor;
  if (cursor.drained) return cursor.isDrainedSaid === true ? "finish" : "drained";
  const isOver = cursor.claimFailed !== undefined || frames >= (entry.frame?.frames_max ?? 0);
  if (isOver) return open === 0 ? "finish" : undefined;
  // After an empty claim the next one waits until nobody could put rows back any more.
  return open < (dry ? 1 : entry.max_in_flight) ? "issue" : undefined;
}

/** Takes the loop's next decision; false if there is none. */
export function decideCursor(turn: Turn, step: PlanStep): boolean {
  const active = turn.state.active.get(step.name);
  if (active?.loop === undefined) return false;
  const { loop, visit } = active;
  const work = workOf(loop);
  switch (work) {
    case undefined:
      return false;
    case "issue":
      issueFrame(turn, step, active);
      return true;
    case "drained": {
      const frame = (loop.cursor?.frames ?? 1) - 1;
      turn.journal.emit({ type: "cursor.drained", step: step.name, visit, frame });
      return true;
    }
    case "finish":
      finish(turn, step, { visit, loop });
      return true;
    default:
      return work satisfies never;
  }
}

function finish(turn: Turn, step: PlanStep, { visit, loop }: Pick<ActiveStep, "visit" | "loop">) {
  const { rows = 0, success = 0, failed = 0, filled = 0 } = loop?.cursor ?? {};
  const stats = { total: rows, success, failed, frames: filled };
  turn.journal.emit({ type: "loop.done", step: step.name, visit, stats });
}

/** Issues the next frame; one whose claim can't be rendered has failed like one that was refused. */
function issueFrame(turn: Turn, step: PlanStep, active: ActiveStep): void {
  const { loop, visit } = active;
  invariant(loop?.cursor !== undefined && step.loop !== undefined, `${step.name} has no cursor`);
  const number = loop.cursor.frames;
  const id = frameCommandId(turn.state.executionId, step.name, visit, number);
  const rendered = render(turn, step, { cursor: cursorOf(step.loop), loop, key: id });
  const event = (input?: CommandInput): CommandIssued => ({
    ...issuedEvent(turn, step, { visit, id, ...(input === undefined ? {} : { input }) }),
    frame: number,
  });
  if (!("error" in rendered)) {
    const issued = event(rendered.input);
    turn.journal.emit(issued);
    turn.journal.issued.push({ event: issued });
    return;
  }
  turn.journal.emit(event());
  turn.journal.emit({
    type: "call.error",
    command_id: id,
    attempt: 1,
    output: { status: "error", error: rendered.error },
    duration_ms: 0,
  });
}

interface Claim {
  readonly cursor: PlanCursor;
  readonly loop: LoopState;
  readonly key: string;
}

function render(
  turn: Turn,
  step: PlanStep,
  { cursor, loop, key }: Claim,
): { readonly input?: CommandInput } | { readonly error: Failure } {
  const settings = loop.entry.frame;
  const bound = locals({
    __frame_key: key,
    __frame_max_rows: settings?.max_rows,
    __frame_lease_seconds: settings?.lease_seconds,
    __frame_policy: settings,
  });
  const scope = new ExecutionScope(turn.state, turn.facts, { bound });
  const fields = [...step.fields, ...cursor.fields];
  const workerReads = [...step.workerReads, ...cursor.reads];
  try {
    const input = renderInput(turn, { ...step, fields, workerReads }, scope);
    return input === undefined ? {} : { input };
  } catch (thrown) {
    return { error: failureOf(thrown, `step ${step.name}`) };
  }
}

/** What a frame's row keeps for its worker; undefined for a command that is no frame. */
export function framePayload(
  state: ExecutionState,
  { step, frame, command_id: key }: CommandIssued,
): FramePayload | undefined {
  const settings = state.active.get(step)?.loop?.entry.frame;
  return frame === undefined || settings === undefined
    ? undefined
    : { number: frame, key, settings };
}
