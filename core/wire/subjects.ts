// Bus subjects, one builder each: nobody puts a subject together by hand.

import type { ExecutionId } from "#core/model/ids";

const token = (text: string): string => text.replace(/[^A-Za-z0-9_-]/g, "_");

/** "Look at the log": commands of this pool are ready. */
export function commandHint(pool: string, executionId: ExecutionId): string {
  return `noetl.commands.${token(pool)}.${executionId}`;
}

export function commandHints(pool: string): string {
  return `noetl.commands.${token(pool)}.>`;
}

/** An event was appended: `playbooks.executions.<id>.step.exit`. */
export function executionUpdate(executionId: ExecutionId, eventType: string): string {
  return `playbooks.executions.${executionId}.${eventType}`;
}

export function executionUpdates(executionId: ExecutionId): string {
  return `playbooks.executions.${executionId}.>`;
}

/** To workers: these commands were cancelled; abort their tools. */
export function commandsCancelled(executionId: ExecutionId): string {
  return `noetl.cancelled.${executionId}`;
}

export const allCancelled = "noetl.cancelled.>";
