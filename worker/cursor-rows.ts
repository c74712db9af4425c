// Works on the rows of a frame: the pipeline of its step for each of them, or once for all, as many
// at a time as the loop allows. Rows that failed have the whole frame run again, under the same
// idempotency keys.

import type { FrameBinding, IterationBinding, WorkerCommand } from "#core/model/command";
import type { Json, JsonObject } from "#core/model/json";
import { pipelineTurnTasksMax } from "#core/model/limits";
import type { Failure } from "#core/model/outcome";
import { CommandRun, type StopReason } from "./command-run.ts";
import { failure, failureOf } from "./failure-of.ts";
import { type PipelineResult, refusedOutput, runPipeline } from "./pipeline.ts";
import type { Redaction } from "./redaction.ts";
import { retryDelayMs } from "./retry-delay.ts";
import { pipelineHost } from "./run-command.ts";
import type { WorkerServices } from "./services.ts";
import { openResources } from "./tool-context.ts";

export interface FrameRows {
  readonly rows: readonly Json[];
  /** What each row is known by wherever it comes again; without it, its place in the frame. */
  readonly keys?: readonly string[];
}

/** What came of the rows, in the frame's last run. */
export interface Tally {
  readonly rows: number;
  readonly success: number;
  readonly failed: number;
  readonly firstError?: Failure;
  /** What the rows gave to the execution; a later row's word counts. */
  readonly set?: JsonObject;
}

export interface FrameWork {
  readonly run: CommandRun;
  readonly services: WorkerServices;
  readonly frame: FrameBinding;
}

/** Runs the frame, and again while rows fail: `max_attempts` times in all. */
export async function runRows(work: FrameWork, given: FrameRows): Promise<Tally> {
  const { run, services, frame } = work;
  const { clock, random } = services;
  const bindings = bindingsOf(frame, given);
  for (let attempt = 1; ; attempt++) {
    const tally = tallyOf(frame, given, await runOnce(work, bindings));
    const isLast = attempt >= frame.settings.max_attempts;
    if (tally.failed === 0 || isLast || run.ended(clock.nowMs()) !== undefined) return tally;
    const delayMs = retryDelayMs(attempt, random);
    const message = tally.firstError?.message;
    services.log.retry?.({
      command: run.command,
      label: "frame",
      attempt: attempt + 1,
      delayMs,
      ...(message === undefined ? {} : { message }),
    });
    await clock.sleep(Math.min(delayMs, run.deadlineMs - clock.nowMs()), run.signal);
  }
}

/** One for each row, or a single one whose item is the list of them. */
function bindingsOf(
  { iterator, number, key, settings }: FrameBinding,
  { rows, keys }: FrameRows,
): readonly IterationBinding[] {
  const frame = { number, key, rows, row_count: rows.length };
  if (settings.process === "frame") {
    return [{ iterator, item: rows, index: 0, total: 1, key: `f${number}`, frame }];
  }
  return rows.map((item, index) => ({
    iterator,
    item,
    index,
    total: rows.length,
    key: keys?.[index] ?? `f${number}:${index}`,
    frame,
  }));
}

/** By row; undefined where the command ended first. */
type Results = readonly (PipelineResult | undefined)[];

async function runOnce(work: FrameWork, bindings: readonly IterationBinding[]): Promise<Results> {
  const { run, services, frame } = work;
  const results = new Array<PipelineResult | undefined>(bindings.length).fill(undefined);
  let next = 0;
  const lane = async (): Promise<void> => {
    for (;;) {
      const index = next++;
      const binding = bindings[index];
      if (binding === undefined || run.ended(services.clock.nowMs()) !== undefined) return;
      if (index % pipelineTurnTasksMax === pipelineTurnTasksMax - 1) {
        await new Promise<void>((resolve) => services.defer(resolve));
      }
      results[index] = await runRow(work, binding);
    }
  };
  const lanes = Math.min(frame.settings.row_concurrency, bindings.length);
  await Promise.all(Array.from({ length: lanes }, lane));
  return results;
}

async function runRow(
  { run, services }: FrameWork,
  iteration: IterationBinding,
): Promise<PipelineResult> {
  const rowRun = new RowRun(run, { ...run.command, iteration });
  const resources = openResources((thrown, key) => {
    services.log.notice?.(`${key} of ${run.command.command_id} could not be closed`, thrown);
  });
  try {
    // A row does not wait elsewhere: its frame holds the slot.
    const { pause: _, ...host } = pipelineHost(rowRun, services, resources);
    return await runPipeline(host);
  } catch (thrown) {
    return refusedOutput(failureOf(thrown, `step ${run.command.step}`));
  } finally {
    await resources.close();
  }
}

function tallyOf({ settings }: FrameBinding, { rows }: FrameRows, results: Results): Tally {
  const isDone = (result: PipelineResult | undefined): boolean => result?.settledAs === "done";
  const done = results.filter(isDone).length;
  const success = settings.process === "frame" ? done * rows.length : done;
  const first = results.find((result) => !isDone(result));
  const sets = results.flatMap((result) => (result?.set === undefined ? [] : [result.set]));
  const counts = { rows: rows.length, success, failed: rows.length - success };
  return {
    ...counts,
    ...(counts.failed === 0 ? {} : { firstError: errorOf(first) }),
    ...(sets.length === 0 ? {} : { set: Object.fromEntries(sets.flatMap(Object.entries)) }),
  };
}

function errorOf(result: PipelineResult | undefined): Failure {
  return result?.output.error ?? failure("cancelled", "the frame ended before the row was reached");
}

/** A row's share of its frame's run: what stops the frame stops it. */
class RowRun extends CommandRun {
  override readonly secrets: Redaction;
  readonly #frame: CommandRun;

  constructor(frame: CommandRun, command: WorkerCommand) {
    super(command, frame.startedAtMs, frame.renewAtMs);
    this.#frame = frame;
    this.secrets = frame.secrets;
  }

  override get signal(): AbortSignal {
    return this.#frame.signal;
  }

  override get stopReason(): StopReason | undefined {
    return this.#frame.stopReason;
  }

  override get stoppedAtMs(): number | undefined {
    return this.#frame.stoppedAtMs;
  }

  override stop(reason: StopReason, nowMs: number): void {
    this.#frame.stop(reason, nowMs);
  }

  override ended(nowMs: number): Failure | undefined {
    return this.#frame.ended(nowMs);
  }
}
