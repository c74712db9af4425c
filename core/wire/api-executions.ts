// Routes of executions: start them, look at them, end them.

import { type } from "arktype";
import { endRoutes } from "./api-ends.ts";
import { executeBody } from "./api-execute-body.ts";
import { route } from "./route.ts";
import {
  countText,
  executionParams,
  id,
  json,
  map,
  name,
  ordinalText,
  strings,
  tenantName,
} from "./shapes.ts";

const executeAnswer = type({
  execution_id: "string",
  /** `duplicate`: its key had started this one before. */
  status: "'started' | 'duplicate'",
  commands_generated: "number",
  path: "string",
  version: "number",
});

const executionSummary = type({
  execution_id: "string",
  catalog_id: "string",
  path: "string",
  version: "number",
  status: "string",
  start_time: "string",
  "end_time?": "string",
  "duration_seconds?": "number",
  "duration_human?": "string",
  "current_step?": "string",
  "parent_execution_id?": "string",
  "error?": "string",
  /** Of its stages, as far as they have been projected. */
  "progress?": "number",
});

/** An event as the API shows it: the reconciled envelope of the wire contract. */
export const event = type({
  event_id: "string",
  execution_id: "string",
  catalog_id: "string",
  "parent_execution_id?": "string",
  seq: "number",
  event_type: "string",
  status: "string",
  event_time: "string",
  /** The same moment, by its older name. */
  created_at: "string",
  schema_version: "number",
  digest: "string",
  "step?": "string",
  /** The step, by its older name. */
  "node_name?": "string",
  "command_id?": "string",
  "attempt?": "number",
  "worker_id?": "string",
  "duration?": "number",
  "error?": "string",
  context: map,
  "result?": map,
});

const eventPage = type({
  execution_id: "string",
  path: "string",
  status: "string",
  events: event.array(),
  pagination: type({
    total_events: "number",
    next_after: "number | null",
    has_next: "boolean",
    page_size: "number",
  }),
});

const executionDetail = executionSummary.and({
  "result?": json,
  "result_ref?": map,
  failed_steps: strings,
  steps: type({
    step: "string",
    status: "string",
    visits: "number",
  }).array(),
});

const executionStatus = type({
  execution_id: "string",
  status: "string",
  current_step: "string | null",
  completed_steps: strings,
  running_steps: strings,
  failed_steps: strings,
  completed: "boolean",
  failed: "boolean",
  is_cancelled: "boolean",
  /** Always false: the log says how an execution ended, nothing is guessed. */
  completion_inferred: "boolean",
  variables: map,
  /** Jobs that were put into it, and those that have not ended. */
  jobs: type({ asked: "number", open: strings }),
  start_time: "string",
  end_time: "string | null",
  duration_seconds: "number",
  duration_human: "string",
});

export const executionRoutes = {
  execute: route(
    "POST /api/execute",
    {
      summary: "Start a playbook from the catalog",
      tag: "executions",
      access: "operator",
      of: ["catalog body.catalog_id", "execution body.parent_execution_id"],
    },
    { body: executeBody, answer: executeAnswer },
  ),
  listExecutions: route(
    "GET /api/executions",
    {
      summary: "Executions, newest first",
      description:
        "A full page has a header x-noetl-next-cursor: the next page is asked for with it as `cursor`.",
      tag: "executions",
      access: "viewer",
    },
    {
      query: type({
        /** One, or several with commas. */
        "status?": "string",
        "path?": name,
        "path_prefix?": name,
        "catalog_id?": id,
        "version?": ordinalText,
        "parent_execution_id?": id,
        "started_after?": "string",
        "started_before?": "string",
        "tenant?": tenantName,
        "before?": id,
        "cursor?": name,
        "limit?": countText,
        "page_size?": countText,
        "page?": ordinalText,
      }),
      answer: executionSummary.array(),
    },
  ),
  getExecution: route(
    "GET /api/executions/:id",
    {
      summary: "One execution with its steps and result",
      tag: "executions",
      access: "viewer",
      of: ["execution params.id"],
    },
    { params: executionParams, answer: executionDetail },
  ),
  executionStatus: route(
    "GET /api/executions/:id/status",
    {
      summary: "Where an execution stands",
      tag: "executions",
      access: "viewer",
      of: ["execution params.id"],
    },
    { params: executionParams, answer: executionStatus },
  ),
  executionEvents: route(
    "GET /api/executions/:id/events",
    {
      summary: "The log of an execution, in order",
      tag: "executions",
      access: "viewer",
      of: ["execution params.id"],
    },
    {
      params: executionParams,
      query: type({
        "after?": countText,
        "limit?": countText,
        "page_size?": countText,
        "page?": ordinalText,
        "event_type?": "string",
      }),
      answer: eventPage,
    },
  ),
  executionLog: route(
    "GET /api/executions/:id/log",
    {
      summary: "The log as it was hashed: exact texts and digests, to be verified",
      tag: "executions",
      access: "viewer",
      of: ["execution params.id"],
    },
    {
      params: executionParams,
      query: type({
        "after?": countText,
        "limit?": countText,
      }),
      answer: type({
        execution_id: "string",
        head: "number",
        lines: type({ seq: "number", digest: "string", text: "string" }).array(),
      }),
    },
  ),
  cancelExecution: route(
    "POST /api/executions/:id/cancel",
    {
      summary: "Cancel an execution and its children",
      tag: "executions",
      access: "operator",
      of: ["execution params.id"],
    },
    {
      params: executionParams,
      body: type({ "reason?": "string", "cascade?": "boolean" }).or("undefined"),
      answer: type({
        status: "'cancelled' | 'already_completed'",
        execution_id: "string",
        /** What this request ended; children follow on their own. */
        cancelled_executions: strings,
        message: "string",
      }),
    },
  ),
  ...endRoutes,
} as const;
