// Routes that end executions by hand, ask whether they have been ended, and sum one up.

import { type } from "arktype";
import { cleanupExecutionsMax } from "#core/model/api-limits";
import { route } from "./route.ts";
import { executionParams, json, map, ordinal, strings, tenantName } from "./shapes.ts";

export const endRoutes = {
  cancellationCheck: route(
    "GET /api/executions/:id/cancellation-check",
    {
      summary: "Whether an execution has been cancelled",
      tag: "executions",
      access: ["machine", "viewer"],
      of: ["execution params.id"],
    },
    {
      params: executionParams,
      answer: type({
        execution_id: "string",
        status: "string",
        /** The event that ended it; null while it runs. */
        event_type: "string | null",
        cancelled: "boolean",
        is_cancelled: "boolean",
        completed: "boolean",
        failed: "boolean",
      }),
    },
  ),
  finalizeExecution: route(
    "POST /api/executions/:id/finalize",
    {
      summary: "End an execution by hand, as completed or as failed",
      description: "What runs of it is cancelled; its children are too.",
      tag: "executions",
      access: "operator",
      of: ["execution params.id"],
    },
    {
      params: executionParams,
      body: type({ "reason?": "string", "status?": "string", "error?": json }).or("undefined"),
      answer: type({
        status: "'finalized' | 'already_completed'",
        execution_id: "string",
        message: "string",
      }),
    },
  ),
  cleanupExecutions: route(
    "POST /api/executions/cleanup",
    {
      summary: "Cancel the tenant's executions that have run for too long",
      tag: "executions",
      access: "admin",
    },
    {
      body: type({
        older_than_minutes: ordinal,
        "dry_run?": "boolean",
        "limit?": type("number.integer").and(`1 <= number <= ${cleanupExecutionsMax}`),
        "tenant?": tenantName,
      }),
      answer: type({
        cancelled_count: "number",
        execution_ids: strings,
        dry_run: "boolean",
        message: "string",
      }),
    },
  ),
  analyzeExecution: route(
    "POST /api/executions/:id/analyze",
    {
      summary: "What a person looks at first: status, what failed, what holds it up",
      tag: "executions",
      access: "viewer",
      of: ["execution params.id"],
    },
    {
      params: executionParams,
      answer: type({
        execution_id: "string",
        path: "string",
        version: "number",
        status: "string",
        events: "number",
        duration_seconds: "number",
        failures: type({ step: "string", kind: "string", message: "string" }).array(),
        running_steps: strings,
        open_commands: "number",
        holds: map.array(),
        text: strings,
      }),
    },
  ),
} as const;
