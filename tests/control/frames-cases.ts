// Cases of the routes of the group `frames`.

import type { framesRoutes } from "#core/wire/api-frames";
import { badBodies, invalid, type RefusedCase, type RouteCase, unknown } from "./refused-cases.ts";

const gone = (path: string): RefusedCase => ({
  path,
  body: { worker_id: "w1" },
  status: 404,
  code: "not_found",
});

const ofFrame = (verb: string, more: readonly RefusedCase[]): RouteCase => ({
  path: `/api/frames/$id:s1:1:f0/${verb}`,
  body: { worker_id: "w1" },
  status: 404,
  answer: { error: { code: "not_found" } },
  refused: [
    ...badBodies,
    invalid({ worker_id: "" }),
    ...more,
    gone(`/api/frames/x/${verb}`),
    gone(`/api/frames/${unknown}:s1:1:f0/${verb}`),
    gone(`/api/frames/$command/${verb}`),
  ],
});

export const framesCases: { readonly [Name in keyof typeof framesRoutes]: RouteCase } = {
  claimFrames: {
    path: "/api/stages/$id:s1:1/frames/claim",
    body: { worker_id: "w1", requested_count: 2, lease_seconds: 60 },
    answer: { status: "ok", frames: [] },
    refused: [
      ...badBodies,
      invalid({ worker_id: "" }),
      invalid({ worker_id: "w1", requested_count: 0 }),
      invalid({ worker_id: "w1", requested_count: 101 }),
      invalid({ worker_id: "w1", lease_seconds: 4 }),
      gone("/api/stages/x/frames/claim"),
      gone("/api/stages/$id:s9:1/frames/claim"),
      gone(`/api/stages/${unknown}:s1:1/frames/claim`),
    ],
  },
  heartbeatFrame: ofFrame("heartbeat", [invalid({ worker_id: "w1", lease_seconds: 3_601 })]),
  commitFrame: ofFrame("commit", [
    invalid({ worker_id: "w1", status: "odd" }),
    invalid({ worker_id: "w1", row_count: -1 }),
  ]),
};
