// Routes about schedules.

import type { Elysia } from "elysia";
import { principalOf, tenantFor } from "#control/access/admission";
import { audited } from "#control/access/audit";
import { backfill, trigger } from "#control/schedules/backfill";
import { ticksAfter } from "#control/schedules/next";
import {
  changeSchedule,
  createSchedule,
  pauseSchedule,
  resumeSchedule,
  type ScheduleText,
  scheduleBy,
  timingOf,
} from "#control/schedules/schedules";
import type { Executions } from "#control/services/executions";
import type { JsonObject } from "#core/model/json";
import { backfillTicksMax } from "#core/model/schedule-limits";
import type { Schedule, ScheduleFilter, ScheduleTick } from "#core/ports/schedule-store";
import { api, pageSize } from "#core/wire/api";
import type { RouteRequest } from "#core/wire/route";
import { mount } from "./mount.ts";

const previewed = 10;

export function schedulesRoutes(app: Elysia, executions: Executions): void {
  writeRoutes(app, executions);
  readRoutes(app, executions);
  pauseRoutes(app, executions);
  startRoutes(app, executions);
}

/** A change that whoever asks has made. */
async function noted(
  { context }: Executions,
  http: Request,
  { verb, schedule, about }: { verb: string; schedule: Schedule; about?: JsonObject },
): Promise<void> {
  await audited(context, principalOf(http), {
    action: `schedule.${verb}`,
    object: `schedule/${schedule.scheduleId}`,
    about: { name: schedule.name, ...about },
  });
}

function writeRoutes(app: Elysia, executions: Executions): void {
  const { context } = executions;
  mount(app, api.createSchedule, async ({ body }, http) => {
    const asker = { tenant: tenantFor(http), subject: principalOf(http).subject };
    const schedule = await createSchedule(context, asker, textOf(body));
    await noted(executions, http, { verb: "create", schedule });
    return scheduleView(schedule);
  });
  mount(app, api.putSchedule, async ({ params, body }, http) => {
    const known = await scheduleBy(context, tenantFor(http), params.id);
    const { revision = known.revision } = body;
    const schedule = await changeSchedule(context, known, { ...textOf(body), revision });
    await noted(executions, http, { verb: "change", schedule });
    return scheduleView(schedule);
  });
  mount(app, api.deleteSchedule, async ({ params }, http) => {
    const tenant = tenantFor(http);
    const schedule = await scheduleBy(context, tenant, params.id);
    const deleted = await context.schedules.remove(tenant, params.id);
    await noted(executions, http, { verb: "delete", schedule });
    return { schedule_id: schedule.scheduleId, deleted };
  });
}

type Written = RouteRequest<typeof api.createSchedule.parts>["body"];

function textOf(body: Written): ScheduleText {
  const { workload, ...rest } = body;
  // The body came as JSON.
  return workload === undefined ? rest : { ...rest, workload: workload as JsonObject };
}

function readRoutes(app: Elysia, executions: Executions): void {
  const { context } = executions;
  mount(app, api.listSchedules, async ({ query }, http) => {
    const limit = pageSize(query.limit);
    const found = await context.schedules.list(tenantFor(http), filterOf(query, limit + 1));
    const shown = found.slice(0, limit);
    const next = found.length > limit ? (shown.at(-1)?.name ?? null) : null;
    return { schedules: shown.map(scheduleView), next_after: next };
  });
  mount(app, api.getSchedule, async ({ params }, http) =>
    scheduleView(await scheduleBy(context, tenantFor(http), params.id)),
  );
  mount(app, api.previewSchedule, async ({ body }) => {
    const nowMs = await context.schedules.nowMs();
    const { from = nowMs, count = previewed, ...asked } = body;
    const timing = timingOf(asked, from, from);
    return { timezone: timing.timezone, ticks: ticksAfter(timing, from, count).map(iso) };
  });
  mount(app, api.scheduleNext, async ({ params, query }, http) => {
    const schedule = await scheduleBy(context, tenantFor(http), params.id);
    const nowMs = await context.schedules.nowMs();
    const ticks = ticksAfter(schedule, nowMs, query.count ?? previewed);
    return { timezone: schedule.timezone, ticks: ticks.map(iso) };
  });
  mount(app, api.scheduleTicks, async ({ params, query }, http) => {
    const { scheduleId } = await scheduleBy(context, tenantFor(http), params.id);
    const limit = pageSize(query.limit);
    const before = query.before === undefined ? {} : { beforeMs: query.before };
    const found = await context.schedules.ticks(scheduleId, { ...before, limit: limit + 1 });
    const shown = found.slice(0, limit);
    const next = found.length > limit ? isoOrNull(shown.at(-1)?.tickMs) : null;
    return { schedule_id: scheduleId, ticks: shown.map(tickView), next_before: next };
  });
}

interface ListQuery {
  readonly path?: string;
  readonly enabled?: "true" | "false";
  readonly q?: string;
  readonly after?: string;
}

