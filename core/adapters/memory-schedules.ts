// Schedules in memory, for a single process and for tests.

import type { ExecutionStatus } from "#core/model/event";
import { Fault } from "#core/model/fault";
import type { ExecutionId } from "#core/model/ids";
import type { Clock } from "#core/ports/clock";
import type { EventLog } from "#core/ports/event-log";
import type {
  NewSchedule,
  Schedule,
  ScheduleAdvance,
  ScheduleChange,
  ScheduleFilter,
  ScheduleStore,
  ScheduleTick,
} from "#core/ports/schedule-store";

interface Entry extends ScheduleTick {
  readonly writtenAtMs: number;
}

/** @param log where it is looked up how executions stand. */
export function memorySchedules(
  clock: Pick<Clock, "nowMs">,
  log: Pick<EventLog, "head">,
): ScheduleStore {
  const rows = new Map<string, Schedule>();
  const entries = new Map<string, Map<number, Entry>>();

  const write = (scheduleId: string, tick: ScheduleTick): void => {
    const own = entries.get(scheduleId) ?? new Map<number, Entry>();
    entries.set(scheduleId, own);
    if (own.get(tick.tickMs)?.outcome === "started") return;
    own.set(tick.tickMs, { ...tick, writtenAtMs: clock.nowMs() });
  };
  const standing = async (id: ExecutionId): Promise<ExecutionStatus | undefined> =>
    (await log.head(id))?.row.status;
  const mayGo = async ({ queued, lastExecution }: Schedule): Promise<boolean> =>
    queued === 0 || lastExecution === undefined || (await standing(lastExecution)) !== "running";
  const ofTenant = (tenant: string, scheduleId: string): Schedule | undefined => {
    const row = rows.get(scheduleId);
    return row?.tenant === tenant ? row : undefined;
  };

  return {
    nowMs: async () => clock.nowMs(),
    put: async (schedule, change) => {
      const row = written(rows, { schedule, change, nowMs: clock.nowMs() });
      rows.set(row.scheduleId, row);
      return row;
    },
    get: async (tenant, scheduleId) => ofTenant(tenant, scheduleId),
    list: async (tenant, filter) =>
      [...rows.values()]
        .filter((row) => row.tenant === tenant && isWanted(row, filter))
        .sort((left, right) => (left.name < right.name ? -1 : 1))
        .slice(0, filter.limit),
    remove: async (tenant, scheduleId) => {
      if (ofTenant(tenant, scheduleId) === undefined) return false;
      entries.delete(scheduleId);
      return rows.delete(scheduleId);
    },
    due: async (limit) => {
      const nowMs = clock.nowMs();
      const come = [...rows.values()]
        .filter((row) => isDue(row, nowMs))
        .sort((left, right) => (left.nextAtMs ?? 0) - (right.nextAtMs ?? 0));
      const schedules: Schedule[] = [];
      for (const row of come) {
        if (schedules.length >= limit) break;
        if (await mayGo(row)) schedules.push(row);
      }
      return { nowMs, schedules };
    },
    advance: async (moves) =>
      moves.map((move) => {
        const row = rows.get(move.scheduleId);
        if (row === undefined) return false;
        write(move.scheduleId, move.tick);
        const isThere = row.revision === move.revision && row.nextTickMs === move.fromTickMs;
        rows.set(row.scheduleId, advanced(row, move, isThere));
        return isThere;
      }),
    standings: async (ids) => {
      const found = new Map<ExecutionId, ExecutionStatus>();
      for (const id of ids) {
        const status = await standing(id);
        if (status !== undefined) found.set(id, status);
      }
      return found;
    },
    record: async (scheduleId, ticks) => {
      if (!rows.has(scheduleId)) return;
      for (const tick of ticks) write(scheduleId, tick);
    },
    ticks: async (scheduleId, { fromMs = Number.NEGATIVE_INFINITY, beforeMs, limit }) =>
      [...(entries.get(scheduleId)?.values() ?? [])]
        .filter(({ tickMs }) => tickMs >= fromMs && (beforeMs === undefined || tickMs < beforeMs))
        .sort((left, right) => right.tickMs - left.tickMs)
        .slice(0, limit)
        .map(({ writtenAtMs: _, ...tick }) => tick),
    purgeTicks: async (olderThanMs, limit) => {
      const oldest = clock.nowMs() - olderThanMs;
      let removed = 0;
      for (const own of entries.values()) {
        for (const [tickMs, { writtenAtMs }] of own) {
          if (removed < limit && writtenAtMs < oldest && own.delete(tickMs)) removed++;
        }
      }
      return removed;
    },
  };
}

