// Frames of cursor loops, as older workers ask for them: leased, kept alive and committed one by
// one. A stage is one visit of a step with a cursor: `<execution>:<step>:<visit>`.

import { type } from "arktype";
import {
  framesClaimedMax,
  queueLeaseSecondsMax,
  queueLeaseSecondsMin,
} from "#core/model/api-limits";
import { route } from "./route.ts";
import { json, map, name, someName } from "./shapes.ts";

const leaseSeconds = type("number.integer").and(
  `${queueLeaseSecondsMin} <= number <= ${queueLeaseSecondsMax}`,
);

const frame = type({
  frame_id: "string",
  stage_id: "string",
  execution_id: "string",
  status: "string",
  command_id: "string",
  owner_worker: "string | null",
  lease_until: "string | null",
  row_count: "number | null",
  cursor: map,
  /** What is not kept of a frame. */
  parent_frame_id: "null",
  claimed_event_id: "string | null",
  terminal_event_id: "string | null",
  output_ref: "null",
  events_emitted: "number | null",
});

export const framesRoutes = {
  claimFrames: route(
    "POST /api/stages/:stage_id/frames/claim",
    {
      summary: "Lease frames of a cursor loop that wait",
      tag: "frames",
      access: "machine",
    },
    {
      params: type({ stage_id: name }),
      body: type({
        worker_id: someName,
        "command_id?": "string | null",
        "requested_count?": type("number.integer").and(`1 <= number <= ${framesClaimedMax}`),
        "lease_seconds?": leaseSeconds,
        "cursor?": json,
        "frame_policy?": json,
        "locality?": json,
      }),
      answer: type({ status: "'ok'", frames: frame.array() }),
    },
  ),
  heartbeatFrame: route(
    "POST /api/frames/:frame_id/heartbeat",
    { summary: "Extend the lease of a frame", tag: "frames", access: "machine" },
    {
      params: type({ frame_id: name }),
      body: type({ worker_id: someName, "lease_seconds?": leaseSeconds, "status?": "string" }),
      answer: type({ status: "'ok'", frame }),
    },
  ),
  commitFrame: route(
    "POST /api/frames/:frame_id/commit",
    { summary: "Report how a frame ended", tag: "frames", access: "machine" },
    {
      params: type({ frame_id: name }),
      body: type({
        worker_id: someName,
        "status?": "'COMPLETED' | 'FAILED' | 'completed' | 'failed'",
        "cursor?": json,
        "row_count?": "number.integer >= 0 | null",
        "output_ref?": json,
        "events_emitted?": "number | null",
        "error?": json,
      }),
      answer: type({ status: "'ok'", frame }),
    },
  ),
} as const;
