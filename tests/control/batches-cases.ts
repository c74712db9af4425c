// Cases of the routes of the group `batches`.

import { batchExecutionsMax } from "#core/model/api-limits";
import type { batchesRoutes } from "#core/wire/api-batches";
import { badBodies, invalid, type RouteCase } from "./refused-cases.ts";

const one = { path: "t/routes" };

export const batchesCases: { readonly [Name in keyof typeof batchesRoutes]: RouteCase } = {
  executeBatch: {
    path: "/api/execute/batch",
    body: { executions: [one, { path: "t/nowhere" }, {}, { ...one, resource_kind: "agents" }] },
    answer: {
      count: 4,
      started: 2,
      duplicates: 0,
      failed: 2,
      results: [
        { index: 0, status: "started", commands_generated: 1 },
        { index: 1, status: "failed", error: "playbook t/nowhere is not in the catalog" },
        { index: 2, status: "failed", error: "expected path or catalog_id, found neither" },
        { index: 3, status: "started" },
      ],
    },
    refused: [
      ...badBodies,
      invalid({ executions: [] }),
      invalid({ executions: {} }),
      invalid({ executions: [{ path: 1 }] }),
      invalid({ executions: Array.from({ length: batchExecutionsMax + 1 }, () => one) }),
    ],
  },
};
