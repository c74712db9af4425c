// Cases of the routes of the group `schedules`.

import type { schedulesRoutes } from "#core/wire/api-schedules";
import { badBodies, invalid, type RefusedCase, type RouteCase, unknown } from "./refused-cases.ts";

const hourly = { name: "hourly", path: "t/routes", cron: "0 * * * *" };
const daily = { path: "t/routes", cron: "0 9 * * *" };

/** What says of its time what can't be. */
const badTimings: readonly RefusedCase[] = [
  { cron: "0 * * *" },
  { cron: "0 0 30 2 *" },
  { cron: "* * * * *", timezone: "Mars/Olympus" },
  { cron: "* * * * *", timezone: "\u0000" },
  { cron: "* * * * *", interval_seconds: 60 },
  { interval_seconds: 0 },
  { interval_seconds: 1.5 },
  { interval_seconds: 99_999_999 },
  { interval_seconds: 60, starts_at: "tomorrow" },
  { interval_seconds: 60, starts_at: "2026-02-30T00:00:00Z" },
  { interval_seconds: 60, starts_at: "2027-01-01T00:00:00Z", ends_at: "2026-01-01T00:00:00Z" },
].map((timing) => invalid({ path: "t/routes", ...timing }));

const badSchedules: readonly RefusedCase[] = [
  ...badBodies,
  ...badTimings,
  invalid({}),
  invalid({ cron: "0 * * * *" }),
  invalid({ path: "t/routes" }),
  invalid({ ...hourly, name: "" }),
  invalid({ ...hourly, name: "n".repeat(201) }),
  invalid({ ...hourly, path: "\u0000" }),
  invalid({ ...hourly, version: 0 }),
  invalid({ ...hourly, jitter_seconds: -1 }),
  invalid({ ...hourly, jitter_seconds: 90_000 }),
  invalid({ ...hourly, overlap: "sometimes" }),
  invalid({ ...hourly, catch_up: 1_001 }),
  invalid({ ...hourly, workload: [1] }),
  invalid({ ...hourly, priority: 1_001 }),
  invalid({ ...hourly, enabled: "yes" }),
  invalid({ ...hourly, ends_at: "2020-01-01T00:00:00Z" }),
  { body: { ...hourly, path: "t/nowhere" }, status: 404, code: "not_found" },
  { body: { ...hourly, version: 7 }, status: 404, code: "not_found" },
];

const one = (suffix = "", body?: unknown): readonly RefusedCase[] => [
  { path: `/api/schedules/${unknown}${suffix}`, body, status: 404, code: "not_found" },
  { path: `/api/schedules/x1${suffix}`, body, status: 422, code: "invalid" },
  { path: `/api/schedules/0${suffix}`, body, status: 422, code: "invalid" },
];

const back = { from: "2025-06-01T00:00:00Z", to: "2025-06-03T00:00:00Z" };

