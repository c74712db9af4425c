// Schedules: playbooks that are started by the calendar or in intervals.

import { type } from "arktype";
import { instantMs } from "#core/engine/instant";
import { priorityMax } from "#core/model/limits";
import {
  backfillTicksMax,
  previewTicksMax,
  scheduleCatchUpMax,
  scheduleCronCharsMax,
  scheduleIntervalSecondsMax,
  scheduleJitterSecondsMax,
  scheduleNameCharsMax,
  scheduleZoneCharsMax,
} from "#core/model/schedule-limits";
import { route } from "./route.ts";
import { countText, executionParams, map, name, ordinal, someName } from "./shapes.ts";

/** 9999-12-31. */
const momentMsMax = 253_402_214_400_000;

/** RFC 3339 text, from 1970 to the year 9999; milliseconds for whoever handles it. */
const moment = type("string").pipe((text, context): number => {
  const atMs = instantMs(text);
  if (atMs !== undefined && atMs >= 0 && atMs <= momentMsMax) return atMs;
  context.error("a time such as 2026-03-01T09:00:00Z");
  return 0;
});

const when = {
  /** Five fields, six with seconds in front, or a name such as `@hourly`. */
  "cron?": someName.and(`string <= ${scheduleCronCharsMax}`),
  "interval_seconds?": type(`1 <= number.integer <= ${scheduleIntervalSecondsMax}`),
  /** A name of the time zone database; UTC without it. */
  "timezone?": someName.and(`string <= ${scheduleZoneCharsMax}`),
  "starts_at?": moment,
  "ends_at?": moment,
} as const;

const written = type({
  "name?": someName.and(`string <= ${scheduleNameCharsMax}`),
  path: someName,
  /** The newest at each tick without it. */
  "version?": ordinal.or("null"),
  ...when,
  "jitter_seconds?": type(`0 <= number.integer <= ${scheduleJitterSecondsMax}`),
  "overlap?": "'allow' | 'skip' | 'queue' | 'cancel_previous'",
  "catch_up?": type(`0 <= number.integer <= ${scheduleCatchUpMax}`),
  "workload?": map,
  "priority?": type("number.integer").and(`-${priorityMax} <= number <= ${priorityMax}`),
  "enabled?": "boolean",
});

const changed = written.and({
  /** Of the schedule as it was read: refused where it was changed since. */
  "revision?": ordinal,
});

const schedule = type({
  schedule_id: "string",
  name: "string",
  path: "string",
  version: "number | null",
  cron: "string | null",
  interval_seconds: "number | null",
  timezone: "string",
  starts_at: "string | null",
  ends_at: "string | null",
  jitter_seconds: "number",
  overlap: "string",
  catch_up: "number",
  workload: map,
  priority: "number | null",
  enabled: "boolean",
  paused_until: "string | null",
  /** `over`: no tick is to come. */
  status: "'active' | 'paused' | 'over'",
  next_tick: "string | null",
  next_at: "string | null",
  last_tick: "string | null",
  last_execution_id: "string | null",
  last_status: "string | null",
  queued: "number",
  revision: "number",
  created_by: "string | null",
  created_at: "string",
  updated_at: "string",
});

const outcome = "'started' | 'skipped_overlap' | 'skipped_late' | 'failed' | 'queued'" as const;
const ticks = type({ timezone: "string", ticks: "string[]" });
const previewCount = type("string.integer.parse | number.integer").to(
  `1 <= number <= ${previewTicksMax}`,
);
const started = type({ schedule_id: "string", execution_id: "string", existed: "boolean" });

