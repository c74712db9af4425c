// One round of a cursor loop: the command that claims rows, has them recorded, and works on them.
// No row is worked on before all of them stand in the log, so whoever runs the frame again, here or
// elsewhere, has the same ones.

import type { FrameBinding } from "#core/model/command";
import type { Json } from "#core/model/json";
import type { Failure, Outcome, Output } from "#core/model/outcome";
import type { CommandRun } from "./command-run.ts";
import { type Claim, claimRows } from "./cursor-claim.ts";
import { frameServices } from "./cursor-control.ts";
import { recordRows } from "./cursor-record.ts";
import { type FrameRows, runRows, type Tally } from "./cursor-rows.ts";
import { failure } from "./failure-of.ts";
import type { WorkerServices } from "./services.ts";
import { openResources } from "./tool-context.ts";

/** @throws what a claim's templates throw, which `run-command` makes the outcome of. */
export async function runFrame(run: CommandRun, services: WorkerServices): Promise<Outcome> {
  const { frame } = run.command;
  if (frame === undefined) throw new TypeError(`command ${run.command.command_id} is no frame`);
  const resources = openResources((thrown, key) => {
    services.log.notice?.(`${key} of ${run.command.command_id} could not be closed`, thrown);
  });
  const claim: Claim = { run, services: frameServices(run, services), resources, frame };
  try {
    return frame.driver === "nats" ? await messageFrame(claim) : await tableFrame(claim);
  } finally {
    await resources.close();
  }
}

async function tableFrame(claim: Claim): Promise<Outcome> {
  const { run, services, frame } = claim;
  const recorded = await recordedRows(claim);
  if (recorded !== undefined) return workedOn(claim, { rows: recorded });
  const claimed = await claimRows(claim);
  if ("error" in claimed) return outcomeOf(claim, { status: "error", error: claimed.error });
  const { rows } = claimed;
  if (rows.length === 0) return outcomeOf(claim, nothing);
  if (await recordRows({ run, services, frame, rows })) return workedOn(claim, { rows });
  return handedBack(claim);
}

/** Messages are acknowledged once they stand in the log: that says who has them from then on. */
async function messageFrame(claim: Claim): Promise<Outcome> {
  const { run, services, frame } = claim;
  // Most workers never meet one: they need not load what speaks to NATS.
  const { messageClaim } = await import("./cursor-nats.ts");
  const messages = await messageClaim(claim);
  try {
    const recorded = await recordedRows(claim);
    if (recorded !== undefined) {
      await messages.acknowledge(recorded);
      return await workedOn(claim, messages.keyed(recorded));
    }
    const claimed = await messages.claim();
    if ("error" in claimed) return outcomeOf(claim, { status: "error", error: claimed.error });
    const { rows } = claimed;
    if (rows.length === 0) return outcomeOf(claim, nothing);
    const isOurs = await messages.holding(() => recordRows({ run, services, frame, rows }));
    if (!isOurs) return await handedBack(claim);
    await messages.acknowledge(rows);
    return await workedOn(claim, messages.keyed(rows));
  } finally {
    await messages.close();
  }
}

/** What an earlier attempt has claimed for this frame, if one has. */
async function recordedRows({ services, frame }: Claim): Promise<readonly Json[] | undefined> {
  const { rows, rows_ref: ref } = frame;
  if (ref === undefined) return rows;
  const value = await services.control.resolveResult(ref.ref);
  if (Array.isArray(value)) return value as readonly Json[];
  throw new TypeError(`the rows of frame ${frame.key} are no list`);
}

async function workedOn(claim: Claim, given: FrameRows): Promise<Outcome> {
  const { run, services, frame } = claim;
  const tally = await runRows({ run, services, frame }, given);
  const { set, ...counted } = tally;
  const ended = run.ended(services.clock.nowMs());
  const error = ended ?? failureOf(frame, counted);
  const data = { rows: tally.rows, success: tally.success, failed: tally.failed };
  const output: Output =
    error === undefined ? { status: "ok", data } : { status: "error", data, error };
  return { ...outcomeOf(claim, output), ...(set === undefined ? {} : { set }) };
}

function failureOf(frame: FrameBinding, { rows, failed, firstError }: Tally): Failure | undefined {
  if (failed === 0) return undefined;
  const first = firstError === undefined ? "" : `, first: ${firstError.message}`;
  const message =
    frame.settings.process === "frame"
      ? `the frame of ${rows} rows failed${first}`
      : `${failed} of ${rows} rows failed${first}`;
  // The loop over many frames names the row, not the frame that it was in.
  const details = firstError === undefined ? {} : { details: { message: firstError.message } };
  return { ...failure("frame", message), ...details };
}

const nothing: Output = { status: "ok", data: { rows: 0, success: 0, failed: 0 } };

function outcomeOf({ run, services }: Claim, output: Output): Outcome {
  const { command_id, attempt } = run.command;
  return { command_id, attempt, output, duration_ms: run.elapsedMs(services.clock.nowMs()) };
}

/**
 * The frame is somebody else's, or its time is over: the command goes back to the queue, where the
 * rows that stand in the log come with it.
 */
async function handedBack(claim: Claim): Promise<Outcome> {
  const { run, services } = claim;
  const { command_id: commandId, attempt } = run.command;
  const nowMs = services.clock.nowMs();
  const error = run.ended(nowMs) ?? failure("frame", `the rows of frame ${commandId} are not ours`);
  // What a worker stops by itself is nobody's outcome: its slot is freed, and nothing is reported.
  if (run.stopReason === undefined) {
    run.stop("draining", nowMs);
    const lease = { commandId: commandId, attempt };
    await services.control.release(services.workerId, [lease]).catch((thrown: unknown) => {
      services.log.notice?.(`command ${commandId} could not be given back`, thrown);
    });
  }
  return outcomeOf(claim, { status: "error", error });
}
