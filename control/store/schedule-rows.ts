// A schedule as a row of the database, both ways.

import { executionId } from "#core/model/ids";
import type { JsonObject } from "#core/model/json";
import type {
  NewSchedule,
  Schedule,
  ScheduleOverlap,
  ScheduleStanding,
} from "#core/ports/schedule-store";

const ms = (column: string): string =>
  `(extract(epoch from s.${column}) * 1000)::float8 as ${column}_ms`;

/** Of the table under the name `s`. */
export const scheduleColumns = `s.schedule_id::text as schedule_id, s.tenant, s.name,
  s.playbook_path, s.playbook_version, s.kind, s.cron, s.interval_seconds, s.timezone,
  ${ms("starts_at")}, ${ms("ends_at")}, s.jitter_seconds, s.overlap, s.catch_up,
  s.workload::text as workload, s.priority, s.enabled, ${ms("paused_until")}, ${ms("next_at")},
  ${ms("next_tick")}, ${ms("last_tick")}, s.last_execution::text as last_execution, s.last_status,
  s.queued, s.failures, s.revision, s.created_by, ${ms("created_at")}, ${ms("updated_at")}`;

export interface ScheduleRecord {
  readonly schedule_id: string;
  readonly tenant: string;
  readonly name: string;
  readonly playbook_path: string;
  readonly playbook_version: number | null;
  readonly kind: string;
  readonly cron: string | null;
  readonly interval_seconds: number | null;
  readonly timezone: string;
  readonly starts_at_ms: number | null;
  readonly ends_at_ms: number | null;
  readonly jitter_seconds: number;
  readonly overlap: string;
  readonly catch_up: number;
  readonly workload: string;
  readonly priority: number | null;
  readonly enabled: boolean;
  readonly paused_until_ms: number | null;
  readonly next_at_ms: number | null;
  readonly next_tick_ms: number | null;
  readonly last_tick_ms: number | null;
  readonly last_execution: string | null;
  readonly last_status: string | null;
  readonly queued: number;
  readonly failures: number;
  readonly revision: number;
  readonly created_by: string | null;
  readonly created_at_ms: number;
  readonly updated_at_ms: number;
}

/** The columns that writing sets but the workload, as one document; times are milliseconds since 1970. */
export function scheduleDocument(schedule: NewSchedule): string {
  const { when } = schedule;
  return JSON.stringify({
    tenant: schedule.tenant,
    name: schedule.name,
    playbook_path: schedule.path,
    playbook_version: schedule.version,
    kind: when.kind,
    cron: when.kind === "cron" ? when.cron : undefined,
    interval_seconds: when.kind === "interval" ? when.intervalSeconds : undefined,
    timezone: schedule.timezone,
    starts_at: schedule.startsAtMs,
    ends_at: schedule.endsAtMs,
    jitter_seconds: schedule.jitterSeconds,
    overlap: schedule.overlap,
    catch_up: schedule.catchUp,
    priority: schedule.priority,
    enabled: schedule.enabled,
    paused_until: schedule.pausedUntilMs,
    next_at: schedule.nextAtMs,
    next_tick: schedule.nextTickMs,
  });
}

/** A field that the row has; none for a column without a value. */
function given<Name extends string, Value>(
  name: Name,
  value: Value | null,
): { readonly [Key in Name]?: Value } {
  return (value === null ? {} : { [name]: value }) as { readonly [Key in Name]?: Value };
}

export function scheduleOf(record: ScheduleRecord): Schedule {
  const { last_execution: last } = record;
  return {
    scheduleId: record.schedule_id,
    tenant: record.tenant,
    name: record.name,
    path: record.playbook_path,
    ...given("version", record.playbook_version),
    when:
      record.interval_seconds === null
        ? { kind: "cron", cron: record.cron ?? "" }
        : { kind: "interval", intervalSeconds: record.interval_seconds },
    timezone: record.timezone,
    ...given("startsAtMs", record.starts_at_ms),
    ...given("endsAtMs", record.ends_at_ms),
    jitterSeconds: record.jitter_seconds,
    // The database holds its own to the list.
    overlap: record.overlap as ScheduleOverlap,
    catchUp: record.catch_up,
    workload: JSON.parse(record.workload) as JsonObject,
    ...given("priority", record.priority),
    enabled: record.enabled,
    ...given("pausedUntilMs", record.paused_until_ms),
    ...given("nextAtMs", record.next_at_ms),
    ...given("nextTickMs", record.next_tick_ms),
    ...given("lastTickMs", record.last_tick_ms),
    ...given("lastExecution", last === null ? null : executionId(last)),
    ...given("lastStatus", record.last_status as ScheduleStanding | null),
    queued: record.queued,
    failures: record.failures,
    revision: record.revision,
    ...given("createdBy", record.created_by),
    createdAtMs: record.created_at_ms,
    updatedAtMs: record.updated_at_ms,
  };
}
