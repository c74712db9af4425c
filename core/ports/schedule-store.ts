// Schedules and the ticks that came of them. What is due is found by the store's own clock; a tick is
// moved on from by comparing what it was, so that any number may do it.

import type { ExecutionStatus } from "#core/model/event";
import type { ExecutionId } from "#core/model/ids";
import type { JsonObject } from "#core/model/json";

export type ScheduleOverlap = "allow" | "skip" | "queue" | "cancel_previous";

export interface NewSchedule {
  readonly scheduleId: string;
  readonly tenant: string;
  readonly name: string;
  readonly path: string;
  /** The newest at each tick without one. */
  readonly version?: number;
  readonly when:
    | { readonly kind: "cron"; readonly cron: string }
    | { readonly kind: "interval"; readonly intervalSeconds: number };
  readonly timezone: string;
  /** The first moment that may be a tick. */
  readonly startsAtMs?: number;
  /** The first moment that may be none any more. */
  readonly endsAtMs?: number;
  readonly jitterSeconds: number;
  readonly overlap: ScheduleOverlap;
  /** Ticks that are made up for after an outage. */
  readonly catchUp: number;
  readonly workload: JsonObject;
  readonly priority?: number;
  readonly enabled: boolean;
  /** Nothing is due before it; ticks that lie before it are passed over. */
  readonly pausedUntilMs?: number;
  /** When it is due next, jitter included, and the tick that this is; neither once it is over. */
  readonly nextAtMs?: number;
  readonly nextTickMs?: number;
  readonly createdBy?: string;
  /** What intervals without a start are counted from. */
  readonly createdAtMs: number;
}

export interface Schedule extends NewSchedule {
  readonly lastTickMs?: number;
  readonly lastExecution?: ExecutionId;
  readonly lastStatus?: ScheduleStanding;
  /** 1 while its next tick waits for the end of the last execution. */
  readonly queued: number;
  /** Ticks in a row that could not be started. */
  readonly failures: number;
  /** Counts its changes from 1. */
  readonly revision: number;
  readonly updatedAtMs: number;
}

export type TickOutcome = "started" | "skipped_overlap" | "skipped_late" | "failed" | "queued";

/** What became of the last tick; `failing` after many that could not be started. */
export type ScheduleStanding = TickOutcome | "failing";

export interface ScheduleTick {
  readonly tickMs: number;
  readonly outcome: TickOutcome;
  readonly executionId?: ExecutionId;
  readonly message?: string;
}

/** From one tick to the next; the place stays where the schedule is at another one by now. */
export interface ScheduleAdvance {
  readonly scheduleId: string;
  /** Of the schedule that was decided upon: another one has places of its own. */
  readonly revision: number;
  readonly fromTickMs: number;
  readonly nextAtMs?: number;
  readonly nextTickMs?: number;
  readonly queued: number;
  readonly failures: number;
  readonly standing: ScheduleStanding;
  /** Written down in any case, unless the entry of the tick says that it was started. */
  readonly tick: ScheduleTick;
}

export interface ScheduleFilter {
  readonly path?: string;
  readonly enabled?: boolean;
  /** Part of a name or a path. */
  readonly q?: string;
  /** Keyset: only names after this one. */
  readonly after?: string;
  readonly limit: number;
}

export interface DueSchedules {
  /** The time by which they are due: no process's own counts. */
  readonly nowMs: number;
  readonly schedules: readonly Schedule[];
}

/** Of a schedule that is there. */
export interface ScheduleChange {
  readonly revision: number;
  /** It goes on where it stands now, whatever the schedule that is given says. */
  readonly keepsPlace?: boolean;
}

export interface ScheduleStore {
  /** The time by which schedules fall due, in milliseconds since 1970. */
  nowMs(): Promise<number>;
  /**
   * Stores a new one, or changes the one of this revision; what became of its ticks stays.
   * @throws Fault `conflict` when it was changed or removed meanwhile, or another has its name.
   */
  put(schedule: NewSchedule, change?: ScheduleChange): Promise<Schedule>;
  get(tenant: string, scheduleId: string): Promise<Schedule | undefined>;
  /** By name, in the order of code points. */
  list(tenant: string, filter: ScheduleFilter): Promise<readonly Schedule[]>;
  remove(tenant: string, scheduleId: string): Promise<boolean>;
  /**
   * Those whose time has come, the longest due first. One whose tick waits in its queue is among
   * them only once its last execution has ended.
   */
  due(limit: number): Promise<DueSchedules>;
  /** In one statement; which of them were at that tick. Each schedule once in a list. */
  advance(moves: readonly ScheduleAdvance[]): Promise<readonly boolean[]>;
  /** How these executions stand; unknown ones are left out. */
  standings(ids: readonly ExecutionId[]): Promise<ReadonlyMap<ExecutionId, ExecutionStatus>>;
  /** Writes down what became of ticks that were asked for; an entry of a started one stays. */
  record(scheduleId: string, ticks: readonly ScheduleTick[]): Promise<void>;
  /** Newest first; with both bounds from the one on, before the other. */
  ticks(
    scheduleId: string,
    filter: { readonly fromMs?: number; readonly beforeMs?: number; readonly limit: number },
  ): Promise<readonly ScheduleTick[]>;
  /** Removes entries of ticks that were written down so long ago, at most so many; returns how many. */
  purgeTicks(olderThanMs: number, limit: number): Promise<number>;
}
