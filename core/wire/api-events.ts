// Events from outside, one by one or in batches: outcomes of commands, what a program makes known,
// cancellations. What only says how far a worker has come is taken and not recorded.

import { type } from "arktype";
import { batchEventsMax } from "#core/model/api-limits";
import { route } from "./route.ts";
import { id, map, name, strings } from "./shapes.ts";

const nameOrNull = name.or("null");

/** All names by which the fields of an event have gone. */
const eventFields = {
  "name?": "string",
  "event_type?": "string",
  "step?": nameOrNull,
  "node_name?": nameOrNull,
  "node_id?": nameOrNull,
  "payload?": map.or("null"),
  "context?": map.or("null"),
  "result?": map.or("null"),
  "command_id?": "string | null",
  "status?": "string | null",
  "error?": "unknown",
  "duration?": "number | null",
  "meta?": map.or("null"),
  "actionable?": "boolean",
  "informative?": "boolean",
  "event_id?": id.or("null"),
  "worker_id?": nameOrNull,
} as const;

const requestParams = type({ request_id: "string" });

const batchStatus = type({
  request_id: "string",
  execution_id: "string",
  state: "'processing' | 'completed'",
  status: "string",
  event_ids: strings,
  "idempotency_key?": "string",
});

export const eventsRoutes = {
  postEvent: route(
    "POST /api/events",
    {
      summary: "Report one event of an execution",
      description:
        "An outcome settles its command, and a name of the caller's own becomes an event of the log.",
      tag: "events",
      access: ["machine", "operator"],
      of: ["execution body.execution_id"],
    },
    {
      body: type({ execution_id: id, ...eventFields }),
      answer: type({ status: "'ok'", event_id: "string", commands_generated: "number" }),
    },
  ),
  postEvents: route(
    "POST /api/events/batch",
    {
      summary: "Report several events of one execution, in order",
      description: `Takes up to ${batchEventsMax} events; with an Idempotency-Key a repetition is told the same.`,
      tag: "events",
      access: ["machine", "operator"],
      of: ["execution body.execution_id"],
    },
    {
      body: type({
        execution_id: id,
        "worker_id?": nameOrNull,
        "catalog_id?": id.or("null"),
        events: type(eventFields).array(),
      }),
      answer: type({
        status: "'accepted'",
        request_id: "string",
        event_ids: strings,
        commands_generated: "number",
        queue_depth: "number",
        duplicate: "boolean",
        "idempotency_key?": "string",
      }),
    },
  ),
  eventBatch: route(
    "GET /api/events/batch/:request_id/status",
    {
      summary: "What became of a batch of events",
      tag: "events",
      access: ["machine", "viewer"],
    },
    { params: requestParams, answer: batchStatus },
  ),
  eventBatchStream: route(
    "GET /api/events/batch/:request_id/stream",
    {
      summary: "The same as a stream, which ends once the batch has been worked on",
      tag: "events",
      access: ["machine", "viewer"],
    },
    {
      params: requestParams,
      query: type({ "timeout_seconds?": "string" }),
      answer: batchStatus,
      events: batchStatus,
    },
  ),
} as const;
