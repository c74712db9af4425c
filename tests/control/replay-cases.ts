// The route cases of what goes back to the log: replay, verification, rebuilding, projections. They
// are part of the table in route-cases.ts.

import type { Api } from "#core/wire/api";
import { badBodies, invalid, type RouteCase, refusedIds, unknown } from "./refused-cases.ts";

type Name =
  | "replayStateOf"
  | "executionStages"
  | "stepStatistics"
  | "replayState"
  | "verify"
  | "rebuild";

export const replayCases: { readonly [Own in Name & keyof Api]: RouteCase } = {
  executionStages: {
    path: "/api/executions/$id/stages",
    answer: { execution_id: "$id", head: 3, stages: [] },
    refused: [
      ...refusedIds("/stages"),
      { path: "/api/executions/$id/stages?after=-1", status: 422, code: "invalid" },
    ],
  },
  stepStatistics: {
    path: "/api/statistics/steps?path=t/routes",
    answer: { path: "t/routes", steps: [] },
    refused: ["", "?path=", "?path=%00", "?path=a&executions=x"].map((query) => ({
      path: `/api/statistics/steps${query}`,
      status: 422,
      code: "invalid",
    })),
  },
  replayState: {
    path: "/api/replay/state/$id?as_of_seq=2",
    answer: {
      execution_id: "$id",
      as_of: { seq: 2 },
      head: 3,
      status: "RUNNING",
      commands: [],
      steps: [{ step: "s1", status: "entered", visits: 1 }],
    },
    refused: [
      { path: `/api/replay/state/${unknown}`, status: 404, code: "not_found" },
      { path: "/api/replay/state/x", status: 422, code: "invalid" },
      { path: "/api/replay/state/$id?as_of_seq=0", status: 404, code: "not_found" },
      { path: "/api/replay/state/$id?as_of_seq=1&as_of_time=2", status: 422, code: "invalid" },
      { path: "/api/replay/state/$id?as_of_time=yesterday", status: 422, code: "invalid" },
      { path: "/api/replay/state/$id?as_of_event_id=x", status: 422, code: "invalid" },
      { path: "/api/replay/state/$id?as_of_position=x", status: 422, code: "invalid" },
      { path: "/api/replay/state/$id?as_of_time=1000", status: 404, code: "not_found" },
    ],
  },
  replayStateOf: {
    path: "/api/replay/state?execution_id=$ended&projection=all&as_of_seq=4",
    answer: { execution_id: "$ended", as_of: { seq: 4 }, checksum_algorithm: "sha256" },
    refused: [
      { path: "/api/replay/state", status: 422, code: "invalid" },
      { path: "/api/replay/state?execution_id=x", status: 422, code: "invalid" },
      { path: `/api/replay/state?execution_id=${unknown}`, status: 404, code: "not_found" },
    ],
  },
  verify: {
    path: "/api/verify?execution_id=$ended",
    answer: {
      executions: [{ execution_id: "$ended", status: "completed", problems: [] }],
      next: null,
    },
    refused: [
      { path: `/api/verify?execution_id=${unknown}`, status: 404, code: "not_found" },
      ...["execution_id=x", "after=x", "limit=-1"].map((query) => ({
        path: `/api/verify?${query}`,
        status: 422,
        code: "invalid",
      })),
    ],
  },
  rebuild: {
    path: "/api/rebuild",
    body: { execution_ids: ["$id"] },
    answer: { executions: [{ execution_id: "$id", repaired: [], problems: [] }], next: null },
    refused: [
      ...badBodies,
      invalid({ execution_ids: ["x"] }),
      invalid({ execution_ids: "$id" }),
      invalid({ after: "x" }),
      invalid({ projections: false, repair: false }),
      { body: { execution_ids: [unknown] }, status: 404, code: "not_found" },
      {
        body: { execution_ids: Array.from({ length: 201 }, () => "$id") },
        status: 413,
        code: "too_large",
      },
    ],
  },
};
