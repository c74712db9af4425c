// The ready rows of the memory event log, and the choice among them: by pool and tenant a heap in
// the order in which rows go. An entry holds while its row still carries the entry's stamp.

import type { Json } from "#core/model/json";
import { claimTenantsMax } from "#core/model/limits";
import type { ClaimRequest, CommandRow, NewCommandRow } from "#core/ports/command-rows";
import { type MinHeap, minHeap } from "./min-heap.ts";

/** A row of the memory event log; every change of it gives it a new stamp. */
export interface MemoryRow {
  readonly row: Required<Pick<NewCommandRow, "terms" | "suspect">> &
    Omit<NewCommandRow, "payload" | "lease" | "dueInMs">;
  /** Kept as text: what comes out is never the object that went in. */
  readonly payloadText: string;
  readonly readyAtMs: number;
  readonly issuedAtMs: number;
  /** Since when it has been as it is; of interest for suspects. */
  readonly suspectAtMs: number;
  readonly position: number;
  readonly dueAtMs: number | undefined;
  status: "ready" | "leased" | "expired" | "gone";
  handed: boolean;
  worker: string | undefined;
  leasedAtMs: number;
  leaseUntilMs: number;
  courtedUntilMs: number;
  stamp: number;
}

/** The row as whoever asked for it is given it. */
export const outward = ({ row, payloadText, worker }: MemoryRow): CommandRow => ({
  commandId: row.commandId,
  executionId: row.executionId,
  kind: row.kind,
  pool: row.pool,
  attempt: row.attempt,
  terms: { ...row.terms, labels: [...row.terms.labels] },
  suspect: row.suspect,
  payload: JSON.parse(payloadText) as Json,
  ...(worker === undefined ? {} : { worker }),
});

interface Entry {
  readonly row: MemoryRow;
  readonly stamp: number;
}

type Line = MinHeap<Entry>;

/** Whether the rules let the row be; true takes what they have to give. */
export type Gate = (row: MemoryRow) => boolean;

export interface ReadyQueue {
  /** A row that is ready and due. */
  push(row: MemoryRow): void;
  /** Takes rows out; the caller leases every one of them. */
  claim(request: ClaimRequest, gate: Gate): readonly MemoryRow[];
  /** Pools with rows that any worker may have. */
  pools(): readonly string[];
}

/** Strictly before, among the rows of one tenant or among suspects. */
export function goesBefore(a: MemoryRow, b: MemoryRow): boolean {
  const [left, right] = [a.row.terms.priority, b.row.terms.priority];
  if (left !== right) return left > right;
  return a.readyAtMs === b.readyAtMs ? a.position < b.position : a.readyAtMs < b.readyAtMs;
}

const newLine = (): Line => minHeap((a, b) => goesBefore(a.row, b.row));

/** The first entry that still holds, after those before it that don't are thrown away. */
function first(line: Line | undefined): MemoryRow | undefined {
  for (let entry = line?.peek(); entry !== undefined; entry = line?.peek()) {
    if (entry.row.status === "ready" && entry.row.stamp === entry.stamp) return entry.row;
    line?.pop();
  }
  return undefined;
}

/** One claim's way through the lines: what doesn't fit is put back when it is over. */
class Choice {
  readonly #aside: (readonly [Line, Entry])[] = [];

  constructor(
    readonly request: ClaimRequest,
    readonly gate: Gate,
  ) {}

  /** Up to `limit` rows off these lines, of this priority alone if one is given. */
  take(lines: readonly Line[], limit: number, priority?: number): readonly MemoryRow[] {
    const taken: MemoryRow[] = [];
    while (taken.length < limit) {
      const line = foremost(lines);
      const row = first(line);
      const isOther = priority !== undefined && row?.row.terms.priority !== priority;
      if (line === undefined || row === undefined || isOther) break;
      const entry = line.pop();
      if (this.#fits(row)) taken.push(row);
      else if (entry !== undefined) this.#aside.push([line, entry]);
    }
    return taken;
  }

  #fits(row: MemoryRow): boolean {
    const labels = this.request.labels ?? [];
    return row.row.terms.labels.every((label) => labels.includes(label)) && this.gate(row);
  }

  end(): void {
    for (const [line, entry] of this.#aside) line.push(entry);
  }
}

function foremost(lines: readonly Line[]): Line | undefined {
  let best: Line | undefined;
  let bestRow: MemoryRow | undefined;
  for (const line of lines) {
    const row = first(line);
    if (row === undefined || (bestRow !== undefined && !goesBefore(row, bestRow))) continue;
    best = line;
    bestRow = row;
  }
  return best;
}

export function readyQueue(): ReadyQueue {
  const byPool = new Map<string, Map<string, Line>>();
  const suspects = new Map<string, Line>();

  /** Lines by tenant, in the order in which tenants take their turns. */
  const tenantLines = ({ pools, afterTenant = "" }: ClaimRequest): readonly Line[][] => {
    const lines = new Map<string, Line[]>();
    for (const pool of new Set(pools)) {
      const tenants = byPool.get(pool);
      for (const [tenant, line] of tenants ?? []) {
        if (first(line) === undefined) tenants?.delete(tenant);
        else lines.set(tenant, [...(lines.get(tenant) ?? []), line]);
      }
    }
    const names = [...lines.keys()].sort();
    const turn = names.findIndex((name) => name > afterTenant);
    const turned = turn < 0 ? names : [...names.slice(turn), ...names.slice(0, turn)];
    return turned.slice(0, claimTenantsMax).map((name) => lines.get(name) ?? []);
  };

  const claimInTurns = (choice: Choice): readonly MemoryRow[] => {
    const { request } = choice;
    const tenants = tenantLines(request);
    const taken: MemoryRow[] = [];
    while (taken.length < request.want) {
      const heads = tenants.flatMap((lines) => first(foremost(lines)) ?? []);
      if (heads.length === 0) break;
      const level = Math.max(...heads.map(({ row }) => row.terms.priority));
      let active = tenants;
      while (active.length > 0 && taken.length < request.want) {
        let turns = active.length;
        active = active.filter((lines) => {
          const share = Math.ceil((request.want - taken.length) / turns--);
          const got = choice.take(lines, share, level);
          taken.push(...got);
          return got.length === share && share > 0;
        });
      }
    }
    return taken;
  };

  return {
    push: (row) => {
      const { pool, terms, suspect } = row.row;
      const home = suspect ? suspects : (byPool.get(pool) ?? new Map<string, Line>());
      if (home !== suspects) byPool.set(pool, home);
      const name = suspect ? pool : terms.tenant;
      const line = home.get(name) ?? newLine();
      home.set(name, line);
      line.push({ row, stamp: row.stamp });
    },

    claim: (request, gate) => {
      const choice = new Choice(request, gate);
      try {
        if (request.idle === true) {
          const lines = [...new Set(request.pools)].flatMap((pool) => suspects.get(pool) ?? []);
          const taken = choice.take(lines, Math.min(1, request.want));
          if (taken.length > 0) return taken;
        }
        return claimInTurns(choice);
      } finally {
        choice.end();
      }
    },

    pools: () =>
      [...byPool]
        .filter(([, tenants]) => [...tenants.values()].some((line) => first(line) !== undefined))
        .map(([pool]) => pool),
  };
}
