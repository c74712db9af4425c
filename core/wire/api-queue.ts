// The queue of older workers: a job put into an execution, leased, extended and ended one by one.

import { type } from "arktype";
import { queueLeaseSecondsMax, queueLeaseSecondsMin } from "#core/model/api-limits";
import { priorityMax } from "#core/model/limits";
import { route } from "./route.ts";
import { countText, id, json, map, name, someName } from "./shapes.ts";

const leaseSeconds = type("number.integer").and(
  `${queueLeaseSecondsMin} <= number <= ${queueLeaseSecondsMax}`,
);

const queueParams = type({ id: name });

const job = type({
  id: "string",
  execution_id: "string",
  node_id: "string",
  action: map,
  input_context: map,
  attempts: "number",
  status: "string",
  "worker_id?": "string",
  "lease_until?": "string",
  "priority?": "number",
});

const ended = type({ status: "string", id: "string", event_id: "string" });

export const queueRoutes = {
  enqueueJob: route(
    "POST /api/queue/enqueue",
    {
      summary: "Put a job into a running execution",
      description:
        "The action is one tool call as a playbook's task has it, taken as data: nothing in it is rendered.",
      tag: "queue",
      access: "machine",
    },
    {
      body: type({
        execution_id: id,
        node_id: someName,
        action: "unknown",
        "input_context?": map,
        "context?": map,
        "priority?": type("number.integer").and(`-${priorityMax} <= number <= ${priorityMax}`),
        "pool?": someName,
      }),
      answer: type({ status: "'queued'", id: "string", execution_id: "string", job: "number" }),
    },
  ),
  leaseJob: route(
    "POST /api/queue/lease",
    { summary: "Lease the next command as a job", tag: "queue", access: "machine" },
    {
      body: type({
        worker_id: someName,
        "lease_seconds?": leaseSeconds,
        "pools?": someName.array().atLeastLength(1),
      }),
      answer: type({ status: "'ok' | 'empty'", "job?": job }),
    },
  ),
  completeJob: route(
    "POST /api/queue/:id/complete",
    { summary: "Report the result of a leased job", tag: "queue", access: "machine" },
    {
      params: queueParams,
      body: type({ "worker_id?": someName, "result?": json }).or("undefined"),
      answer: ended,
    },
  ),
  failJob: route(
    "POST /api/queue/:id/fail",
    {
      summary: "Report that a leased job has failed",
      description:
        "Whether it is tried again is for the playbook to say: `retry` can only be false.",
      tag: "queue",
      access: "machine",
    },
    {
      params: queueParams,
      body: type({ "worker_id?": someName, "error?": json, "retry?": "boolean" }).or("undefined"),
      answer: ended,
    },
  ),
  extendJob: route(
    "POST /api/queue/:id/extend",
    { summary: "Extend the lease of a job", tag: "queue", access: "machine" },
    {
      params: queueParams,
      body: type({ worker_id: someName, "extend_seconds?": leaseSeconds }),
      answer: type({ status: "'ok'", id: "string", lease_until: "string" }),
    },
  ),
  heartbeatJob: route(
    "POST /api/queue/:id/heartbeat",
    { summary: "The same, by its older name", tag: "queue", access: "machine" },
    {
      params: queueParams,
      body: type({ worker_id: someName, "extend_seconds?": leaseSeconds }),
      answer: type({ status: "'ok'", id: "string", lease_until: "string" }),
    },
  ),
  listJobs: route(
    "GET /api/queue",
    {
      summary: "Open commands of an execution as jobs",
      tag: "queue",
      access: ["machine", "viewer"],
      of: ["execution query.execution_id"],
    },
    {
      query: type({ execution_id: id, "status?": name, "limit?": countText }),
      answer: type({ items: job.array(), count: "number" }),
    },
  ),
  queueSize: route(
    "GET /api/queue/size",
    {
      summary: "How many commands wait and run, by pool",
      tag: "queue",
      access: ["machine", "platform"],
    },
    {
      answer: type({
        queued: "number",
        leased: "number",
        pools: type({ pool: "string", queued: "number", leased: "number" }).array(),
      }),
    },
  ),
} as const;
