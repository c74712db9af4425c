// The command rows of the memory event log: one map, and a heap for each question that is asked
// in order of time, so that no question walks over all rows. A heap entry holds while its row
// still carries the entry's stamp; every change of a row gives it a new one.

import { plainTerms } from "#core/model/dispatch";
import type { CommandId, ExecutionId } from "#core/model/ids";
import type { Json } from "#core/model/json";
import { aheadRowsMax, claimCommandsMax } from "#core/model/limits";
import type {
  CommandRow,
  CommandRows,
  CourtRequest,
  ExpireRequest,
  LeaseRef,
  NewCommandRow,
  OpenRow,
  PoolQueue,
} from "#core/ports/command-rows";
import { issuedBy } from "./issued-by.ts";
import { type MemoryRules, memoryRules } from "./memory-dispatch-rules.ts";
import { goesBefore, type MemoryRow, outward, readyQueue } from "./memory-ready-queue.ts";
import { type MinHeap, minHeap } from "./min-heap.ts";

interface Entry {
  readonly atMs: number;
  readonly row: MemoryRow;
  readonly stamp: number;
}

/** The port's calls, each done when it returns. */
type Sync<Calls> = {
  readonly [Name in keyof Calls]: Calls[Name] extends (...args: infer Args) => Promise<infer Value>
    ? (...args: Args) => Value
    : never;
};

export interface MemoryCommandRows extends Sync<CommandRows> {
  /** Stores the row, or replaces the one with its id, which keeps its place in the queue. */
  put(row: NewCommandRow): void;
  remove(commandId: CommandId): void;
  readonly rules: MemoryRules;
}

const earlier = (a: Entry, b: Entry): boolean =>
  a.atMs < b.atMs || (a.atMs === b.atMs && a.row.position < b.row.position);

const holds = ({ row, stamp }: Entry): boolean => row.stamp === stamp;

/** The first entry that still holds, after those before it that don't are thrown away. */
function first(heap: MinHeap<Entry>): Entry | undefined {
  for (let entry = heap.peek(); entry !== undefined; entry = heap.peek()) {
    if (holds(entry)) return entry;
    heap.pop();
  }
  return undefined;
}

/** Takes up to `limit` rows whose time has come off a heap; the caller changes each of them. */
function take(heap: MinHeap<Entry>, upToMs: number, limit: number): readonly MemoryRow[] {
  const taken: MemoryRow[] = [];
  while (taken.length < limit) {
    const entry = first(heap);
    if (entry === undefined || entry.atMs > upToMs) break;
    heap.pop();
    taken.push(entry.row);
  }
  return taken;
}

/** The rows and what time brings about; the questions that are asked of them come on top. */
function rowTable(nowMs: () => number) {
  const rows = new Map<CommandId, MemoryRow>();
  const ready = readyQueue();
  const leaseEnds = minHeap(earlier);
  const expiryMarks = minHeap(earlier);
  const others = minHeap(earlier);
  const upcoming = minHeap(earlier);
  /** Tool rows that are not due yet. */
  const dawning = minHeap(earlier);
  /** Of those that were once ready; the ones that still are count. */
  const suspects = new Set<MemoryRow>();

  const entryOf = (row: MemoryRow, atMs: number): Entry => ({ atMs, row, stamp: row.stamp });

  const makeReady = (row: MemoryRow): void => {
    row.status = "ready";
    row.worker = undefined;
    row.handed = false;
    row.stamp += 1;
    const isLater = row.readyAtMs > nowMs();
    if (isLater) upcoming.push(entryOf(row, row.readyAtMs));
    if (row.row.kind !== "tool") others.push(entryOf(row, row.readyAtMs));
    else if (isLater) dawning.push(entryOf(row, row.readyAtMs));
    else ready.push(row);
    if (row.row.suspect) suspects.add(row);
  };

  const makeLeased = (row: MemoryRow, worker: string, leaseMs: number, handed: boolean): void => {
    if (row.status !== "leased") row.leasedAtMs = nowMs();
    row.status = "leased";
    row.worker = worker;
    row.handed = handed;
    row.leaseUntilMs = Math.max(row.leaseUntilMs, nowMs() + leaseMs);
    row.stamp += 1;
    suspects.delete(row);
    leaseEnds.push(entryOf(row, row.leaseUntilMs));
  };

  const remove = (id: CommandId): void => {
    const row = rows.get(id);
    if (row === undefined) return;
    rows.delete(id);
    suspects.delete(row);
    row.status = "gone";
    row.stamp += 1;
  };

  const dawn = (): void => {
    for (const row of take(dawning, nowMs(), Number.POSITIVE_INFINITY)) ready.push(row);
  };

  return {
    ...{ rows, ready, leaseEnds, expiryMarks, others, upcoming, suspects },
    ...{ entryOf, makeReady, makeLeased, remove, dawn },
  };
}

