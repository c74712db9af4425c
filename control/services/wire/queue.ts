// The queue as older workers know it: jobs are put into executions, and what is leased, extended and
// ended are commands, those of jobs and of steps alike.

import { claimCommands } from "#control/services/dispatch";
import type { Executions } from "#control/services/executions";
import { openJobCount } from "#core/engine/jobs";
import { type ExecutionState, isTerminal } from "#core/engine/state";
import { openJobsMax } from "#core/model/api-limits";
import type { WorkerCommand } from "#core/model/command";
import type { RequestEnqueued } from "#core/model/event";
import { Fault } from "#core/model/fault";
import { type CommandId, type ExecutionId, jobCommandId } from "#core/model/ids";
import { leaseMs, pageSizeMax } from "#core/model/limits";
import type { Output } from "#core/model/outcome";
import type { OpenRow } from "#core/ports/command-rows";
import { assembled, openCommand, toolConfig } from "./command-by-id.ts";
import { type Recorded, recordEvent } from "./outside-events.ts";
import type { JobInput } from "./queue-input.ts";

export interface Enqueued {
  readonly job: number;
  readonly commandId: CommandId;
}

/**
 * Puts a job into a running execution.
 * @throws Fault `not_found` for an unknown execution, `conflict` for one that has ended, `limited`
 *   for one that has too many open jobs.
 */
export async function enqueueJob(
  executions: Executions,
  id: ExecutionId,
  { nodeId, action, input, pool, priority }: JobInput,
): Promise<Enqueued> {
  const answer = await executions.submit<number | "unknown" | "ended" | "full">(id, {
    rule: (state: ExecutionState) => {
      if (state.started === undefined) return { answer: "unknown" };
      if (isTerminal(state)) return { answer: "ended" };
      if (openJobCount(state) >= openJobsMax) return { answer: "full" };
      const job = state.jobs + 1;
      const event: RequestEnqueued = {
        type: "request.enqueued",
        ...{ job, node_id: nodeId, action, input },
        ...(pool === undefined ? {} : { pool }),
        ...(priority === undefined ? {} : { priority }),
      };
      return { answer: job, events: [event] };
    },
  });
  switch (answer) {
    case "unknown":
      throw new Fault("not_found", `execution ${id} does not exist`);
    case "ended":
      throw new Fault("conflict", `execution ${id} has ended`);
    case "full":
      throw new Fault("limited", `execution ${id} has ${openJobsMax} open jobs, try again later`);
    default:
      return { job: answer, commandId: jobCommandId(id, nodeId, answer) };
  }
}

export interface LeaseRequest {
  readonly worker: string;
  readonly pools: readonly string[];
  /** Longer than a worker's lease: extended at once. */
  readonly heldMs?: number;
}

export interface LeasedJob {
  readonly command: WorkerCommand;
  readonly leaseUntilMs: number;
}

/** The next command, as every worker would be given it; undefined when there is none. */
export async function leaseJob(
  executions: Executions,
  { worker, pools, heldMs }: LeaseRequest,
): Promise<LeasedJob | undefined> {
  const { clock, log } = executions.context;
  const [command] = await claimCommands(executions, { worker, pools, want: 1, idle: true });
  if (command === undefined) return undefined;
  const { command_id: commandId, attempt } = command;
  const longMs = heldMs === undefined || heldMs <= leaseMs ? undefined : heldMs;
  if (longMs !== undefined) await log.renew(worker, [{ commandId, attempt }], longMs);
  return { command, leaseUntilMs: clock.nowMs() + (longMs ?? leaseMs) };
}

export interface EndRequest {
  readonly commandId: string;
  /** Who leased it; whoever did, without one. */
  readonly worker: string | undefined;
  readonly output: Output;
}

/**
 * Records how a leased command ended; told again, it is answered with the event that recorded it.
 * @throws Fault `not_found`, or `conflict` for one that nobody or another worker has leased.
 */
export async function endJob(
  executions: Executions,
  id: ExecutionId,
  { commandId, worker, output }: EndRequest,
): Promise<Recorded> {
  const holder = worker ?? (await holderOf(executions, commandId));
  return recordEvent(executions, id, {
    by: holder,
    input: {
      kind: "settle",
      command: { commandId },
      worker: holder,
      output,
      durationMs: 0,
    },
  });
}

/** A job that has ended is nobody's: who asks is told of the event that recorded it. */
async function holderOf({ context }: Executions, commandId: string): Promise<string> {
  const row = await context.log.openRow({ commandId: commandId as CommandId });
  if (row !== undefined && row.worker === undefined) {
    throw new Fault("conflict", `command ${commandId} is leased to nobody`);
  }
  return row?.worker ?? "";
}

/** @throws Fault `not_found`, or `conflict` for a lease that isn't the worker's. */
export async function extendJob(
  executions: Executions,
  { commandId, worker, heldMs }: { commandId: string; worker: string; heldMs: number },
): Promise<number> {
  const { clock, log } = executions.context;
  const { attempt, ...row } = await openCommand(executions, { id: commandId });
  const lease = { commandId: row.commandId, attempt };
  const [verdict] = await log.renew(worker, [lease], heldMs);
  if (verdict === "renewed") return clock.nowMs() + heldMs;
  throw new Fault("conflict", `worker ${worker} has not leased command ${commandId}`);
}

/** A command in the words of the queue. */
export function jobView(command: WorkerCommand, more: { readonly leaseUntilMs: number }) {
  return {
    id: command.command_id,
    execution_id: command.execution_id,
    node_id: command.step,
    action: toolConfig(command),
    input_context: command.scope,
    attempts: command.attempt,
    status: "leased",
    lease_until: new Date(more.leaseUntilMs).toISOString(),
  };
}

/** Open commands of an execution, at most so many, in the words of the queue. */
export async function jobsOf(
  executions: Executions,
  id: ExecutionId,
  { status, limit }: { readonly status: string | undefined; readonly limit: number },
) {
  const { clock, log } = executions.context;
  if ((await log.head(id)) === undefined) {
    throw new Fault("not_found", `execution ${id} does not exist`);
  }
  const rows = (await log.openRows(id, pageSizeMax)).filter(
    (open) => open.row.kind === "tool" && (status === undefined || statusOf(open) === status),
  );
  return Promise.all(
    rows.slice(0, limit).map(async (open) => {
      const { row, leaseLeftMs } = open;
      const command = await assembled(executions, row);
      const until = clock.nowMs() + (leaseLeftMs ?? 0);
      const { lease_until: leaseUntil, ...view } = jobView(command, { leaseUntilMs: until });
      return {
        ...view,
        status: statusOf(open),
        priority: row.terms.priority,
        ...(row.worker === undefined ? {} : { worker_id: row.worker }),
        ...(leaseLeftMs === undefined ? {} : { lease_until: leaseUntil }),
      };
    }),
  );
}

/** An expired lease waits to be issued again. */
const statusOf = ({ status }: OpenRow): string => (status === "leased" ? "leased" : "queued");
