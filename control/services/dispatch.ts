// Commands to workers and outcomes back (DESIGN §6): claim leases, settle records, and hands the
// next commands of the same executions over in the same breath.
//
// D1  The fence is the attempt number: an outcome counts only for the attempt that is open.
// D2  An outcome is recorded once, however often it is reported.

import { workerCommand } from "#core/engine/assemble";
import { type ExecutionState, isTerminal } from "#core/engine/state";
import type { WorkerCommand } from "#core/model/command";
import type { CallSettled, Event } from "#core/model/event";
import { Fault, messageOf } from "#core/model/fault";
import { type CommandId, type ExecutionId, executionId, isSnowflake } from "#core/model/ids";
import {
  acceptMs,
  claimCommandsMax,
  leaseMs,
  quiesceMs,
  standbySlotsMax,
  suspectWaitMs,
} from "#core/model/limits";
import type { Outcome } from "#core/model/outcome";
import type {
  ClaimWork,
  Settle,
  Settled,
  SettleVerdict,
  StandbyAnswer,
} from "#core/ports/control-plane";
import type { CommandRow, LeaseRef, RenewVerdict } from "#core/ports/event-log";
import { frameRows, recordFrame } from "./cursor-frames.ts";
import type { Executions, Ruling } from "./executions.ts";
import { parkCommand } from "./parking.ts";
import type { HandOver } from "./transition.ts";
import { parkForAnswer } from "./waits.ts";

const pageEvents = 1_000;

/** Leases ready commands: which, is decided by the log's `claim` alone. */
export async function claimCommands(
  executions: Executions,
  { worker, pools, labels = [], idle = false, ...work }: ClaimWork,
): Promise<readonly WorkerCommand[]> {
  const want = Math.min(work.want, claimCommandsMax);
  if (want <= 0) return [];
  const { lines } = executions;
  const { log } = executions.context;
  const afterTenant = lines.lastTenant;
  const rows = await log.claim({ worker, pools, labels, want, leaseMs, idle, afterTenant });
  const last = rows.at(-1);
  if (last?.suspect === false) lines.lastTenant = last.terms.tenant;
  if (rows.length < want && last?.suspect !== true) lines.emptied(pools);
  return commandsOf(executions, { worker, rows, leaseMs });
}

/** Waits for commands that appends of this replica will make. */
export function standbyFor(
  executions: Executions,
  work: ClaimWork,
  signal: AbortSignal,
): Promise<StandbyAnswer> {
  return executions.standby.wait({ ...work, want: Math.min(work.want, standbySlotsMax) }, signal);
}

interface Leased {
  readonly worker: string;
  readonly rows: readonly CommandRow[];
  readonly leaseMs: number;
}

async function commandsOf(
  executions: Executions,
  { worker, rows, leaseMs: heldMs }: Leased,
): Promise<readonly WorkerCommand[]> {
  const commands: WorkerCommand[] = [];
  try {
    for (const row of rows) {
      const command = await commandOf(executions, row, heldMs);
      if (command !== undefined) commands.push(command);
    }
  } catch (thrown) {
    // The worker will never hear of these leases: given back, they burn no attempt.
    await executions.context.log.release(worker, rows).catch(() => {});
    throw thrown;
  }
  return commands;
}

/** A command whose playbook can't be had any more fails at once, instead of being offered forever. */
export async function commandOf(
  executions: Executions,
  row: CommandRow,
  heldMs: number,
): Promise<WorkerCommand | undefined> {
  try {
    const payload = await frameRows(executions, row);
    const plan = await executions.context.plans.byCatalogId(payload.catalog_id);
    const command = workerCommand(plan, payload, { ...row, leaseMs: heldMs });
    if (command !== undefined) return command;
    throw new Fault("internal", `the plan has no step ${payload.step}`);
  } catch (thrown) {
    if (thrown instanceof Fault && thrown.retryable) throw thrown;
    executions.context.report(`command ${row.commandId} can't be given out: ${messageOf(thrown)}`);
    await settleOne(executions, "control", rejected(row, messageOf(thrown)), undefined);
    return undefined;
  }
}

function rejected(row: CommandRow, message: string): Outcome {
  return {
    command_id: row.commandId,
    attempt: row.attempt,
    output: { status: "error", error: { kind: "config", message, retryable: false } },
    duration_ms: 0,
  };
}

