// Cases of the routes of the group `reruns`, and of those that end executions by hand.

import type { endRoutes } from "#core/wire/api-ends";
import type { rerunsRoutes } from "#core/wire/api-reruns";
import { badBodies, invalid, type RouteCase, refusedIds } from "./refused-cases.ts";

export const rerunsCases: { readonly [Name in keyof typeof rerunsRoutes]: RouteCase } = {
  rerunExecution: {
    path: "/api/executions/$ended/rerun",
    body: { workload: { who: "Bo" }, version: "newest" },
    answer: { status: "started", rerun_of: "$ended", path: "t/routes", commands_generated: 1 },
    refused: [
      ...refusedIds("/rerun"),
      ...["{", "[]", { workload: [] }, { version: 0 }, { version: "old" }].map(invalid),
      invalid({ resource_kind: "notebook" }),
      invalid({ dedup: { key: "" } }),
      { body: { version: 9 }, status: 404, code: "not_found" },
    ],
  },
  rerunFrom: {
    path: "/api/executions/$ended/rerun-from/s1",
    body: { workload: { who: "Bo" } },
    answer: { status: "started", rerun_of: "$ended", path: "t/routes", commands_generated: 1 },
    refused: [
      ...refusedIds("/rerun-from/s1"),
      ...["{", "[]", { workload: [] }].map(invalid),
      { path: "/api/executions/$ended/rerun-from/s7", status: 422, code: "invalid" },
      { path: "/api/executions/$id/rerun-from/s9", status: 422, code: "invalid" },
      { path: "/api/executions/$ended/rerun-from/__proto__", status: 422, code: "invalid" },
    ],
  },
};

export const endCases: { readonly [Name in keyof typeof endRoutes]: RouteCase } = {
  cancellationCheck: {
    path: "/api/executions/$ended/cancellation-check",
    answer: {
      cancelled: false,
      is_cancelled: false,
      completed: true,
      event_type: "playbook.completed",
    },
    refused: refusedIds("/cancellation-check"),
  },
  finalizeExecution: {
    path: "/api/executions/$id/finalize",
    body: { status: "failed", error: "given up" },
    answer: { status: "finalized", execution_id: "$id" },
    refused: [
      ...refusedIds("/finalize"),
      ...["{", "[]", { status: "cancelled" }, { reason: 1 }].map(invalid),
    ],
  },
  cleanupExecutions: {
    path: "/api/executions/cleanup",
    body: { older_than_minutes: 60, dry_run: true },
    answer: { cancelled_count: 0, execution_ids: [], dry_run: true },
    refused: [
      ...badBodies,
      invalid({ older_than_minutes: 0 }),
      invalid({ older_than_minutes: 1, limit: 0 }),
      invalid({ older_than_minutes: 1, limit: 1_001 }),
    ],
  },
  analyzeExecution: {
    path: "/api/executions/$id/analyze",
    answer: { execution_id: "$id", status: "RUNNING", running_steps: ["s1"], open_commands: 1 },
    refused: refusedIds("/analyze"),
  },
};
