// The event log in memory: the reference implementation that every other store is compared with,
// and the store of tests and of the simulator. Nothing in it survives the process.

import { decodeEvent } from "#core/model/codec";
import { invariant } from "#core/model/fault";
import type { ExecutionId } from "#core/model/ids";
import type { Clock } from "#core/ports/clock";
import type {
  AppendVerdict,
  EventLog,
  ExecutionFilter,
  ExecutionRow,
  Transition,
} from "#core/ports/event-log";
import { type MemoryCommandRows, memoryCommandRows } from "./memory-command-rows.ts";
import { checkTransitions, storableRow, storableText } from "./transition-check.ts";

interface Execution {
  row: ExecutionRow;
  readonly events: { readonly text: string; readonly digest: string }[];
}

interface Executions {
  get(id: ExecutionId): Execution | undefined;
  start(row: ExecutionRow): Execution;
  children(id: ExecutionId): readonly ExecutionRow[];
  /** Newest first. */
  list(filter: ExecutionFilter): readonly ExecutionRow[];
}

/** Decimal ids by value, without a big number for each comparison. */
const smallerId = (a: string, b: string): boolean =>
  a.length === b.length ? a < b : a.length < b.length;

/** The place of the first id that isn't smaller than this one, in a list sorted by value. */
function placeOf(ids: readonly ExecutionId[], id: ExecutionId): number {
  let low = 0;
  let high = ids.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const other = ids[middle];
    if (other !== undefined && smallerId(other, id)) low = middle + 1;
    else high = middle;
  }
  return low;
}

function executionTable(): Executions {
  const byId = new Map<ExecutionId, Execution>();
  const ids: ExecutionId[] = [];
  const childIds = new Map<ExecutionId, ExecutionId[]>();

  const rowOf = (id: ExecutionId | undefined): ExecutionRow | undefined =>
    id === undefined ? undefined : byId.get(id)?.row;

  return {
    get: (id) => byId.get(id),
    start: (row) => {
      const execution: Execution = { row, events: [] };
      byId.set(row.executionId, execution);
      ids.splice(placeOf(ids, row.executionId), 0, row.executionId);
      if (row.parentId !== undefined) {
        const siblings = childIds.get(row.parentId) ?? [];
        siblings.splice(placeOf(siblings, row.executionId), 0, row.executionId);
        childIds.set(row.parentId, siblings);
      }
      return execution;
    },
    children: (id) => (childIds.get(id) ?? []).flatMap((child) => rowOf(child) ?? []),
    list: ({ status, path, parentId, before, limit }) => {
      const found: ExecutionRow[] = [];
      let place = (before === undefined ? ids.length : placeOf(ids, before)) - 1;
      for (; place >= 0 && found.length < limit; place--) {
        const row = rowOf(ids[place]);
        if (row === undefined) continue;
        if (status !== undefined && row.status !== status) continue;
        if (path !== undefined && row.path !== path) continue;
        if (parentId !== undefined && row.parentId !== parentId) continue;
        found.push(row);
      }
      return found;
    },
  };
}

function appendOne(
  executions: Executions,
  commands: MemoryCommandRows,
  transition: Transition,
): AppendVerdict {
  const { row, expectedHead, events, settled, issued } = transition;
  const known = executions.get(row.executionId);
  if ((known?.events.length ?? 0) !== expectedHead) return "conflict";
  const execution = known ?? executions.start(row);
  execution.row = storableRow(row);
  for (const { text, digest } of events) execution.events.push({ text, digest });
  const again = new Set(issued.map((command) => command.commandId));
  for (const id of settled) if (!again.has(id)) commands.remove(id);
  for (const command of issued) commands.put(command);
  return "accepted";
}

/** An empty event log; leases and due times are measured by the given clock. */
export function memoryEventLog(clock: Pick<Clock, "nowMs">): EventLog {
  const executions = executionTable();
  const commands = memoryCommandRows(() => clock.nowMs());
  const quarantine = new Map<ExecutionId, string>();

  return {
    append: async (transitions) => {
      checkTransitions(transitions);
      return transitions.map((transition) => appendOne(executions, commands, transition));
    },
    head: async (id) => {
      const execution = executions.get(id);
      if (execution === undefined) return undefined;
      const last = execution.events.at(-1);
      invariant(last !== undefined, `execution ${id} has a head and no event`);
      return { seq: execution.events.length, digest: last.digest, row: execution.row };
    },
    events: async (id, afterSeq, limit) =>
      (executions.get(id)?.events ?? [])
        .slice(afterSeq, afterSeq + limit)
        .map(({ text, digest }) => ({ event: decodeEvent(text), text, digest })),
    executions: async (filter) => executions.list(filter),
    children: async (id) => executions.children(id),

    claim: async (request) => commands.claim(request),
    renew: async (worker, leases, leaseMs) => commands.renew(worker, leases, leaseMs),
    release: async (worker, leases) => commands.release(worker, leases),
    expire: async (limit, againMs) => commands.expire(limit, againMs),
    due: async (limit, holdMs) => commands.due(limit, holdMs),
    done: async (commandIds) => commands.done(commandIds),
    nextDueMs: async () => commands.nextDueMs(),
    backlog: async () => commands.backlog(),

    quarantine: async (id, reason) => {
      quarantine.set(id, storableText(reason));
    },
    quarantined: async (id) => quarantine.get(id),
    close: async () => {},
  };
}