type RowTable = ReturnType<typeof rowTable>;

/** An empty set of rows; `nowMs` is the clock that leases and due times are measured by. */
export function memoryCommandRows(nowMs: () => number): MemoryCommandRows {
  const table = rowTable(nowMs);
  const { rows } = table;
  let positions = 0;
  const leased = function* () {
    for (const row of rows.values()) if (row.status === "leased") yield row;
  };
  const rules = memoryRules(nowMs, leased);

  return {
    rules,
    put: ({ payload, lease, dueInMs, terms = plainTerms, suspect = false, ...row }) => {
      const before = rows.get(row.commandId);
      table.remove(row.commandId);
      const dueAtMs = dueInMs === undefined ? undefined : nowMs() + dueInMs;
      const placeMs = Math.min(before?.readyAtMs ?? nowMs(), nowMs());
      const stored: MemoryRow = {
        row: { ...row, terms, suspect },
        payloadText: JSON.stringify(payload),
        readyAtMs: dueAtMs ?? placeMs,
        issuedAtMs: before?.issuedAtMs ?? nowMs(),
        suspectAtMs: nowMs(),
        position: before?.position ?? ++positions,
        dueAtMs,
        status: "ready",
        handed: false,
        worker: undefined,
        leasedAtMs: 0,
        leaseUntilMs: 0,
        courtedUntilMs: 0,
        stamp: 0,
      };
      rows.set(row.commandId, stored);
      if (lease === undefined) table.makeReady(stored);
      else table.makeLeased(stored, lease.worker, lease.leaseMs, true);
    },
    remove: table.remove,
    ...leasing(table, nowMs, rules),
    ...sweeping(table, nowMs),
    ...watching(table, nowMs),
  };
}

type Part<Name extends keyof CommandRows> = Pick<Sync<CommandRows>, Name>;

