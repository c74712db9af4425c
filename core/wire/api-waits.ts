// Routes by which others answer what an execution waits for.

import { type } from "arktype";
import { waitKeyCharsMax } from "#core/model/flow-limits";
import { waitTokenCharsMax } from "#core/model/schedule-limits";
import { route } from "./route.ts";
import { executionParams, json, map, name, someName } from "./shapes.ts";

const key = someName.and(`string <= ${waitKeyCharsMax}`);

/** Also in `authorization`; needed by whoever has not signed in. */
const token = someName.and(`string <= ${waitTokenCharsMax}`);

const answered = type({
  /** `accepted_stale`: nobody waits for it any more. */
  status: "'accepted' | 'duplicate' | 'accepted_stale'",
  execution_id: "string",
  key: "string",
});

export const waitRoutes = {
  callback: route(
    "POST /api/executions/:id/callbacks/:key",
    {
      summary: "Answer a wait for a callback, also before it has begun",
      tag: "waits",
      access: "link",
    },
    {
      params: executionParams.and({ key }),
      query: type({ "token?": token }),
      body: type({
        "status?": "'ok' | 'success' | 'error' | 'failed'",
        "data?": json,
        "error?": type({ "code?": "string | number", "message?": "string" }),
      }),
      answer: answered,
    },
  ),
  containerCallback: route(
    "POST /api/internal/container-callback/:id/:step",
    { summary: "For containers: what became of the job of a step", tag: "waits", access: "link" },
    {
      params: executionParams.and({ step: name }),
      query: type({ "command_id?": name, "token?": token }),
      body: map.and({
        state: "string",
        "job_name?": "string",
        "job_uid?": "string | null",
        "completed_at?": "string | null",
        "exit_code?": "number | null",
        "reason?": "string | null",
        "stdout_uri?": "string | null",
      }),
      answer: answered,
    },
  ),
} as const;
