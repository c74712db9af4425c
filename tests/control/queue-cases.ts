// Cases of the routes of the group `queue`.

import type { queueRoutes } from "#core/wire/api-queue";
import { badBodies, invalid, type RefusedCase, type RouteCase, unknown } from "./refused-cases.ts";

const job = { execution_id: "$id", node_id: "n1", action: { kind: "noop", result: 1 } };
const at = (path: string, body: unknown, status: number): RefusedCase => ({
  path: `/api/queue/${path}`,
  body,
  status,
  code: status === 404 ? "not_found" : status === 409 ? "conflict" : "invalid",
});
const unknownJob = encodeURIComponent(`${unknown}:n1:q1`);

const refusedEnds = (verb: string): readonly RefusedCase[] => [
  ...["{", "[]", { worker_id: "" }].map(invalid),
  at(`${unknownJob}/${verb}`, {}, 404),
  at(`x/${verb}`, {}, 404),
  at(`%00/${verb}`, {}, 422),
  at(`$id:s7:1/${verb}`, {}, 404),
  at(`$command/${verb}`, { worker_id: "w2" }, 409),
];

const extension = (verb: string): RouteCase => ({
  path: `/api/queue/$command/${verb}`,
  body: { worker_id: "w1", extend_seconds: 60 },
  answer: { status: "ok", id: "$command" },
  refused: [
    ...badBodies,
    invalid({ worker_id: "w1", extend_seconds: 1 }),
    invalid({ worker_id: "w1", extend_seconds: 3_601 }),
    at(`$command/${verb}`, { worker_id: "w2" }, 409),
    at(`${unknownJob}/${verb}`, { worker_id: "w1" }, 404),
  ],
});

export const queueCases: { readonly [Name in keyof typeof queueRoutes]: RouteCase } = {
  enqueueJob: {
    path: "/api/queue/enqueue",
    body: job,
    answer: { status: "queued", id: "$id:n1:q1", execution_id: "$id", job: 1 },
    refused: [
      ...badBodies,
      invalid({ ...job, node_id: "" }),
      invalid({ ...job, node_id: "a\u0000" }),
      invalid({ ...job, action: "not json" }),
      invalid({ ...job, action: [1] }),
      invalid({ ...job, action: {} }),
      invalid({ ...job, action: { kind: "nosuch" } }),
      invalid({ ...job, action: { kind: "playbook", path: "t/routes" } }),
      invalid({ ...job, action: { kind: "http" } }),
      invalid({ ...job, pool: "system" }),
      invalid({ ...job, priority: 1.5 }),
      invalid({ ...job, input_context: [1] }),
      { body: { ...job, execution_id: unknown }, status: 404, code: "not_found" },
      { body: { ...job, execution_id: "$ended" }, status: 409, code: "conflict" },
      {
        body: { ...job, action: { kind: "noop", result: "x".repeat(262_144) } },
        status: 413,
        code: "too_large",
      },
    ],
  },
  leaseJob: {
    path: "/api/queue/lease",
    body: { worker_id: "w9", pools: ["empty"], lease_seconds: 60 },
    answer: { status: "empty" },
    refused: [
      ...badBodies,
      invalid({ worker_id: "" }),
      invalid({ worker_id: "w9", pools: [] }),
      invalid({ worker_id: "w9", lease_seconds: 4 }),
    ],
  },
  completeJob: {
    path: "/api/queue/$command/complete",
    body: { worker_id: "w1", result: { sum: 1 } },
    answer: { status: "done", id: "$command" },
    refused: refusedEnds("complete"),
  },
  failJob: {
    path: "/api/queue/$command/fail",
    body: { error: "no luck" },
    answer: { status: "failed", id: "$command" },
    refused: [...refusedEnds("fail"), at("$command/fail", { retry: true }, 422)],
  },
  extendJob: extension("extend"),
  heartbeatJob: extension("heartbeat"),
  listJobs: {
    path: "/api/queue?execution_id=$id&status=leased",
    answer: { count: 1, items: [{ id: "$command", status: "leased", worker_id: "w1" }] },
    refused: [
      { path: "/api/queue", status: 422, code: "invalid" },
      { path: "/api/queue?execution_id=x", status: 422, code: "invalid" },
      { path: `/api/queue?execution_id=${unknown}`, status: 404, code: "not_found" },
      { path: "/api/queue?execution_id=$id&limit=x", status: 422, code: "invalid" },
    ],
  },
  queueSize: { path: "/api/queue/size", answer: { leased: 1 }, refused: [] },
};
