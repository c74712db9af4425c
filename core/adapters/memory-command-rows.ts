// The command rows of the memory event log: one map, and a heap for each question that is asked
// in order of time, so that no question walks over all rows. A heap entry holds while its row
// still carries the entry's stamp; every change of a row gives it a new one.

import type { CommandId } from "#core/model/ids";
import type { Json } from "#core/model/json";
import type {
  ClaimRequest,
  CommandRow,
  LeaseRef,
  NewCommandRow,
  RenewVerdict,
} from "#core/ports/event-log";
import { type MinHeap, minHeap } from "./min-heap.ts";

interface Row {
  readonly row: Omit<NewCommandRow, "payload" | "lease" | "dueAtMs">;
  /** Kept as text: what comes out is never the object that went in. */
  readonly payloadText: string;
  readonly readyAtMs: number;
  readonly position: number;
  status: "ready" | "leased" | "expired";
  worker: string | undefined;
  leaseUntilMs: number;
  stamp: number;
}

interface Entry {
  readonly atMs: number;
  readonly row: Row;
  readonly stamp: number;
}

export interface MemoryCommandRows {
  /** Stores the row, or replaces the one with its id, which keeps its place in the queue. */
  put(row: NewCommandRow): void;
  remove(commandId: CommandId): void;
  claim(request: ClaimRequest): readonly CommandRow[];
  renew(worker: string, leases: readonly LeaseRef[], leaseMs: number): readonly RenewVerdict[];
  release(worker: string, leases: readonly LeaseRef[]): void;
  expire(limit: number, againMs: number): readonly CommandRow[];
  due(limit: number, holdMs: number): readonly CommandRow[];
  done(commandIds: readonly CommandId[]): void;
  nextDueMs(): number | undefined;
  backlog(): readonly { readonly pool: string; readonly ready: number; readonly leased: number }[];
}

const earlier = (a: Entry, b: Entry): boolean =>
  a.atMs < b.atMs || (a.atMs === b.atMs && a.row.position < b.row.position);

const outward = ({ row, payloadText, worker }: Row): CommandRow => ({
  commandId: row.commandId,
  executionId: row.executionId,
  kind: row.kind,
  pool: row.pool,
  attempt: row.attempt,
  payload: JSON.parse(payloadText) as Json,
  ...(worker === undefined ? {} : { worker }),
});

