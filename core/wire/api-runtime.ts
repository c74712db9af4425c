// Routes about processes: the replicas and their map of shards, and the workers that have
// registered. Workers of both older makes register here; one superset is answered.

import { type } from "arktype";
import { processNameCharsMax } from "#core/model/limits";
import { route } from "./route.ts";
import { count, countText, id, map, name, someName, strings } from "./shapes.ts";

const load = type({ running: count, free: count, waiting: count });

const processName = someName.and(type.string.atMostLength(processNameCharsMax));

/** `kind` and `component_type` are two names of one thing; only workers register over HTTP. */
const kinds = { "kind?": "'worker_pool'", "component_type?": "'worker_pool'" } as const;

const registration = type({
  name: processName,
  ...kinds,
  "runtime?": type("string | null").or(map),
  "uri?": name.or("null"),
  "status?": "string | null",
  "capacity?": count.or("null"),
  /** A list of what it can do, or a map of anything. */
  "labels?": name.array().or(map).or("null"),
  "pools?": someName.array(),
  "version?": name,
  "pid?": count.or("null"),
  "hostname?": name.or("null"),
  "meta?": map.or("null"),
  "load?": load,
  /** It counts as gone when it has said nothing for so long; a minute without it. */
  "offline_ms?": "1000 <= number.integer <= 600000",
});

const worker = type({
  runtime_id: "string",
  name: "string",
  kind: "string",
  status: "'ready' | 'offline'",
  uri: "string | null",
  runtime: "unknown",
  pools: strings,
  labels: "unknown",
  capacity: "number",
  load: load.or("null"),
  version: "string | null",
  pid: "number | null",
  hostname: "string | null",
  meta: "unknown",
  started_at: "string",
  heartbeat: "string",
  silent_seconds: "number",
});

const registered = worker.omit("status").and({
  status: "'ok'",
  runtime_status: "'ready' | 'offline'",
});

const left = type({ status: "'ok' | 'not_found'", name: "string", kind: "string" });

const member = type({
  name: "string",
  uri: "string",
  shards: "number",
  "version?": "string",
  "hostname?": "string",
  "pid?": "number",
  "started_at?": "string",
});

const shards = type({
  epoch: "string",
  shards: "number",
  members: member.array(),
  /** For each shard the place of its owner in `members`. */
  map: "number[]",
  self: "string",
});

const preview = type({
  execution_id: "string",
  shard_count: "number",
  shard_index: "number",
  source: "string",
  hash_function: "string",
  seed: "number",
  server_config: { shard_index: "number", shard_count: "number" },
  /** The replica that keeps this execution's state. */
  owner: "string",
});

/** Bounds of the wire reference, §1.12. */
const shardCount = countText.to("1 <= number <= 1024");

export const runtimeRoutes = {
  shardInfo: route(
    "GET /api/shard-info",
    {
      summary: "The replicas, and the map of shards onto them",
      tag: "runtime",
      access: ["machine", "viewer"],
    },
    { answer: shards },
  ),
  shardPreview: route(
    "GET /api/runtime/shard-info",
    {
      summary: "The shard of one execution",
      tag: "runtime",
      access: ["machine", "viewer"],
      of: ["execution query.execution_id"],
    },
    { query: type({ execution_id: id, "shard_count?": shardCount }), answer: preview },
  ),
  registerWorker: route(
    "POST /api/worker/pool/register",
    { summary: "Register a worker, or say anew what it is", tag: "runtime", access: "machine" },
    { body: registration, answer: registered },
  ),
  workerHeartbeat: route(
    "POST /api/worker/pool/heartbeat",
    {
      summary: "Say that a worker is there, and how busy it is",
      tag: "runtime",
      access: "machine",
    },
    {
      body: type({
        name: processName,
        ...kinds,
        "load?": load,
        /** Registers a worker that isn't known (any more). */
        "registration?": registration.or("null"),
      }),
      answer: registered,
    },
  ),
  deregisterWorker: route(
    "DELETE /api/worker/pool/deregister",
    { summary: "A worker leaves", tag: "runtime", access: "machine" },
    { body: type({ name: processName, ...kinds }), answer: left },
  ),
  deregisterWorkerByPost: route(
    "POST /api/worker/pool/deregister",
    {
      summary: "A worker leaves; for clients that send no body with DELETE",
      tag: "runtime",
      access: "machine",
    },
    { body: type({ name: processName, ...kinds }), answer: left },
  ),
  listWorkers: route(
    "GET /api/worker/pools",
    { summary: "Workers that have registered, by name", tag: "runtime", access: "viewer" },
    {
      query: type({ "runtime?": name, "status?": "'ready' | 'offline'" }),
      answer: type({ items: worker.array(), count: "number" }),
    },
  ),
} as const;