export const schedulesCases: { readonly [Name in keyof typeof schedulesRoutes]: RouteCase } = {
  createSchedule: {
    path: "/api/schedules",
    body: { ...hourly, timezone: "Europe/Berlin", workload: { who: "Ada" }, priority: -2 },
    answer: {
      ...{ name: "hourly", path: "t/routes", version: null, cron: "0 * * * *" },
      ...{ timezone: "Europe/Berlin", overlap: "allow", catch_up: 1, enabled: true },
      ...{ workload: { who: "Ada" }, priority: -2, status: "active", revision: 1 },
    },
    refused: badSchedules,
  },
  previewSchedule: {
    path: "/api/schedules/preview",
    body: {
      ...{ cron: "30 2 * * *", timezone: "Europe/Berlin", count: 2 },
      from: "2026-03-28T12:00:00Z",
    },
    answer: {
      timezone: "Europe/Berlin",
      ticks: ["2026-03-29T01:00:00.000Z", "2026-03-30T00:30:00.000Z"],
    },
    refused: [
      ...badBodies,
      ...badTimings,
      invalid({ cron: "* * * * *", count: 0 }),
      invalid({ cron: "* * * * *", count: 101 }),
    ],
  },
  listSchedules: {
    path: "/api/schedules?path=t/routes&enabled=true&q=DAILY&limit=5",
    answer: { schedules: [{ path: "t/routes", cron: "0 9 * * *" }], next_after: null },
    refused: ["enabled=maybe", "limit=-1", "q=%00", "after=%00"].map((query) => ({
      path: `/api/schedules?${query}`,
      ...{ status: 422, code: "invalid" },
    })),
  },
  getSchedule: {
    path: "/api/schedules/$schedule",
    answer: { schedule_id: "$schedule", path: "t/routes", last_tick: null },
    refused: one(),
  },
  putSchedule: {
    path: "/api/schedules/$schedule",
    body: { ...daily, name: "changed", catch_up: 3, revision: 1 },
    answer: { schedule_id: "$schedule", name: "changed", catch_up: 3, revision: 2 },
    refused: [
      ...badSchedules,
      ...one("", daily),
      { body: { ...daily, revision: 9 }, status: 409, code: "conflict" },
    ],
  },
  deleteSchedule: {
    path: "/api/schedules/$schedule",
    answer: { schedule_id: "$schedule", deleted: true },
    refused: one(),
  },
  pauseSchedule: {
    path: "/api/schedules/$schedule/pause",
    body: { until: "2030-01-01T00:00:00Z" },
    answer: { status: "paused", paused_until: "2030-01-01T00:00:00.000Z" },
    refused: [...one("/pause", {}), invalid("{"), invalid([]), invalid({ until: "later" })],
  },
  resumeSchedule: {
    path: "/api/schedules/$schedule/resume",
    body: { catch_up: true },
    answer: { schedule_id: "$schedule", enabled: true, status: "active" },
    refused: [...one("/resume", {}), invalid("{"), invalid([]), invalid({ catch_up: 1 })],
  },
  triggerSchedule: {
    path: "/api/schedules/$schedule/trigger",
    body: { request_id: "r1" },
    answer: { schedule_id: "$schedule", existed: false },
    refused: [
      ...one("/trigger", {}),
      invalid({ request_id: "" }),
      invalid({ request_id: "r".repeat(151) }),
      invalid({ request_id: "\u0000" }),
    ],
  },
  backfillSchedule: {
    path: "/api/schedules/$schedule/backfill",
    body: back,
    answer: {
      dry_run: false,
      ticks: [
        { tick: "2025-06-01T09:00:00.000Z", status: "started" },
        { tick: "2025-06-02T09:00:00.000Z", status: "started" },
      ],
      next_from: null,
    },
    refused: [
      ...badBodies,
      ...one("/backfill", back),
      invalid({ from: back.from }),
      invalid({ from: back.to, to: back.from }),
      invalid({ ...back, to: "2099-01-01T00:00:00Z" }),
      invalid({ ...back, limit: 0 }),
      invalid({ ...back, limit: 1_001 }),
    ],
  },
  scheduleNext: {
    path: "/api/schedules/$schedule/next?count=3",
    answer: { timezone: "UTC" },
    refused: [
      ...one("/next"),
      ...["count=0", "count=101", "count=x"].map((query) => ({
        path: `/api/schedules/$schedule/next?${query}`,
        ...{ status: 422, code: "invalid" },
      })),
    ],
  },
  scheduleTicks: {
    path: "/api/schedules/$schedule/ticks?before=2030-01-01T00:00:00Z&limit=3",
    answer: { schedule_id: "$schedule", ticks: [], next_before: null },
    refused: [
      ...one("/ticks"),
      { path: "/api/schedules/$schedule/ticks?before=x", status: 422, code: "invalid" },
      { path: "/api/schedules/$schedule/ticks?limit=-1", status: 422, code: "invalid" },
    ],
  },
};
