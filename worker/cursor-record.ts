// Has the rows of a frame recorded, which ends nothing: the command goes on. While the control plane
// can't be reached it is tried again, as long as the command has time.

import type { FrameBinding } from "#core/model/command";
import { Fault } from "#core/model/fault";
import type { Json } from "#core/model/json";
import { inlineBytesMax } from "#core/model/limits";
import type { ClaimedRows, Outcome } from "#core/model/outcome";
import type { SettleVerdict } from "#core/ports/control-plane";
import type { CommandRun } from "./command-run.ts";
import { mayHelpLater } from "./failure-of.ts";
import { storeResult } from "./results.ts";
import { retryDelayMs } from "./retry-delay.ts";
import { type WorkerServices, workOf } from "./services.ts";

export interface Recording {
  readonly run: CommandRun;
  readonly services: WorkerServices;
  readonly frame: FrameBinding;
  readonly rows: readonly Json[];
}

/**
 * True once the rows stand in the log; false if they are not this worker's to work on.
 * @throws Fault for what the control plane refuses for good, ToolFailure for rows it can't store.
 */
export async function recordRows(recording: Recording): Promise<boolean> {
  const { run, services } = recording;
  const claimed = await claimedRows(recording);
  const { clock, random, log } = services;
  for (let failures = 1; ; failures++) {
    try {
      const verdict = await said(recording, claimed);
      if (verdict !== "retry") return verdict === "accepted" || verdict === "duplicate";
    } catch (thrown) {
      if (thrown instanceof Fault && !mayHelpLater(thrown)) throw thrown;
      log.notice?.(`the rows of ${run.command.command_id} are not recorded yet`, thrown);
    }
    if (run.ended(clock.nowMs()) !== undefined) return false;
    const delayMs = retryDelayMs(failures, random);
    await clock.sleep(Math.min(delayMs, run.deadlineMs - clock.nowMs()), run.signal);
    if (run.ended(clock.nowMs()) !== undefined) return false;
  }
}

/** Stored first where they are larger than an event may carry. */
async function claimedRows({ run, services, frame, rows }: Recording): Promise<ClaimedRows> {
  const about = { frame: frame.number, row_count: rows.length };
  const text = JSON.stringify(rows);
  // No UTF-16 unit takes more than three bytes.
  const isSmall = text.length * 3 <= inlineBytesMax || Buffer.byteLength(text) <= inlineBytesMax;
  if (isSmall) return { ...about, rows };
  const name = `${run.command.step}.rows`;
  return { ...about, rows_ref: await storeResult({ run, services, name }, rows) };
}

async function said(
  { run, services }: Recording,
  claimed: ClaimedRows,
): Promise<SettleVerdict | undefined> {
  const { command_id, attempt, pool } = run.command;
  const outcome: Outcome = {
    command_id,
    attempt,
    output: { status: "ok" },
    duration_ms: run.elapsedMs(services.clock.nowMs()),
    claimed,
  };
  // It asks for nothing, and as one that is idle is not asked to run empty either.
  const work = workOf(services, { pools: [pool], want: 0, idle: true });
  const { verdicts } = await services.control.settle({ ...work, outcomes: [outcome] });
  return verdicts[0];
}
