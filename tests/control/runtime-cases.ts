// The route cases of replicas and workers. They are part of the table in route-cases.ts.

import type { Api } from "#core/wire/api";
import { badBodies, invalid, type RouteCase } from "./refused-cases.ts";

type Name =
  | "shardInfo"
  | "shardPreview"
  | "registerWorker"
  | "workerHeartbeat"
  | "deregisterWorker"
  | "deregisterWorkerByPost"
  | "listWorkers";

export const runtimeCases: { readonly [Own in Name & keyof Api]: RouteCase } = {
  shardInfo: {
    path: "/api/shard-info",
    answer: { shards: 256, members: [{ name: "control", uri: "", shards: 256 }], self: "control" },
    refused: [],
  },
  shardPreview: {
    path: "/api/runtime/shard-info?execution_id=320816801799737344&shard_count=16",
    answer: {
      execution_id: "320816801799737344",
      shard_count: 16,
      shard_index: 14,
      source: "noetl-server",
      seed: 0,
      server_config: { shard_index: 0, shard_count: 1 },
      owner: "control",
    },
    refused: ["", "?execution_id=x", "?execution_id=-1", "?execution_id=1&shard_count=0"]
      .concat("?execution_id=1&shard_count=1025")
      .map((query) => ({
        path: `/api/runtime/shard-info${query}`,
        status: 422,
        code: "invalid",
      })),
  },
  registerWorker: {
    path: "/api/worker/pool/register",
    body: {
      name: "w1",
      component_type: "worker_pool",
      runtime: { kind: "rust", worker_public_key: "a2V5" },
      capacity: 4,
      labels: { pool_name: "default" },
      pid: 7,
      hostname: "node",
      uri: null,
      meta: { started_at: "now" },
    },
    answer: {
      status: "ok",
      runtime_status: "ready",
      name: "w1",
      kind: "worker_pool",
      runtime: { kind: "rust" },
      labels: { pool_name: "default" },
      capacity: 4,
    },
    refused: [
      ...badBodies,
      invalid({}),
      invalid({ name: "" }),
      invalid({ name: "w\u0000" }),
      invalid({ name: "w".repeat(201) }),
      invalid({ name: "w1", kind: "server_api" }),
      invalid({ name: "w1", capacity: -1 }),
      invalid({ name: "w1", labels: "gpu" }),
      invalid({ name: "w1", load: { running: 1 } }),
      { body: { name: "w1", meta: { x: "y".repeat(16_384) } }, status: 413, code: "too_large" },
    ],
  },
  workerHeartbeat: {
    path: "/api/worker/pool/heartbeat",
    body: {
      name: "w2",
      registration: { name: "w2", runtime: "python", labels: ["gpu"] },
      load: { running: 1, free: 3, waiting: 0 },
    },
    answer: { status: "ok", name: "w2", runtime: "python", labels: ["gpu"] },
    refused: [
      ...badBodies,
      invalid({ name: 1 }),
      invalid({ name: "w2", registration: { name: "w2", pid: "x" } }),
      { body: { name: "nobody" }, status: 404, code: "not_found" },
    ],
  },
  deregisterWorker: {
    path: "/api/worker/pool/deregister",
    body: { name: "nobody", kind: "worker_pool" },
    answer: { status: "not_found", name: "nobody", kind: "worker_pool" },
    refused: [...badBodies, invalid({ name: "w1", kind: "server_api" })],
  },
  deregisterWorkerByPost: {
    path: "/api/worker/pool/deregister",
    body: { name: "nobody" },
    answer: { status: "not_found", name: "nobody" },
    refused: [...badBodies, invalid({})],
  },
  listWorkers: {
    path: "/api/worker/pools?status=offline",
    answer: { items: [], count: 0 },
    refused: [{ path: "/api/worker/pools?status=odd", status: 422, code: "invalid" }],
  },
};