/** Records outcomes; each stands for itself. */
export async function settleOutcomes(executions: Executions, settle: Settle): Promise<Settled> {
  const { lines } = executions;
  const { worker, pools, labels = [], idle = false } = settle;
  const want = Math.min(settle.want, claimCommandsMax);
  // Slots beyond those that the outcomes held are for who waits in line: claimed while the outcomes
  // are stored, since a worker that always reports would never come to claim.
  const spare = Math.max(0, want - settle.outcomes.length);
  const beside = !idle && lines.waits(pools) ? spare : 0;
  const handOver: HandOver = {
    worker,
    pools,
    labels,
    mayStay: (id, pool) => lines.mayStay(worker, id, pool),
    // An idle worker is there for the next suspect, should there be one.
    want: idle && lines.suspectsWait(pools) ? 0 : want - beside,
    commands: [],
  };
  const claiming =
    beside === 0 ? [] : ifPossible(claimCommands(executions, { ...settle, want: beside }));
  const [claimed = [], verdicts] = await Promise.all([
    claiming,
    Promise.all(settle.outcomes.map((one) => settleOne(executions, worker, one, handOver))),
  ]);
  const commands = [...handOver.commands, ...claimed];
  const left = (): number => want - commands.length;
  if (left() > 0) commands.push(...(await handedBefore(executions, settle, verdicts)));
  if (commands.length === 0 && want > 0 && !isSure(executions, settle)) {
    const claim = claimCommands(executions, { worker, pools, labels, want, idle });
    commands.push(...((await ifPossible(claim)) ?? []));
  }
  const quiesce = commands.some(({ alone }) => alone)
    ? false
    : await mustQuiesce(executions, settle);
  return { verdicts, commands, ...(quiesce ? { quiesce } : {}) };
}

/** A worker that stands by hears of what is made here, and of the rest by hints: nobody waits. */
function isSure({ standby, lines }: Executions, { worker, pools }: Settle): boolean {
  return standby.has(worker) && !lines.waits(pools) && !lines.suspectsWait(pools);
}

/**
 * An outcome that was recorded before may be reported again because the reply was lost: what that
 * reply handed over is given once more, before its acceptance runs out.
 */
async function handedBefore(
  executions: Executions,
  { worker, outcomes, want }: Settle,
  verdicts: readonly SettleVerdict[],
): Promise<readonly WorkerCommand[]> {
  const again = outcomes.filter((_, index) => verdicts[index] === "duplicate");
  const ids = new Set(again.flatMap(({ command_id }) => executionOf(command_id) ?? []));
  if (ids.size === 0) return [];
  const handed = executions.context.log.handed(worker, [...ids], acceptMs);
  const rows = ((await ifPossible(handed)) ?? []).slice(0, want);
  return commandsOf(executions, { worker, rows, leaseMs: acceptMs });
}

/** A busy worker is asked to run empty for suspects that no idle one has come for. */
async function mustQuiesce(
  { lines, context }: Executions,
  { pools, labels = [], idle = false }: Settle,
): Promise<boolean> {
  if (idle || !lines.suspectsOverdue(pools)) return false;
  const asked = { pools, labels, waitedMs: suspectWaitMs, holdMs: quiesceMs };
  return (await ifPossible(context.log.court(asked))) ?? false;
}

/** What was recorded must be told, even if nothing else can be done just now. */
async function ifPossible<Value>(attempt: Promise<Value>): Promise<Value | undefined> {
  try {
    return await attempt;
  } catch (thrown) {
    if (thrown instanceof Fault && thrown.retryable) return undefined;
    throw thrown;
  }
}

