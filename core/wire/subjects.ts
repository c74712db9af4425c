// Bus subjects, one builder each: nobody puts a subject together by hand.

import type { ExecutionId } from "#core/model/ids";
import type { CommandPointer } from "#core/ports/bus";

const token = (text: string): string => text.replace(/[^A-Za-z0-9_-]/g, "_");

/** The stream that keeps hints for a while, and all the subjects it keeps. */
export const commandStream = "NOETL_COMMANDS";
export const allCommandHints = "noetl.commands.>";

/** "Look at the log": a command of this pool is ready. */
export function commandHint(pool: string, executionId: ExecutionId): string {
  return `noetl.commands.${token(pool)}.${executionId}`;
}

export function commandHints(pool: string): string {
  return `noetl.commands.${token(pool)}.>`;
}

/**
 * By what the stream knows a hint that it is sent twice: one of each attempt. Values of headers are
 * printable ASCII; names of steps may be more than that.
 */
export function commandHintId({ command_id, attempt }: CommandPointer): string {
  return encodeURI(`${command_id}:${attempt}`);
}

/** The name under which all workers of a pool share its hints. */
export function commandConsumer(pool: string): string {
  return `noetl_worker_${token(pool)}`;
}

/** An event was appended: `playbooks.executions.<id>.step.exit`. */
export function executionUpdate(executionId: ExecutionId, eventType: string): string {
  return `playbooks.executions.${executionId}.${eventType}`;
}

export function executionUpdates(executionId: ExecutionId): string {
  return `playbooks.executions.${executionId}.>`;
}

export const allExecutionUpdates = "playbooks.executions.>";

/** To workers: these commands were cancelled; abort their tools. */
export function commandsCancelled(executionId: ExecutionId): string {
  return `noetl.cancelled.${executionId}`;
}

export const allCancelled = "noetl.cancelled.>";

/** Tools of the execution printed something. */
export function stepLogLines(executionId: ExecutionId): string {
  return `playbooks.logs.${executionId}`;
}

/** The stream that mirrors the log, and all the subjects it keeps. */
export const eventStream = "NOETL_EVENTS";
export const allMirroredEvents = "noetl.events.>";

/** An event in the mirror: `noetl.events.<tenant>.<organization>.<id>.<shard>`. */
export function mirroredEvent(
  executionId: ExecutionId,
  shard: number,
  { tenant, organization }: { readonly tenant: string; readonly organization: string },
): string {
  return `noetl.events.${token(tenant)}.${token(organization)}.${executionId}.${shard}`;
}
