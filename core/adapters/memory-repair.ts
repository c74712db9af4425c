// The repair of the memory event log: the same promises as on a database, for the same tests and
// for simulations.

import type { ExecutionId } from "#core/model/ids";
import type { OpenRow } from "#core/ports/command-rows";
import type { ExecutionRow } from "#core/ports/event-log";
import type { HeldRow, LogRepair } from "#core/ports/log-repair";
import type { MemoryCommandRows } from "./memory-command-rows.ts";
import { storableRow } from "./transition-check.ts";

/** What the log's tables let a repair do. */
export interface RepairTables {
  executionsAfter(id: ExecutionId | undefined, limit: number): readonly ExecutionId[];
  head(id: ExecutionId): { readonly seq: number; readonly digest: string } | undefined;
  setRow(row: ExecutionRow): void;
  readonly commands: Pick<MemoryCommandRows, "openRows" | "put" | "remove" | "renew">;
}

const heldRow = ({ row }: OpenRow): HeldRow => ({
  commandId: row.commandId,
  executionId: row.executionId,
  kind: row.kind,
  pool: row.pool,
  attempt: row.attempt,
  payload: row.payload,
});

export function memoryRepair(tables: RepairTables): LogRepair {
  const { commands } = tables;
  const rowsOf = (id: ExecutionId) => commands.openRows(id, Number.MAX_SAFE_INTEGER);

  return {
    executionIds: async (after, limit) => tables.executionsAfter(after, limit),
    rowsOf: async (id) => rowsOf(id).map(heldRow),
    repair: async ({ row, found, rows, leaseMs }) => {
      const head = tables.head(row.executionId);
      if (head?.seq !== found?.seq || head?.digest !== found?.digest) return "moved";
      tables.setRow(storableRow(row));
      const wanted = new Set(rows.map(({ commandId }) => commandId));
      const known = new Map(rowsOf(row.executionId).map((own) => [own.row.commandId, own]));
      for (const { row: own } of known.values()) {
        const isCall = own.kind === "tool" || own.kind === "timer";
        if (isCall && !wanted.has(own.commandId)) commands.remove(own.commandId);
      }
      for (const each of rows) {
        const own = known.get(each.commandId);
        const isHeld = own?.row.kind === each.kind && own.row.attempt === each.attempt;
        if (isHeld && own.status === "expired") continue;
        const worker = isHeld && own.status === "leased" ? own.row.worker : undefined;
        commands.put(worker === undefined ? each : { ...each, lease: { worker, leaseMs } });
        if (worker !== undefined && own?.handed === false) commands.renew(worker, [each], leaseMs);
      }
      return "repaired";
    },
  };
}
