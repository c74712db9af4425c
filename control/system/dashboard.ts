// Numbers for people who look at a dashboard: of a tenant's newest executions, counted at most every
// few seconds, and of the processes that there are.

import { BoundedCache } from "#control/services/bounded-cache";
import type { ControlContext } from "#control/services/context";
import type { ExecutionStatus } from "#core/model/event";
import type { ExecutionId } from "#core/model/ids";
import { dashboardExecutionsMax, dashboardKeptMs } from "#core/model/secret-limits";
import type { ExecutionRow } from "#core/ports/event-log";

export interface Dashboard {
  readonly total: number;
  readonly byStatus: Readonly<Record<ExecutionStatus, number>>;
  readonly playbooks: number;
  /** There are more than were counted. */
  readonly isCapped: boolean;
  readonly newest: readonly ExecutionRow[];
}

const tenantsKeptMax = 1_000;
const page = 1_000;
const newestShown = 10;

/** Reads the numbers of a tenant. Those who ask at the same time share an answer. */
export function dashboards(context: ControlContext): (tenant: string) => Promise<Dashboard> {
  const kept = new BoundedCache<
    string,
    { readonly atMs: number; readonly told: Promise<Dashboard> }
  >(tenantsKeptMax);
  return (tenant) => {
    const nowMs = context.clock.nowMs();
    const known = kept.get(tenant);
    if (known !== undefined && nowMs - known.atMs < dashboardKeptMs) return known.told;
    const told = counted(context, tenant);
    kept.set(tenant, { atMs: nowMs, told });
    told.catch(() => kept.delete(tenant));
    return told;
  };
}

async function counted({ log, catalog }: ControlContext, tenant: string): Promise<Dashboard> {
  const byStatus = { running: 0, completed: 0, failed: 0, cancelled: 0 };
  const newest: ExecutionRow[] = [];
  let total = 0;
  let before: ExecutionId | undefined;
  while (total < dashboardExecutionsMax) {
    const limit = Math.min(page, dashboardExecutionsMax - total);
    const filter = { tenant, limit, ...(before === undefined ? {} : { before }) };
    const rows = await log.executions(filter);
    for (const row of rows) byStatus[row.status] += 1;
    newest.push(...rows.slice(0, Math.max(0, newestShown - newest.length)));
    total += rows.length;
    before = rows.at(-1)?.executionId;
    if (rows.length < limit) break;
  }
  const listed = { tenant, kind: "Playbook", limit: dashboardExecutionsMax };
  const playbooks = (await catalog.list(listed)).length;
  const isCapped = [total, playbooks].some((count) => count >= dashboardExecutionsMax);
  return { total, byStatus, playbooks, isCapped, newest };
}
