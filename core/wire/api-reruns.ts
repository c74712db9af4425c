// Executions that start over: from their beginning, or from one of their steps.

import { type } from "arktype";
import { dedup } from "./api-execute-body.ts";
import { route } from "./route.ts";
import { executionParams, map, ordinal } from "./shapes.ts";

const answer = type({
  execution_id: "string",
  status: "'started' | 'duplicate'",
  commands_generated: "number",
  path: "string",
  version: "number",
  rerun_of: "string",
});

export const rerunsRoutes = {
  rerunExecution: route(
    "POST /api/executions/:id/rerun",
    {
      summary: "Start an execution over, as a new one",
      description: "With its workload, and in the same version unless another one is asked for.",
      tag: "executions",
      access: "operator",
      of: ["execution params.id"],
    },
    {
      params: executionParams,
      body: type({
        "workload?": map,
        "payload?": map,
        "resource_kind?": "string",
        "version?": ordinal.or("'same' | 'newest'"),
        "dedup?": dedup,
      }).or("undefined"),
      answer,
    },
  ),
  rerunFrom: route(
    "POST /api/executions/:id/rerun-from/:step",
    {
      summary: "Start over from one step, with what was known before it",
      description:
        "What was known before the step was first entered is known to the new execution.",
      tag: "executions",
      access: "operator",
      of: ["execution params.id"],
    },
    {
      params: type({ id: "string", step: "string" }),
      body: type({ "workload?": map }).or("undefined"),
      answer,
    },
  ),
} as const;
