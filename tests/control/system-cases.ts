// Cases of the routes of the group `system`.

import type { systemRoutes } from "#core/wire/api-system";
import { badBodies, invalid, type RouteCase } from "./refused-cases.ts";

const procedures = ["p(1)", "p; drop table x", 'a"b', "a.b.c", "1a", "p($1)"];

export const systemCases: { readonly [Name in keyof typeof systemRoutes]: RouteCase } = {
  executeSql: {
    path: "/api/postgres/execute",
    body: { query: "select 1", credential: "nobody" },
    status: 404,
    answer: { error: { code: "not_found", message: "credential nobody does not exist" } },
    refused: [
      ...badBodies,
      invalid({}),
      invalid({ query: "select 1", procedure: "p" }),
      invalid({ query: " " }),
      invalid({ query: 1 }),
      invalid({ query: "select 1", parameters: {} }),
      invalid({ query_base64: "%%" }),
      invalid({ query_base64: "/w==" }),
      ...procedures.map((procedure) => invalid({ procedure, credential: "nobody" })),
      invalid({ query: "select 1", credential: "a", connection_string: "b" }),
      {
        body: { query: "select 1", parameters: Array.from({ length: 1_001 }, () => 1) },
        status: 413,
        code: "too_large",
      },
      // Nothing is connected to in these tests.
      { body: { query: "select 1" }, status: 503, code: "unavailable" },
    ],
  },
  initDatabase: { path: "/api/db/init", answer: { status: "ok" }, refused: [] },
  validateDatabase: {
    path: "/api/db/validate",
    answer: { status: "ok", valid: true, missing: [] },
    refused: [],
  },
  poolStatus: {
    path: "/api/pool/status",
    answer: { pool_max: 0, slots_available: 0, utilization: 0, status: "empty" },
    refused: [],
  },
  systemStatus: {
    path: "/api/status",
    answer: { status: "ok", version: "0.0.0-test", workers: 0 },
    refused: [],
  },
  dashboardStats: {
    path: "/api/dashboard/stats",
    answer: { status: "ok", capped: false },
    refused: [{ path: "/api/dashboard/stats?tenant=Not%20One", status: 422, code: "invalid" }],
  },
  dashboardWidgets: {
    path: "/api/dashboard/widgets",
    answer: { widgets: [{ id: "total_executions", type: "number" }, {}, {}, {}, {}] },
    refused: [{ path: "/api/dashboard/widgets?tenant=Not%20One", status: 422, code: "invalid" }],
  },
  healthAlias: { path: "/health", answer: { status: "ok" }, refused: [] },
};