interface Written {
  readonly schedule: NewSchedule;
  readonly change: ScheduleChange | undefined;
  readonly nowMs: number;
}

function written(
  rows: ReadonlyMap<string, Schedule>,
  { schedule, change, nowMs }: Written,
): Schedule {
  const { scheduleId, tenant, name } = schedule;
  for (const row of rows.values()) {
    if (row.tenant !== tenant || row.name !== name) continue;
    if (row.scheduleId === scheduleId && change !== undefined) continue;
    throw new Fault("conflict", "another schedule has the name");
  }
  if (change === undefined) {
    return { ...schedule, queued: 0, failures: 0, revision: 1, updatedAtMs: nowMs };
  }
  const known = rows.get(scheduleId);
  if (known?.revision !== change.revision || known.tenant !== tenant) {
    throw new Fault("conflict", `schedule ${scheduleId} was changed meanwhile`);
  }
  const { createdBy: _by, nextAtMs, nextTickMs, ...own } = schedule;
  const place = change.keepsPlace === true ? known : { nextAtMs, nextTickMs, queued: 0 };
  const { lastTickMs, lastExecution, lastStatus, createdAtMs, createdBy } = known;
  return {
    ...own,
    createdAtMs,
    ...(createdBy === undefined ? {} : { createdBy }),
    ...(lastTickMs === undefined ? {} : { lastTickMs }),
    ...(lastExecution === undefined ? {} : { lastExecution }),
    ...(lastStatus === undefined ? {} : { lastStatus }),
    ...(place.nextAtMs === undefined ? {} : { nextAtMs: place.nextAtMs }),
    ...(place.nextTickMs === undefined ? {} : { nextTickMs: place.nextTickMs }),
    ...{ queued: place.queued, failures: 0, revision: change.revision + 1, updatedAtMs: nowMs },
  };
}

function isWanted(row: Schedule, { path, enabled, q = "", after = "" }: ScheduleFilter): boolean {
  const part = q.toLowerCase();
  return (
    row.name > after &&
    (path === undefined || row.path === path) &&
    (enabled === undefined || row.enabled === enabled) &&
    (row.name.toLowerCase().includes(part) || row.path.toLowerCase().includes(part))
  );
}

function isDue({ enabled, nextAtMs, pausedUntilMs }: Schedule, nowMs: number): boolean {
  if (!enabled || nextAtMs === undefined || nextAtMs > nowMs) return false;
  return pausedUntilMs === undefined || pausedUntilMs <= nowMs;
}

/** A later tick that has been told of already is not gone back behind. */
function advanced(row: Schedule, move: ScheduleAdvance, isThere: boolean): Schedule {
  const { nextAtMs: _at, nextTickMs: _tick, ...rest } = row;
  const place = isThere ? move : row;
  const isNews = row.lastTickMs === undefined || row.lastTickMs <= move.tick.tickMs;
  const { executionId } = move.tick;
  return {
    ...rest,
    queued: place.queued,
    ...(place.nextAtMs === undefined ? {} : { nextAtMs: place.nextAtMs }),
    ...(place.nextTickMs === undefined ? {} : { nextTickMs: place.nextTickMs }),
    ...(isThere ? { failures: move.failures, lastStatus: move.standing } : {}),
    ...(isNews ? { lastTickMs: move.tick.tickMs } : {}),
    ...(isNews && executionId !== undefined ? { lastExecution: executionId } : {}),
  };
}
