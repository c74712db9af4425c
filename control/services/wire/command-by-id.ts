// One command that a client knows by its id, or by that of the event that issued it: looked at, and
// leased out of turn.

import { frameRows } from "#control/services/cursor-frames";
import { commandOf, executionOf } from "#control/services/dispatch";
import type { Executions } from "#control/services/executions";
import { workerCommand } from "#core/engine/assemble";
import type { WorkerCommand } from "#core/model/command";
import { Fault } from "#core/model/fault";
import { type CommandId, type EventId, executionId, isSnowflake } from "#core/model/ids";
import type { JsonObject } from "#core/model/json";
import { leaseMs } from "#core/model/limits";
import type { CommandRow } from "#core/ports/event-log";
import { lookedUp } from "./outside-events.ts";

export interface CommandAsked {
  /** A command's id, or an event's. */
  readonly id: string;
  /** Where to look for an event's command; everywhere without one. */
  readonly executionId?: string;
}

/** @throws Fault `not_found` for a command that isn't open. */
export async function openCommand(
  executions: Executions,
  { id, executionId: of }: CommandAsked,
): Promise<CommandRow> {
  const { log } = executions.context;
  const known = of !== undefined && isSnowflake(of) ? { executionId: executionId(of) } : {};
  const query = isSnowflake(id)
    ? { eventId: id as EventId, ...known }
    : { commandId: id as CommandId };
  const row = await log.openRow(query);
  if (row !== undefined) return row;
  throw new Fault("not_found", `command ${id.slice(0, 100)} is not open`);
}

/** The command as its worker would be given it. */
export async function assembled(executions: Executions, row: CommandRow): Promise<WorkerCommand> {
  const payload = await frameRows(executions, row);
  const plan = await executions.context.plans.byCatalogId(payload.catalog_id);
  const command = workerCommand(plan, payload, { ...row, leaseMs });
  if (command !== undefined) return command;
  throw new Fault("internal", `the plan has no step ${payload.step}`);
}

/**
 * Leases a command to the worker, or extends the lease that it has.
 * @throws Fault `not_found` for one that there never was, `conflict` with a code in its details: for
 *   one that has ended, for one that is another worker's or for `claim` alone to give out.
 */
export async function claimCommandById(
  executions: Executions,
  {
    worker,
    heldMs = leaseMs,
    ...asked
  }: CommandAsked & {
    readonly worker: string;
    readonly heldMs?: number;
  },
): Promise<{ readonly row: CommandRow; readonly command: WorkerCommand }> {
  const commandId = isSnowflake(asked.id)
    ? (await openCommand(executions, asked)).commandId
    : (asked.id as CommandId);
  const claimed = await executions.context.log.claimOne({ commandId, worker, leaseMs: heldMs });
  if (claimed.verdict === "gone") throw await notOpen(executions, commandId);
  if (claimed.verdict !== "claimed") {
    throw new Fault("conflict", `command ${commandId} is not to be had now`, {
      details: { code: "active_claim" },
    });
  }
  const { row } = claimed;
  const command = await commandOf(executions, row, heldMs);
  if (command !== undefined) return { row, command };
  throw new Fault("not_found", `command ${commandId} is not open`);
}

async function notOpen(executions: Executions, commandId: CommandId): Promise<Fault> {
  const id = executionOf(commandId);
  const unknown = new Fault("not_found", `command ${commandId.slice(0, 100)} does not exist`);
  if (id === undefined || (await executions.context.log.head(id)) === undefined) return unknown;
  const { wasIssued } = await lookedUp(executions, id, commandId);
  if (!wasIssued) return unknown;
  return new Fault("conflict", `command ${commandId} has ended`, {
    details: { code: "already_terminal" },
  });
}

/** In the words of older workers. */
export function commandView(row: CommandRow, command: WorkerCommand) {
  const { payload } = row;
  const issued = (payload as { readonly event_id?: string }).event_id ?? "";
  return {
    event_id: issued,
    execution_id: row.executionId,
    node_id: command.step,
    node_name: command.step,
    action: command.kind,
    context: {
      tool_config: toolConfig(command),
      input: command.scope,
      render_context: command.scope,
      // All of it is JSON: it is what workers are sent.
      command: { ...command } as unknown as JsonObject,
    },
    meta: {
      command_id: command.command_id,
      event_id: issued,
      step: command.step,
      tool_kind: command.kind,
      attempt: command.attempt,
      catalog_id: command.catalog_id,
      pool: command.pool,
      priority: row.terms.priority,
    },
  };
}

/** What a step with one task does; of several, their list. */
export function toolConfig({ tasks }: WorkerCommand): JsonObject {
  const [only, ...more] = tasks;
  if (only !== undefined && more.length === 0) return { kind: only.kind, ...only.config };
  const list = tasks.map(({ label, kind, config }) => ({ name: label, kind, ...config }));
  return { kind: "pipeline", tasks: list };
}
