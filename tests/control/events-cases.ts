// Cases of the routes of the group `events`.

import type { eventsRoutes } from "#core/wire/api-events";
import { badBodies, invalid, type RefusedCase, type RouteCase, unknown } from "./refused-cases.ts";

const done = {
  execution_id: "$id",
  name: "call.done",
  worker_id: "w1",
  payload: { command_id: "$command", result: { status: "COMPLETED", context: { sum: 1 } } },
};
const own = { execution_id: "$id", name: "calendar.event.touched", payload: { day: 1 } };

const gone = (path: string): RefusedCase => ({ path, status: 404, code: "not_found" });

export const eventsCases: { readonly [Name in keyof typeof eventsRoutes]: RouteCase } = {
  postEvent: {
    path: "/api/events",
    body: done,
    answer: { status: "ok", commands_generated: 0 },
    refused: [
      ...badBodies,
      invalid({ execution_id: "$id" }),
      invalid({ execution_id: "$id", name: 1 }),
      invalid({ execution_id: "$id", name: "nodots" }),
      invalid({ execution_id: "$id", name: "a.b\u0000" }),
      invalid({ execution_id: "$id", name: `a.${"b".repeat(200)}` }),
      invalid({ ...done, payload: [1] }),
      invalid({ ...done, payload: { ...done.payload, _internal_data: {} } }),
      invalid({ ...done, payload: { command_id: "$command", result: { rows: [] } } }),
      invalid({ ...done, payload: { command_id: "$command", result: { context: [] } } }),
      invalid({ ...done, payload: { command_id: "$command", result: { reference: "x" } } }),
      invalid({
        ...done,
        payload: {
          command_id: "$command",
          result: { reference: { ref: "noetl://execution/1/x" } },
        },
      }),
      invalid({ ...done, payload: {} }),
      invalid({ ...done, worker_id: null }),
      invalid({ ...done, worker_id: "w1\u0000" }),
      invalid({ ...done, worker_id: null, payload: { ...done.payload, worker_id: "w\u0000" } }),
      invalid({ ...own, step: "s\u0000" }),
      { body: { ...done, worker_id: "w2" }, status: 409, code: "conflict" },
      { body: { ...done, meta: { attempt: 7 } }, status: 409, code: "conflict" },
      { body: { ...done, execution_id: unknown }, status: 404, code: "not_found" },
      { body: { ...done, payload: { command_id: "$id:s9:1" } }, status: 404, code: "not_found" },
      { body: { ...done, payload: { command_id: unknown } }, status: 404, code: "not_found" },
      { body: { ...own, execution_id: "$ended" }, status: 409, code: "conflict" },
      { body: { ...own, execution_id: "x" }, status: 422, code: "invalid" },
      {
        body: { ...own, execution_id: "$ended", name: "playbook_cancelled" },
        status: 409,
        code: "conflict",
      },
    ],
  },
  postEvents: {
    path: "/api/events/batch",
    body: {
      execution_id: "$id",
      worker_id: "w1",
      events: [{ event_type: "command_started" }, own],
    },
    status: 202,
    answer: { status: "accepted", duplicate: false, queue_depth: 0, commands_generated: 0 },
    refused: [
      ...badBodies,
      invalid({ execution_id: "$id", events: {} }),
      invalid({ execution_id: "$id", events: [{ name: "odd" }] }),
      {
        body: { execution_id: "$id", events: Array.from({ length: 257 }, () => own) },
        status: 413,
        code: "too_large",
      },
      {
        body: {
          execution_id: "$id",
          events: [{ ...own, payload: { text: "x".repeat(2_097_152) } }],
        },
        status: 413,
        code: "too_large",
      },
      { body: { execution_id: unknown, events: [] }, status: 404, code: "not_found" },
      { body: { execution_id: "$ended", events: [own] }, status: 409, code: "conflict" },
    ],
  },
  eventBatch: {
    path: `/api/events/batch/${unknown}/status`,
    status: 404,
    answer: { error: { code: "not_found" } },
    refused: [gone("/api/events/batch/x/status"), gone("/api/events/batch/0/status")],
  },
  eventBatchStream: {
    path: `/api/events/batch/${unknown}/stream`,
    status: 404,
    answer: { error: { code: "not_found" } },
    refused: [gone("/api/events/batch/x/stream?timeout_seconds=1")],
  },
};
