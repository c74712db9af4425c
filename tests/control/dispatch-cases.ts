// Cases of the routes about rules, reasons and dead letters; `$letter` stands for a command that was
// given up, and there is a rule `pool:kept`.

import type { dispatchRoutes } from "#core/wire/api-dispatch";
import { badBodies, invalid, type RouteCase, refusedIds, unknown } from "./refused-cases.ts";

export const dispatchCases: { readonly [Name in keyof typeof dispatchRoutes]: RouteCase } = {
  listRules: {
    path: "/api/rules",
    answer: { rules: [{ key: "pool:kept", max_running: 3, running: 0, holders: [] }] },
    refused: [],
  },
  putRule: {
    path: "/api/rules/playbook%3At%2Fother",
    body: { max_running: 4, per_second: 0.5, burst: 2 },
    answer: {
      ...{ key: "playbook:t/other", max_running: 4, per_second: 0.5, burst: 2 },
      ...{ running: 0, holders: [], next_start_ms: 0 },
    },
    refused: [
      ...badBodies,
      invalid({}),
      invalid({ max_running: -1 }),
      invalid({ max_running: 1.5 }),
      invalid({ max_running: "4" }),
      invalid({ max_running: 10_001 }),
      invalid({ per_second: 0 }),
      invalid({ per_second: 1e9 }),
      invalid({ max_running: 1, burst: 3 }),
      invalid({ per_second: 1, burst: 0 }),
      ...["pool", "pool:", "user:x", "pool%3Aa%00"].map((key) => ({
        ...invalid({ max_running: 1 }),
        path: `/api/rules/${key}`,
      })),
    ],
  },
  deleteRule: {
    path: "/api/rules/pool:kept",
    answer: { deleted: true, key: "pool:kept" },
    refused: ["pool:none", "nonsense"].map((key) => ({
      path: `/api/rules/${key}`,
      status: 404,
      code: "not_found",
    })),
  },
  why: {
    path: "/api/executions/$id/why",
    answer: {
      ...{ execution_id: "$id", path: "t/routes", status: "RUNNING", holds: [] },
      waiting: [
        { command_id: "$command", step: "s1", state: "leased", holds: [{ code: "leased" }] },
      ],
    },
    refused: refusedIds("/why"),
  },
  listDeadLetters: {
    path: "/api/dead-letters?limit=5",
    answer: {
      dead_letters: [
        { command_id: "$letter", step: "s1", reason: "result_rejected", worker: "w1" },
      ],
    },
    refused: [{ path: "/api/dead-letters?limit=x", status: 422, code: "invalid" }],
  },
  retryDeadLetter: {
    path: "/api/dead-letters/$letter/retry",
    answer: { status: "started" },
    refused: ["1:s1:1", unknown, "%00"].map((id) => ({
      path: `/api/dead-letters/${id}/retry`,
      status: id === "%00" ? 422 : 404,
      code: id === "%00" ? "invalid" : "not_found",
    })),
  },
  dropDeadLetter: {
    path: "/api/dead-letters/$letter",
    answer: { dropped: true, command_id: "$letter" },
    refused: [{ path: "/api/dead-letters/1:s1:1", status: 404, code: "not_found" }],
  },
};