export const schedulesRoutes = {
  createSchedule: route(
    "POST /api/schedules",
    {
      summary: "Start a playbook by the calendar or in intervals",
      description: "One of cron and interval_seconds; the playbook must be in the catalog.",
      tag: "schedules",
      access: "editor",
    },
    { body: written, answer: schedule },
  ),
  previewSchedule: route(
    "POST /api/schedules/preview",
    { summary: "When a schedule would have its ticks", tag: "schedules", access: "viewer" },
    { body: type({ ...when, "from?": moment, "count?": previewCount }), answer: ticks },
  ),
  listSchedules: route(
    "GET /api/schedules",
    { summary: "Schedules, by name", tag: "schedules", access: "viewer" },
    {
      query: type({
        "path?": name,
        "enabled?": "'true' | 'false'",
        "q?": name,
        "after?": name,
        "limit?": countText,
      }),
      answer: type({ schedules: schedule.array(), next_after: "string | null" }),
    },
  ),
  getSchedule: route(
    "GET /api/schedules/:id",
    {
      summary: "One schedule, and what became of its last tick",
      tag: "schedules",
      access: "viewer",
    },
    { params: executionParams, answer: schedule },
  ),
  putSchedule: route(
    "PUT /api/schedules/:id",
    {
      summary: "Change a schedule",
      description:
        "What is left out gets its default again. The place stays where its time is the same.",
      tag: "schedules",
      access: "editor",
    },
    { params: executionParams, body: changed, answer: schedule },
  ),
  deleteSchedule: route(
    "DELETE /api/schedules/:id",
    { summary: "Remove a schedule; its executions stay", tag: "schedules", access: "editor" },
    { params: executionParams, answer: type({ schedule_id: "string", deleted: "boolean" }) },
  ),
  pauseSchedule: route(
    "POST /api/schedules/:id/pause",
    {
      summary: "Start nothing until a moment, or until resumed",
      tag: "schedules",
      access: "operator",
    },
    { params: executionParams, body: type({ "until?": moment }).or("undefined"), answer: schedule },
  ),
  resumeSchedule: route(
    "POST /api/schedules/:id/resume",
    {
      summary: "Go on with a schedule that was paused",
      description: "With catch_up its missed ticks are made up for as after an outage.",
      tag: "schedules",
      access: "operator",
    },
    {
      params: executionParams,
      body: type({ "catch_up?": "boolean" }).or("undefined"),
      answer: schedule,
    },
  ),
  triggerSchedule: route(
    "POST /api/schedules/:id/trigger",
    {
      summary: "Start the playbook of a schedule now, beside its ticks",
      description: "The same request_id starts it once.",
      tag: "schedules",
      access: "operator",
    },
    {
      params: executionParams,
      body: type({ "request_id?": someName.and("string <= 150") }).or("undefined"),
      answer: started,
    },
  ),
  backfillSchedule: route(
    "POST /api/schedules/:id/backfill",
    {
      summary: "Start the ticks of a time that lies back, each that was not started then",
      tag: "schedules",
      access: "editor",
    },
    {
      params: executionParams,
      body: type({
        from: moment,
        to: moment,
        "limit?": type(`1 <= number.integer <= ${backfillTicksMax}`),
        "dry_run?": "boolean",
      }),
      answer: type({
        schedule_id: "string",
        dry_run: "boolean",
        ticks: type({
          tick: "string",
          status: "'due' | 'started' | 'existed' | 'failed'",
          "execution_id?": "string",
          "message?": "string",
        }).array(),
        /** Where to go on: there are more ticks than the limit. */
        next_from: "string | null",
      }),
    },
  ),
  scheduleNext: route(
    "GET /api/schedules/:id/next",
    { summary: "The ticks of a schedule to come", tag: "schedules", access: "viewer" },
    { params: executionParams, query: type({ "count?": previewCount }), answer: ticks },
  ),
  scheduleTicks: route(
    "GET /api/schedules/:id/ticks",
    {
      summary: "What became of the ticks of a schedule, newest first",
      tag: "schedules",
      access: "viewer",
    },
    {
      params: executionParams,
      query: type({ "before?": moment, "limit?": countText }),
      answer: type({
        schedule_id: "string",
        ticks: type({
          tick: "string",
          outcome,
          "execution_id?": "string",
          "message?": "string",
        }).array(),
        next_before: "string | null",
      }),
    },
  ),
} as const;
