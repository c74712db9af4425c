// Frames of cursor loops as older workers ask for them: each is a command of its stage, leased by its
// id, and ended with the number of rows that it had. The rows themselves stay with the worker.

import { recordFrame } from "#control/services/cursor-frames";
import type { Executions } from "#control/services/executions";
import type { WorkerCommand } from "#core/model/command";
import { Fault } from "#core/model/fault";
import { type CommandId, type ExecutionId, executionId, isSnowflake } from "#core/model/ids";
import type { JsonObject } from "#core/model/json";
import { pageSizeMax } from "#core/model/limits";
import type { Output } from "#core/model/outcome";
import { claimCommandById, openCommand } from "./command-by-id.ts";
import { type Recorded, recordEvent } from "./outside-events.ts";

/** One visit of a step with a cursor. */
export interface StageName {
  readonly executionId: ExecutionId;
  readonly step: string;
  readonly visit: number;
}

const stagePattern = /^([1-9][0-9]{0,18}):(.+):([1-9][0-9]{0,9})$/s;
const framePattern = /^([1-9][0-9]{0,18}:.+:[1-9][0-9]{0,9}):f(\d{1,10})$/s;

/** @throws Fault `not_found` for text that names no stage. */
export function stageNamed(text: string): StageName {
  const [, id = "", step = "", visit] = stagePattern.exec(text) ?? [];
  if (!isSnowflake(id)) throw new Fault("not_found", `stage ${text.slice(0, 100)} does not exist`);
  return { executionId: executionId(id), step, visit: Number(visit) };
}

interface FrameName {
  readonly stageId: string;
  readonly stage: StageName;
  readonly number: number;
}

function frameNamed(text: string): FrameName {
  const [, stageId, number] = framePattern.exec(text) ?? [];
  if (stageId === undefined) {
    throw new Fault("not_found", `frame ${text.slice(0, 100)} does not exist`);
  }
  return { stageId, stage: stageNamed(stageId), number: Number(number) };
}

export interface FramesClaim {
  readonly stageId: string;
  readonly worker: string;
  readonly count: number;
  readonly heldMs: number;
}

/** Leases frames of the stage that wait, at most so many. @throws Fault `not_found`. */
export async function claimFrames(
  executions: Executions,
  { stageId, worker, count, heldMs }: FramesClaim,
) {
  const { executionId: id, step } = stageNamed(stageId);
  const { log } = executions.context;
  const isKnown = await executions.read(id, (state) => state.steps.has(step));
  if (!isKnown) throw new Fault("not_found", `stage ${stageId.slice(0, 100)} does not exist`);
  const open = await log.openRows(id, pageSizeMax);
  const waiting = open.filter(
    ({ row, status }) => status === "ready" && row.commandId.startsWith(`${stageId}:f`),
  );
  const frames: ReturnType<typeof frameView>[] = [];
  for (const { row } of waiting) {
    if (frames.length === count) break;
    const asked = { id: row.commandId, worker, heldMs };
    const claimed = await claimCommandById(executions, asked).catch(otherWorkers);
    if (claimed === undefined) continue;
    const untilMs = executions.context.clock.nowMs() + heldMs;
    frames.push(frameView(claimed.row.commandId, { worker, untilMs, command: claimed.command }));
  }
  return frames;
}

/** Somebody was faster. */
function otherWorkers(thrown: unknown): undefined {
  if (thrown instanceof Fault && (thrown.code === "conflict" || thrown.code === "not_found")) {
    return undefined;
  }
  throw thrown;
}

/** @throws Fault `not_found`, or `conflict` for a frame that another worker has. */
export async function keepFrame(
  executions: Executions,
  { frameId, worker, heldMs }: { frameId: string; worker: string; heldMs: number },
) {
  frameNamed(frameId);
  const { commandId, attempt } = await openCommand(executions, { id: frameId });
  const [verdict] = await executions.context.log.renew(worker, [{ commandId, attempt }], heldMs);
  if (verdict !== "renewed") throw taken(frameId);
  const untilMs = executions.context.clock.nowMs() + heldMs;
  return frameView(commandId, { worker, untilMs });
}

const taken = (frameId: string): Fault =>
  new Fault("conflict", `frame ${frameId} is another worker's`, {
    details: { code: "active_claim" },
  });

export interface FrameCommit {
  readonly frameId: string;
  readonly worker: string;
  readonly rowCount: number;
  readonly output: Output;
}

/** Records how many rows the frame had, and how it ended. A frame without rows found none. */
export async function commitFrame(
  executions: Executions,
  { frameId, worker, rowCount, output }: FrameCommit,
) {
  const { stage, number } = frameNamed(frameId);
  const { executionId: id } = stage;
  const commandId = frameId as CommandId;
  const row = await executions.context.log.openRow({ commandId });
  if (row !== undefined && rowCount > 0) {
    if (row.worker !== worker) throw taken(frameId);
    const verdict = await recordFrame(executions, {
      executionId: id,
      commandId,
      attempt: row.attempt,
      claimed: { frame: number, row_count: rowCount },
      onRejected: () => () => ({ answer: "refused" }),
    });
    if (verdict === "refused") throw taken(frameId);
  }
  const recorded = await recordEvent(executions, id, {
    by: worker,
    input: { kind: "settle", command: { commandId }, worker, output, durationMs: 0 },
  });
  return frameView(commandId, { worker, recorded, rowCount, output });
}

interface FrameAbout {
  readonly worker: string;
  readonly untilMs?: number;
  readonly command?: WorkerCommand;
  readonly recorded?: Recorded;
  readonly rowCount?: number;
  readonly output?: Output;
}

/** What isn't kept of a frame is null. */
function frameView(commandId: CommandId, about: FrameAbout) {
  const { stageId, stage } = frameNamed(commandId);
  const { worker, untilMs, command, recorded, rowCount, output } = about;
  const ended = output?.status === "error" ? "FAILED" : "COMPLETED";
  // The claim as it is to be run, and the numbers of its frame.
  const cursor = command?.frame as unknown as JsonObject | undefined;
  return {
    frame_id: commandId,
    stage_id: stageId,
    execution_id: stage.executionId,
    status: output === undefined ? "RUNNING" : ended,
    command_id: commandId,
    owner_worker: worker,
    lease_until: untilMs === undefined ? null : new Date(untilMs).toISOString(),
    row_count: rowCount ?? null,
    cursor: cursor ?? {},
    parent_frame_id: null,
    claimed_event_id: null,
    terminal_event_id: recorded?.eventId ?? null,
    output_ref: null,
    events_emitted: null,
  };
}
