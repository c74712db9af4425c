// The event log in memory: the reference implementation that every other store is compared with,
// and the store of tests and of the simulator. Nothing in it survives the process.

import { decodeEvent } from "#core/model/codec";
import { plainTerms } from "#core/model/dispatch";
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
import type { LogRepair } from "#core/ports/log-repair";
import { type MemoryCommandRows, memoryCommandRows } from "./memory-command-rows.ts";
import { memoryDeadLetters } from "./memory-dead-letters.ts";
import { memoryRepair } from "./memory-repair.ts";
import { checkTransitions, storableRow } from "./transition-check.ts";

interface Execution {
  row: ExecutionRow;
  readonly events: { readonly text: string; readonly digest: string }[];
}

interface Executions {
  get(id: ExecutionId): Execution | undefined;
  start(row: ExecutionRow): Execution;
  children(id: ExecutionId): readonly ExecutionRow[];
  /** By rising id, after this one. */
  after(id: ExecutionId | undefined, limit: number): readonly ExecutionId[];
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

function isWanted(row: ExecutionRow, filter: ExecutionFilter): boolean {
  const { status, pathPrefix } = filter;
  const statuses = typeof status === "string" ? [status] : status;
  if (statuses?.includes(row.status) === false) return false;
  if (pathPrefix !== undefined && !row.path.startsWith(pathPrefix)) return false;
  const exact = ["tenant", "path", "catalogId", "version", "parentId"] as const;
  return exact.every((name) => filter[name] === undefined || filter[name] === row[name]);
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
    after: (id, limit) => {
      const place = id === undefined ? 0 : placeOf(ids, id);
      const from = ids[place] === id ? place + 1 : place;
      return ids.slice(from, from + limit);
    },
    children: (id) => (childIds.get(id) ?? []).flatMap((child) => rowOf(child) ?? []),
    list: (filter) => {
      const { before, from, limit } = filter;
      const found: ExecutionRow[] = [];
      const first = from === undefined ? 0 : placeOf(ids, from);
      let place = (before === undefined ? ids.length : placeOf(ids, before)) - 1;
      for (; place >= first && found.length < limit; place--) {
        const row = rowOf(ids[place]);
        if (row !== undefined && isWanted(row, filter)) found.push(row);
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
  const isRuled = issued.some(
    ({ lease, pool, terms = plainTerms }) =>
      lease !== undefined && commands.rules.speaksOf({ pool, terms }),
  );
  for (const { lease, ...command } of issued) {
    commands.put(lease === undefined || isRuled ? command : { ...command, lease });
  }
  return isRuled ? "withheld" : "accepted";
}

/** An empty event log; leases and due times are measured by the given clock. */
export function memoryEventLog(
  clock: Pick<Clock, "nowMs">,
): EventLog & { readonly repair: LogRepair } {
  const executions = executionTable();
  const commands = memoryCommandRows(() => clock.nowMs());
  const { bury, ...letters } = memoryDeadLetters(
    () => clock.nowMs(),
    (id) => executions.get(id)?.row.tenant,
  );

  const repair = memoryRepair({
    executionsAfter: executions.after,
    head: (id) => {
      const events = executions.get(id)?.events;
      return events === undefined
        ? undefined
        : { seq: events.length, digest: events.at(-1)?.digest ?? "" };
    },
    setRow: (row) => {
      const execution = executions.get(row.executionId);
      if (execution !== undefined) execution.row = row;
    },
    commands,
  });

  return {
    repair,
    append: async (transitions) => {
      checkTransitions(transitions);
      return transitions.map((transition) => {
        const verdict = appendOne(executions, commands, transition);
        const { row, deadLetters = [] } = transition;
        if (verdict === "conflict") return verdict;
        for (const letter of deadLetters) bury(row.executionId, letter);
        return verdict;
      });
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
    claimOne: async (request) => commands.claimOne(request),
    openRow: async (query) => commands.openRow(query),
    holds: async (...asked) => commands.holds(...asked),
    renew: async (worker, leases, leaseMs) => commands.renew(worker, leases, leaseMs),
    release: async (worker, leases) => commands.release(worker, leases),
    handed: async (worker, ids, leaseMs) => commands.handed(worker, ids, leaseMs),
    expire: async (request) => commands.expire(request),
    due: async (limit, holdMs) => commands.due(limit, holdMs),
    done: async (commandIds) => commands.done(commandIds),
    nextDueMs: async () => commands.nextDueMs(),
    backlog: async () => commands.backlog(),

    queues: async () => commands.queues(),
    court: async (request) => commands.court(request),
    openRows: async (id, limit) => commands.openRows(id, limit),

    rules: async (keys) => commands.rules.rules(keys),
    putRule: async (rule) => commands.rules.put(rule),
    deleteRule: async (key) => commands.rules.remove(key),
    ...letters,
    close: async () => {},
  };
}