function leasing(
  table: RowTable,
  nowMs: () => number,
  rules: MemoryRules,
): Part<"claim" | "claimOne" | "openRow" | "holds" | "renew" | "release" | "handed"> {
  const { rows, ready, makeLeased, makeReady } = table;
  const held = (worker: string, { commandId, attempt }: LeaseRef): MemoryRow | undefined => {
    const row = rows.get(commandId);
    const own = row?.status === "leased" && row.worker === worker && row.row.attempt === attempt;
    return own ? row : undefined;
  };
  const lease = (row: MemoryRow, worker: string, leaseMs: number): CommandRow => {
    row.leaseUntilMs = 0;
    makeLeased(row, worker, leaseMs, false);
    return outward(row);
  };
  return {
    claim: (request) => {
      if (request.want <= 0) return [];
      table.dawn();
      const { worker, leaseMs } = request;
      const taken = ready.claim(request, rules.gate());
      return taken.map((row) => lease(row, worker, leaseMs));
    },
    claimOne: ({ commandId, worker, leaseMs }) => {
      const row = rows.get(commandId);
      if (row === undefined || row.row.kind !== "tool") return { verdict: "gone" };
      const own = row.status === "leased" && row.worker === worker;
      const free = row.status === "ready" && row.readyAtMs <= nowMs() && !row.row.suspect;
      const isFree = free && !rules.speaksOf(row.row);
      if (!own && !isFree) return { verdict: "taken" };
      return { verdict: "claimed", row: lease(row, worker, leaseMs) };
    },
    openRow: (query) => {
      const isIt = ({ row, payloadText }: MemoryRow): boolean =>
        row.kind === "tool" &&
        ("commandId" in query
          ? row.commandId === query.commandId
          : (query.executionId === undefined || query.executionId === row.executionId) &&
            issuedBy(JSON.parse(payloadText) as Json) === query.eventId);
      const found = [...rows.values()].find(isIt);
      return found === undefined ? undefined : outward(found);
    },
    holds: (worker, lease, leaseMs) => {
      const row = held(worker, lease);
      if (row?.handed === true) makeLeased(row, worker, leaseMs, false);
      return row !== undefined;
    },
    renew: (worker, leases, leaseMs) =>
      leases.map((ref) => {
        const row = held(worker, ref);
        if (row === undefined) return rows.has(ref.commandId) ? "lost" : "gone";
        makeLeased(row, worker, leaseMs, false);
        return "renewed";
      }),
    release: (worker, leases) => {
      for (const ref of leases) {
        const row = held(worker, ref);
        if (row !== undefined) makeReady(row);
      }
    },
    handed: (worker, executionIds, leaseMs) => {
      const ids: ReadonlySet<ExecutionId> = new Set(executionIds);
      const found = [...rows.values()].filter(
        (row) => row.handed && row.worker === worker && ids.has(row.row.executionId),
      );
      return found.slice(0, claimCommandsMax).map((row) => {
        row.leaseUntilMs = nowMs() + leaseMs;
        makeLeased(row, worker, leaseMs, true);
        return outward(row);
      });
    },
  };
}

function sweeping(table: RowTable, nowMs: () => number): Part<"expire" | "due" | "done"> {
  const { rows, leaseEnds, expiryMarks, others, entryOf, makeReady } = table;
  let liveSinceMs = Number.NEGATIVE_INFINITY;
  let sweptAtMs = Number.NEGATIVE_INFINITY;

  const mayExpire = ({ leaseMs, gapMs, workersAreNew = false }: ExpireRequest): boolean => {
    const now = nowMs();
    if (workersAreNew) liveSinceMs = Number.NEGATIVE_INFINITY;
    else if (sweptAtMs < now - gapMs) liveSinceMs = now;
    sweptAtMs = Math.max(sweptAtMs, now);
    return liveSinceMs < now - leaseMs;
  };

  /** A hand-over that nobody accepted costs nothing: it is ready again as it was. */
  const runOut = (limit: number): readonly MemoryRow[] => {
    const expired: MemoryRow[] = [];
    while (expired.length < limit) {
      const [row] = take(leaseEnds, nowMs(), 1);
      if (row === undefined) break;
      if (row.handed) makeReady(row);
      else expired.push(row);
    }
    return expired;
  };

  return {
    expire: (request) => {
      const { limit, againMs } = request;
      const fresh = mayExpire(request) ? runOut(limit) : [];
      const again = take(expiryMarks, nowMs() - againMs, limit - fresh.length);
      return [...fresh, ...again].map((row) => {
        row.status = "expired";
        row.stamp += 1;
        expiryMarks.push(entryOf(row, nowMs()));
        return outward(row);
      });
    },
    due: (limit, holdMs) =>
      take(others, nowMs(), limit).map((row) => {
        row.stamp += 1;
        others.push(entryOf(row, nowMs() + holdMs));
        return outward(row);
      }),
    done: (commandIds) => {
      for (const id of commandIds) {
        if (rows.get(id)?.row.kind.startsWith("child.")) table.remove(id);
      }
    },
  };
}