/** An empty set of rows; `nowMs` is the clock that leases and due times are measured by. */
export function memoryCommandRows(nowMs: () => number): MemoryCommandRows {
  const rows = new Map<CommandId, Row>();
  const readyByPool = new Map<string, MinHeap<Entry>>();
  const leaseEnds = minHeap(earlier);
  const expiryMarks = minHeap(earlier);
  const others = minHeap(earlier);
  const upcoming = minHeap(earlier);
  let positions = 0;

  const holds = ({ row, stamp }: Entry): boolean =>
    row.stamp === stamp && rows.get(row.row.commandId) === row;

  /** The first entry that still holds, after those before it that don't are thrown away. */
  const first = (heap: MinHeap<Entry> | undefined): Entry | undefined => {
    for (let entry = heap?.peek(); entry !== undefined; entry = heap?.peek()) {
      if (holds(entry)) return entry;
      heap?.pop();
    }
    return undefined;
  };

  /** Takes up to `limit` rows whose time has come off a heap; the caller changes each of them. */
  const take = (heap: MinHeap<Entry>, upToMs: number, limit: number): readonly Row[] => {
    const taken: Row[] = [];
    while (taken.length < limit) {
      const entry = first(heap);
      if (entry === undefined || entry.atMs > upToMs) break;
      heap.pop();
      taken.push(entry.row);
    }
    return taken;
  };

  const entryOf = (row: Row, atMs: number): Entry => ({ atMs, row, stamp: row.stamp });

  const makeReady = (row: Row): void => {
    row.status = "ready";
    row.worker = undefined;
    row.stamp += 1;
    if (row.readyAtMs > nowMs()) upcoming.push(entryOf(row, row.readyAtMs));
    if (row.row.kind !== "tool") {
      others.push(entryOf(row, row.readyAtMs));
      return;
    }
    const heap = readyByPool.get(row.row.pool) ?? minHeap(earlier);
    readyByPool.set(row.row.pool, heap);
    heap.push(entryOf(row, row.readyAtMs));
  };

  const makeLeased = (row: Row, worker: string, untilMs: number): void => {
    row.status = "leased";
    row.worker = worker;
    row.leaseUntilMs = untilMs;
    row.stamp += 1;
    leaseEnds.push(entryOf(row, untilMs));
  };

  const held = (worker: string, { commandId, attempt }: LeaseRef): Row | undefined => {
    const row = rows.get(commandId);
    const own = row?.status === "leased" && row.worker === worker && row.row.attempt === attempt;
    return own ? row : undefined;
  };

  const nextReady = (pools: ReadonlySet<string>): MinHeap<Entry> | undefined => {
    let best: MinHeap<Entry> | undefined;
    let bestEntry: Entry | undefined;
    for (const pool of pools) {
      const entry = first(readyByPool.get(pool));
      if (entry === undefined || entry.atMs > nowMs()) continue;
      if (bestEntry !== undefined && !earlier(entry, bestEntry)) continue;
      best = readyByPool.get(pool);
      bestEntry = entry;
    }
    return best;
  };

  return {
    put: ({ payload, lease, dueAtMs, ...row }) => {
      const before = rows.get(row.commandId);
      const placeMs = Math.min(before?.readyAtMs ?? nowMs(), nowMs());
      const stored: Row = {
        row,
        payloadText: JSON.stringify(payload),
        readyAtMs: dueAtMs ?? placeMs,
        position: before?.position ?? ++positions,
        status: "ready",
        worker: undefined,
        leaseUntilMs: 0,
        stamp: 0,
      };
      rows.set(row.commandId, stored);
      if (lease === undefined) makeReady(stored);
      else makeLeased(stored, lease.worker, nowMs() + lease.leaseMs);
    },

    remove: (commandId) => {
      rows.delete(commandId);
    },

    claim: ({ worker, pools, want, leaseMs }) => {
      const wanted = new Set(pools);
      const claimed: CommandRow[] = [];
      while (claimed.length < want) {
        const entry = nextReady(wanted)?.pop();
        if (entry === undefined) break;
        makeLeased(entry.row, worker, nowMs() + leaseMs);
        claimed.push(outward(entry.row));
      }
      return claimed;
    },

    renew: (worker, leases, leaseMs) =>
      leases.map((lease) => {
        const row = held(worker, lease);
        if (row === undefined) return rows.has(lease.commandId) ? "lost" : "gone";
        makeLeased(row, worker, Math.max(row.leaseUntilMs, nowMs() + leaseMs));
        return "renewed";
      }),

    release: (worker, leases) => {
      for (const lease of leases) {
        const row = held(worker, lease);
        if (row !== undefined) makeReady(row);
      }
    },

    expire: (limit, againMs) => {
      const markedMs = nowMs();
      const fresh = take(leaseEnds, markedMs, limit);
      const again = take(expiryMarks, markedMs - againMs, limit - fresh.length);
      return [...fresh, ...again].map((row) => {
        row.status = "expired";
        row.stamp += 1;
        expiryMarks.push(entryOf(row, markedMs));
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
        if (rows.get(id)?.row.kind.startsWith("child.")) rows.delete(id);
      }
    },

    nextDueMs: () => {
      for (let entry = first(upcoming); entry !== undefined; entry = first(upcoming)) {
        if (entry.atMs > nowMs()) return entry.atMs;
        upcoming.pop();
      }
      return undefined;
    },

    backlog: () => {
      const pools = new Map<string, { pool: string; ready: number; leased: number }>();
      for (const { row, status, readyAtMs } of rows.values()) {
        if (row.kind !== "tool") continue;
        const count = pools.get(row.pool) ?? { pool: row.pool, ready: 0, leased: 0 };
        pools.set(row.pool, count);
        if (status === "leased") count.leased += 1;
        else if (status === "ready" && readyAtMs <= nowMs()) count.ready += 1;
      }
      return [...pools.values()].sort((a, b) => (a.pool < b.pool ? -1 : 1));
    },
  };
}
