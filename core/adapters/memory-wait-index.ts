// The index of open waits in memory.

import type { CommandId, ExecutionId } from "#core/model/ids";
import type { EventLog } from "#core/ports/event-log";
import type {
  EarlyAnswer,
  IndexedWait,
  OpenWait,
  OpenWaitFilter,
  WaitIndex,
} from "#core/ports/wait-index";

interface Early {
  readonly answer: EarlyAnswer;
  taker: CommandId | undefined;
}

/** @param log where it is looked up whose an execution is. */
export function memoryWaitIndex(log: Pick<EventLog, "head">): WaitIndex {
  const rows = new Map<CommandId, OpenWait>();
  /** By execution: each with the command that took it, once there is one. */
  const early = new Map<ExecutionId, Map<number, Early>>();

  const isTaken = ({ executionId, for: kind, key, commandId }: IndexedWait): boolean => {
    const own = [...(early.get(executionId)?.values() ?? [])].filter(
      (each) => each.answer.for === kind && each.answer.key === key,
    );
    const mine = own.find(({ taker }) => taker === commandId);
    const found = mine ?? own.find(({ taker }) => taker === undefined);
    if (found !== undefined) found.taker = commandId;
    return found !== undefined;
  };
  const open = async (wait: IndexedWait): Promise<void> => {
    const head = await log.head(wait.executionId);
    if (head === undefined || isTaken(wait)) return;
    rows.set(wait.commandId, { ...wait, tenant: head.row.tenant });
  };

  return {
    apply: async (changes) => {
      for (const answer of changes.early) {
        const own = early.get(answer.executionId) ?? new Map<number, Early>();
        early.set(answer.executionId, own);
        if (!own.has(answer.seq)) own.set(answer.seq, { answer, taker: undefined });
      }
      for (const wait of changes.opened) await open(wait);
      for (const id of changes.closed) rows.delete(id);
      for (const id of changes.ended) {
        early.delete(id);
        for (const row of rows.values()) if (row.executionId === id) rows.delete(row.commandId);
      }
    },
    list: async (filter) =>
      [...rows.values()]
        .filter((row) => isWanted(row, filter))
        .sort((left, right) => (left.commandId < right.commandId ? -1 : 1))
        .slice(0, filter.limit),
    clear: async () => {
      rows.clear();
      early.clear();
    },
  };
}

function isWanted(row: OpenWait, filter: OpenWaitFilter): boolean {
  const { tenant, for: kind, executionId, after = "" } = filter;
  return (
    row.commandId > after &&
    (tenant === undefined || row.tenant === tenant) &&
    (kind === undefined || row.for === kind) &&
    (executionId === undefined || row.executionId === executionId)
  );
}