function watching(
  table: RowTable,
  nowMs: () => number,
): Part<"nextDueMs" | "backlog" | "queues" | "court" | "openRows"> {
  const { rows, ready, upcoming, suspects } = table;
  const isReady = ({ status, row, readyAtMs }: MemoryRow): boolean =>
    status === "ready" && row.kind === "tool" && readyAtMs <= nowMs();

  const ahead = (waiting: MemoryRow): number => {
    if (waiting.status !== "ready" || waiting.row.kind !== "tool") return 0;
    const before = [...rows.values()].filter(
      (row) =>
        isReady(row) &&
        !row.row.suspect &&
        row.row.pool === waiting.row.pool &&
        goesBefore(row, waiting),
    );
    return Math.min(before.length, aheadRowsMax);
  };

  const openRow = (row: MemoryRow): OpenRow => ({
    row: outward(row),
    status: row.status === "gone" ? "expired" : row.status,
    handed: row.handed,
    waitedMs: Math.max(0, nowMs() - Math.max(row.readyAtMs, row.issuedAtMs)),
    ahead: ahead(row),
    ...(row.status === "leased" ? { leaseLeftMs: row.leaseUntilMs - nowMs() } : {}),
    ...((row.dueAtMs ?? 0) > nowMs() ? { dueInMs: (row.dueAtMs ?? 0) - nowMs() } : {}),
  });

  const askable = ({ pools, labels = [], waitedMs }: CourtRequest): MemoryRow | undefined => {
    const busy = new Set(
      [...suspects].filter((row) => row.courtedUntilMs > nowMs()).map(({ row }) => row.pool),
    );
    return [...suspects].find(
      (row) =>
        isReady(row) &&
        pools.includes(row.row.pool) &&
        !busy.has(row.row.pool) &&
        row.row.terms.labels.every((label) => labels.includes(label)) &&
        row.suspectAtMs + waitedMs <= nowMs(),
    );
  };

  return {
    nextDueMs: () => {
      for (let entry = first(upcoming); entry !== undefined; entry = first(upcoming)) {
        if (entry.atMs > nowMs()) return entry.atMs;
        upcoming.pop();
      }
      return undefined;
    },
    backlog: () => {
      const pools = new Map<string, { pool: string; ready: number; leased: number }>();
      for (const row of rows.values()) {
        if (row.row.kind !== "tool") continue;
        const { pool } = row.row;
        const count = pools.get(pool) ?? { pool, ready: 0, leased: 0 };
        pools.set(pool, count);
        if (row.status === "leased") count.leased += 1;
        else if (isReady(row)) count.ready += 1;
      }
      return [...pools.values()].sort((a, b) => (a.pool < b.pool ? -1 : 1));
    },
    queues: () => {
      table.dawn();
      const queues = new Map<string, PoolQueue>();
      for (const pool of ready.pools()) queues.set(pool, { pool, waits: true });
      for (const row of suspects) {
        if (!isReady(row)) continue;
        const { pool } = row.row;
        const known = queues.get(pool) ?? { pool, waits: false };
        const waitedMs = Math.max(known.suspectWaitedMs ?? 0, nowMs() - row.suspectAtMs);
        queues.set(pool, { ...known, suspectWaitedMs: waitedMs });
      }
      return [...queues.values()].sort((a, b) => (a.pool < b.pool ? -1 : 1));
    },
    court: (request) => {
      const row = askable(request);
      if (row !== undefined) row.courtedUntilMs = nowMs() + request.holdMs;
      return row !== undefined;
    },
    openRows: (id, limit) =>
      [...rows.values()]
        .filter(({ row }) => row.executionId === id)
        .sort((a, b) => (a.row.commandId < b.row.commandId ? -1 : 1))
        .slice(0, limit)
        .map(openRow),
  };
}
