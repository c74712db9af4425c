// Dead letters and quarantined executions of the memory event log.

import type { CommandId, ExecutionId } from "#core/model/ids";
import type { DeadLetter, DeadLetters, NewDeadLetter, Quarantined } from "#core/ports/dead-letters";
import { storableText } from "./transition-check.ts";

export interface MemoryDeadLetters extends DeadLetters {
  /** Keeps the letter unless there is one of the command. */
  bury(executionId: ExecutionId, letter: NewDeadLetter): void;
}

export function memoryDeadLetters(
  nowMs: () => number,
  tenantOf: (id: ExecutionId) => string | undefined,
): MemoryDeadLetters {
  const letters = new Map<CommandId, DeadLetter>();
  const quarantine = new Map<ExecutionId, Quarantined>();
  const newest = <Item extends { readonly atMs: number; readonly executionId: ExecutionId }>(
    items: Iterable<Item>,
    limit: number,
    tenant: string | undefined,
  ) =>
    [...items]
      .filter(({ executionId }) => tenant === undefined || tenantOf(executionId) === tenant)
      .reverse()
      .sort((a, b) => b.atMs - a.atMs)
      .slice(0, limit);

  return {
    bury: (executionId, letter) => {
      if (letters.has(letter.commandId)) return;
      const { step, message, worker } = letter;
      letters.set(letter.commandId, {
        ...letter,
        executionId,
        step: storableText(step),
        message: storableText(message),
        ...(worker === undefined ? {} : { worker: storableText(worker) }),
        atMs: nowMs(),
      });
    },
    deadLetters: async (limit, tenant) => newest(letters.values(), limit, tenant),
    deadLetter: async (id) => letters.get(id),
    dropDeadLetter: async (id) => letters.delete(id),

    quarantine: async (executionId, reason) => {
      const atMs = quarantine.get(executionId)?.atMs ?? nowMs();
      quarantine.set(executionId, { executionId, reason: storableText(reason), atMs });
    },
    quarantined: async (id) => quarantine.get(id)?.reason,
    quarantines: async (limit, tenant) => newest(quarantine.values(), limit, tenant),
    liftQuarantine: async (id) => quarantine.delete(id),
  };
}
