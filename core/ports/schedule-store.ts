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
  readonly startsAtMs?: number;
  readonly endsAtMs?: number;
  readonly jitterSeconds: number;
  readonly overlap: ScheduleOverlap;
  /** Ticks that are made up for after an outage. */
  readonly catchUp: number;
  readonly workload: JsonObject;
  readonly priority?: number;
  readonly enabled: boolean;
  readonly pausedUntilMs?: number;
  /** When it is due next, jitter included, and the tick that this is; neither once it is over. */
  readonly nextAtMs?: number;
  readonly nextTickMs?: number;
  readonly createdBy?: string;
}

export interface Schedule extends NewSchedule {
  readonly lastTickMs?: number;
  readonly lastExecution?: ExecutionId;
  readonly lastStatus?: string;
  readonly queued: number;
  /** Counts its changes from 1. */
  readonly revision: number;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}

export interface ScheduleTick {
  readonly tickMs: number;
  readonly outcome: "started" | "skipped_overlap" | "skipped_late" | "failed" | "queued";
  readonly executionId?: ExecutionId;
  readonly message?: string;
}

/** From one tick to the next; nothing happens where the schedule is at another one. */
export interface ScheduleAdvance {
  readonly scheduleId: string;
  readonly fromTickMs: number;
  readonly nextAtMs?: number;
  readonly nextTickMs?: number;
  readonly queued: number;
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

export interface ScheduleStore {
  /**
   * Stores a new one, or changes the one of this revision.
   * @throws Fault `conflict` when it was changed meanwhile, or another has its name.
   */
  put(schedule: NewSchedule, revision?: number): Promise<Schedule>;
  get(tenant: string, scheduleId: string): Promise<Schedule | undefined>;
  /** By name. */
  list(tenant: string, filter: ScheduleFilter): Promise<readonly Schedule[]>;
  remove(tenant: string, scheduleId: string): Promise<boolean>;
  /** Those whose time has come, the longest due first. */
  due(limit: number): Promise<readonly Schedule[]>;
  /** In one statement; which of them were at that tick. */
  advance(moves: readonly ScheduleAdvance[]): Promise<readonly boolean[]>;
  /** How the last executions of these schedules stand. */
  running(scheduleIds: readonly string[]): Promise<ReadonlyMap<string, ExecutionStatus>>;
  /** Newest first. */
  ticks(
    scheduleId: string,
    filter: { readonly beforeMs?: number; readonly limit: number },
  ): Promise<readonly ScheduleTick[]>;
  /** Removes old ticks, at most so many; returns how many. */
  purgeTicks(limit: number): Promise<number>;
}
