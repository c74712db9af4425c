// Search over executions that have ended.

import { type } from "arktype";
import { searchItemsMax } from "#core/model/export-limits";
import { route } from "./route.ts";
import { countText, name, someName } from "./shapes.ts";

const found = type({
  execution_id: "string",
  /** Up to 1: how near it is to the question. */
  score: "number",
  path: "string",
  status: "string",
  error: "string | null",
  failed_steps: "string[]",
  started_at: "string",
  ended_at: "string",
});

export const searchRoutes = {
  searchExecutions: route(
    "GET /api/search/executions",
    {
      summary: "Ended executions that a question describes, the nearest first",
      description:
        "Goes by path, status, steps and errors; never by what was worked on. Without one: 503.",
      tag: "executions",
      access: "viewer",
    },
    {
      query: type({
        q: someName,
        "limit?": countText.to(`1 <= number <= ${searchItemsMax}`),
        "status?": "'completed' | 'failed' | 'cancelled'",
        "path?": name,
      }),
      answer: type({ items: found.array() }),
    },
  ),
} as const;
