// Many executions started by one request.

import { type } from "arktype";
import { batchExecutionsMax } from "#core/model/api-limits";
import { executeBody } from "./api-execute-body.ts";
import { route } from "./route.ts";

const started = type({
  index: "number",
  status: "'started' | 'duplicate' | 'failed'",
  "execution_id?": "string",
  commands_generated: "number",
  "error?": "string",
});

export const batchesRoutes = {
  executeBatch: route(
    "POST /api/execute/batch",
    {
      summary: "Start many playbooks at once",
      description: `From 1 to ${batchExecutionsMax}. One that can't be started hinders no other.`,
      tag: "executions",
      access: "operator",
    },
    {
      body: type({ executions: executeBody.array() }),
      answer: type({
        count: "number",
        started: "number",
        duplicates: "number",
        failed: "number",
        results: started.array(),
      }),
    },
  ),
} as const;