async function settleOne(
  executions: Executions,
  worker: string,
  outcome: Outcome,
  handOver: HandOver | undefined,
): Promise<SettleVerdict> {
  const id = executionOf(outcome.command_id);
  if (id === undefined) return "gone";
  const { yielded, claimed, parked } = outcome;
  const onRejected = (reason: string) => (state: ExecutionState) =>
    ruleOutcome(state, worker, rejectedOutcome(outcome, reason));
  try {
    const about = {
      executionId: id,
      commandId: outcome.command_id as CommandId,
      attempt: outcome.attempt,
      onRejected,
    };
    if (yielded !== undefined) return await parkCommand(executions, { ...about, yielded });
    if (claimed !== undefined) return await recordFrame(executions, { ...about, claimed });
    if (parked !== undefined) return await parkForAnswer(executions, { ...about, parked });
    const verdict = await executions.submit<SettleVerdict>(id, {
      rule: (state) => ruleOutcome(state, worker, outcome),
      onRejected,
      ...(handOver === undefined ? {} : { handOver }),
    });
    return verdict === "gone" ? await recordedBefore(executions, id, outcome) : verdict;
  } catch (thrown) {
    if (thrown instanceof Fault && thrown.retryable) return "retry";
    // Its neighbours must not suffer, nor the worker keep a slot for it until somebody repairs the
    // execution: its lease runs out, and the command is issued again once that has been done.
    executions.context.report(`outcome of ${outcome.command_id}: ${messageOf(thrown)}`);
    return "gone";
  }
}

/** The outcome without what the store would not take (DESIGN §4). */
export function rejectedOutcome(outcome: Outcome, reason: string): Outcome {
  const message = `the result could not be stored: ${reason}`;
  return {
    command_id: outcome.command_id,
    attempt: outcome.attempt,
    output: {
      status: "error",
      error: { kind: "result", code: "result_rejected", message, retryable: false },
    },
    duration_ms: outcome.duration_ms,
  };
}

/** The execution is named in the command's id, up to the first colon. */
export function executionOf(commandId: string): ExecutionId | undefined {
  const text = commandId.slice(0, commandId.indexOf(":"));
  return isSnowflake(text) ? executionId(text) : undefined;
}

export function ruleOutcome(
  state: ExecutionState,
  worker: string,
  outcome: Outcome,
): Ruling<SettleVerdict> {
  const command = state.commands.get(outcome.command_id as CommandId);
  if (command === undefined || isTerminal(state)) return { answer: "gone" };
  const waits = command.waiting === true || command.wait !== undefined;
  if (waits || command.attempt !== outcome.attempt) return { answer: "refused" };
  return { answer: "accepted", events: [settledEvent(worker, outcome)] };
}

function settledEvent(worker: string, outcome: Outcome): CallSettled {
  const { output, set } = outcome;
  const settledAs = outcome.settled_as ?? (output.status === "error" ? "error" : "done");
  return {
    type: settledAs === "error" ? "call.error" : "call.done",
    command_id: outcome.command_id as CommandId,
    attempt: outcome.attempt,
    output,
    ...(set === undefined ? {} : { set }),
    duration_ms: outcome.duration_ms,
    worker,
  };
}

/** D2: a command that is closed was settled by this very attempt, or by something else. */
async function recordedBefore(
  executions: Executions,
  id: ExecutionId,
  outcome: Outcome,
): Promise<SettleVerdict> {
  const isIt = (event: Event): boolean =>
    (event.type === "call.done" || event.type === "call.error") &&
    event.command_id === outcome.command_id &&
    event.attempt === outcome.attempt;
  for (let after = 0; ; ) {
    const page = await executions.context.log.events(id, after, pageEvents);
    if (page.some(({ event }) => isIt(event))) return "duplicate";
    if (page.length < pageEvents) return "gone";
    after = page.at(-1)?.event.seq ?? after;
  }
}

/** @throws Fault `forbidden` for whoever doesn't hold the command's lease. */
export async function requireLease(
  executions: Executions,
  worker: string,
  commandId: CommandId,
): Promise<void> {
  const id = executionOf(commandId);
  const attempt =
    id === undefined
      ? undefined
      : await executions.read(id, (state) => state.commands.get(commandId)?.attempt);
  const { log } = executions.context;
  if (attempt === undefined || !(await log.holds(worker, { commandId, attempt }, leaseMs))) {
    throw new Fault("forbidden", `worker ${worker} has not leased command ${commandId}`);
  }
}

export function renewLeases(
  executions: Executions,
  worker: string,
  leases: readonly LeaseRef[],
): Promise<readonly RenewVerdict[]> {
  return executions.context.log.renew(worker, leases, leaseMs);
}

export function releaseLeases(
  executions: Executions,
  worker: string,
  leases: readonly LeaseRef[],
): Promise<void> {
  return executions.context.log.release(worker, leases);
}
