// Routes of what is projected from the log: stages of executions, statistics of steps.

import { type } from "arktype";
import { route } from "./route.ts";
import { countText, executionParams, someName } from "./shapes.ts";

const stage = type({
  step: "string",
  visit: "number",
  entered_seq: "number",
  status: "string",
  "mode?": "string",
  started_at: "string",
  "ended_at?": "string",
  "duration_seconds?": "number",
  total: "number",
  done: "number",
  failed: "number",
  reissued: "number",
  call_seconds: "number",
  queue_seconds: "number",
  queue_seconds_max: "number",
});

const statistics = type({
  step: "string",
  visits: "number",
  runs: "number",
  failures: "number",
  reissued: "number",
  duration_seconds: type({ sum: "number", "min?": "number", "max?": "number" }),
  queue_seconds: type({ sum: "number", max: "number" }),
  /** Calls that took up to so many seconds, and longer than the bucket before; null: no bound. */
  buckets: type({ up_to_seconds: "number | null", count: "number" }).array(),
});

export const projectionRoutes = {
  executionStages: route(
    "GET /api/executions/:id/stages",
    {
      summary: "Visits of steps with their progress and times",
      tag: "projections",
      access: "viewer",
      of: ["execution params.id"],
    },
    {
      params: executionParams,
      query: type({ "after?": countText, "limit?": countText }),
      answer: type({
        execution_id: "string",
        /** The event up to which the stages stand; the log may be further. */
        projected: "number",
        head: "number",
        stages: stage.array(),
      }),
    },
  ),
  stepStatistics: route(
    "GET /api/statistics/steps",
    {
      summary: "Runs, failures, durations and delays of a playbook's steps",
      tag: "projections",
      access: "viewer",
    },
    {
      query: type({ path: someName, "executions?": countText }),
      answer: type({ path: "string", steps: statistics.array() }),
    },
  ),
} as const;