function filterOf({ path, enabled, q, after }: ListQuery, limit: number): ScheduleFilter {
  return {
    limit,
    ...(path === undefined ? {} : { path }),
    ...(enabled === undefined ? {} : { enabled: enabled === "true" }),
    ...(q === undefined ? {} : { q }),
    ...(after === undefined ? {} : { after }),
  };
}

function pauseRoutes(app: Elysia, executions: Executions): void {
  const { context } = executions;
  mount(app, api.pauseSchedule, async ({ params, body }, http) => {
    const known = await scheduleBy(context, tenantFor(http), params.id);
    const schedule = await pauseSchedule(context, known, body?.until);
    const until = isoOrNull(body?.until);
    await noted(executions, http, { verb: "pause", schedule, about: { until } });
    return scheduleView(schedule);
  });
  mount(app, api.resumeSchedule, async ({ params, body }, http) => {
    const known = await scheduleBy(context, tenantFor(http), params.id);
    const catchUp = body?.catch_up ?? false;
    const schedule = await resumeSchedule(context, known, catchUp);
    await noted(executions, http, { verb: "resume", schedule, about: { catch_up: catchUp } });
    return scheduleView(schedule);
  });
}

function startRoutes(app: Elysia, executions: Executions): void {
  const { context } = executions;
  mount(app, api.triggerSchedule, async ({ params, body }, http) => {
    const schedule = await scheduleBy(context, tenantFor(http), params.id);
    const key = body?.request_id ?? context.ids.catalogId();
    const { subject } = principalOf(http);
    const { executionId, existed } = await trigger(executions, schedule, { key, subject });
    const about = { execution_id: executionId };
    await noted(executions, http, { verb: "trigger", schedule, about });
    return { schedule_id: schedule.scheduleId, execution_id: executionId, existed };
  });
  mount(app, api.backfillSchedule, async ({ params, body }, http) => {
    const schedule = await scheduleBy(context, tenantFor(http), params.id);
    const { from: fromMs, to: toMs, limit = backfillTicksMax, dry_run: isDry = false } = body;
    const asked = { fromMs, toMs, limit, isDry };
    const { ticks, nextFromMs } = await backfill(executions, schedule, asked);
    if (!isDry) {
      const about = { from: iso(fromMs), to: iso(toMs), ticks: ticks.length };
      await noted(executions, http, { verb: "backfill", schedule, about });
    }
    return {
      schedule_id: schedule.scheduleId,
      dry_run: isDry,
      ticks: ticks.map(({ tickMs, executionId, ...rest }) => ({
        tick: iso(tickMs),
        ...rest,
        ...(executionId === undefined ? {} : { execution_id: executionId }),
      })),
      next_from: isoOrNull(nextFromMs),
    };
  });
}

const iso = (atMs: number): string => new Date(atMs).toISOString();
const isoOrNull = (atMs: number | undefined): string | null =>
  atMs === undefined ? null : iso(atMs);

function tickView({ tickMs, outcome, executionId, message }: ScheduleTick) {
  return {
    tick: iso(tickMs),
    outcome,
    ...(executionId === undefined ? {} : { execution_id: executionId }),
    ...(message === undefined ? {} : { message }),
  };
}

function scheduleView(schedule: Schedule) {
  const { when, enabled, nextTickMs, pausedUntilMs } = schedule;
  return {
    schedule_id: schedule.scheduleId,
    name: schedule.name,
    path: schedule.path,
    version: schedule.version ?? null,
    cron: when.kind === "cron" ? when.cron : null,
    interval_seconds: when.kind === "interval" ? when.intervalSeconds : null,
    timezone: schedule.timezone,
    starts_at: isoOrNull(schedule.startsAtMs),
    ends_at: isoOrNull(schedule.endsAtMs),
    jitter_seconds: schedule.jitterSeconds,
    overlap: schedule.overlap,
    catch_up: schedule.catchUp,
    workload: { ...schedule.workload },
    priority: schedule.priority ?? null,
    enabled,
    paused_until: isoOrNull(pausedUntilMs),
    status: statusOf(schedule),
    next_tick: isoOrNull(nextTickMs),
    next_at: isoOrNull(schedule.nextAtMs),
    last_tick: isoOrNull(schedule.lastTickMs),
    last_execution_id: schedule.lastExecution ?? null,
    last_status: schedule.lastStatus ?? null,
    queued: schedule.queued,
    revision: schedule.revision,
    created_by: schedule.createdBy ?? null,
    created_at: iso(schedule.createdAtMs),
    updated_at: iso(schedule.updatedAtMs),
  };
}

/** A pause that is over is told of by the next tick, which then lies behind it. */
function statusOf({ enabled, nextTickMs, pausedUntilMs }: Schedule) {
  if (!enabled) return "paused" as const;
  if (nextTickMs === undefined) return "over" as const;
  const isPaused = pausedUntilMs !== undefined && nextTickMs < pausedUntilMs;
  return isPaused ? ("paused" as const) : ("active" as const);
}
