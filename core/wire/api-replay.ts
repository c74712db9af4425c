// Routes that go back to the log: a state as of then, proof that everything says what the log says,
// and making anew what does not.

import { type } from "arktype";
import { route } from "./route.ts";
import { count, countText, executionParams, id, map, ordinal, strings } from "./shapes.ts";

const stepState = type({
  step: "string",
  status: "string",
  visits: "number",
  "output?": map,
  "stats?": map,
});

const openCommand = type({
  command_id: "string",
  step: "string",
  visit: "number",
  "iteration?": "number",
  kind: "string",
  attempt: "number",
  waiting: "boolean",
  "child_execution_id?": "string",
});

const loopState = type({
  step: "string",
  visit: "number",
  mode: "string",
  total: "number",
  issued: "number",
  done: "number",
  failed: "number",
});

const replayAnswer = type({
  execution_id: "string",
  path: "string",
  version: "number",
  /** The event that the answer ends with, and how many there are. */
  as_of: type({ seq: "number", event_id: "string", time: "string", digest: "string" }),
  head: "number",
  status: "string",
  "current_step?": "string",
  "error?": map,
  "result?": map,
  failed_steps: strings,
  steps: stepState.array(),
  commands: openCommand.array(),
  loops: loopState.array(),
  variables: map,
  checksum_algorithm: "'sha256'",
  checksum: "string",
  checksums: type({
    execution: "string",
    steps: "string",
    commands: "string",
    loops: "string",
    variables: "string",
  }),
});

const verdict = type({
  execution_id: "string",
  events: "number",
  digest: "string",
  status: "string",
  problems: strings,
});

const rebuilt = type({
  execution_id: "string",
  events: "number",
  /** What was not as the log says, and is now. */
  repaired: strings,
  /** What only somebody who looks can put right. */
  problems: strings,
});

const cutoff = {
  "as_of_seq?": countText,
  "as_of_event_id?": id,
  "as_of_position?": "string",
  "as_of_time?": "string",
} as const;

export const replayRoutes = {
  replayState: route(
    "GET /api/replay/state/:id",
    {
      summary: "The state of an execution as of an event or a time, from its log",
      tag: "replay",
      access: "viewer",
      of: ["execution params.id"],
    },
    {
      params: executionParams,
      query: type(cutoff),
      answer: replayAnswer,
    },
  ),
  replayStateOf: route(
    "GET /api/replay/state",
    {
      summary: "The same, by its older address",
      tag: "replay",
      access: "viewer",
      of: ["execution query.execution_id"],
    },
    { query: type({ execution_id: id, ...cutoff }), answer: replayAnswer },
  ),
  verify: route(
    "GET /api/verify",
    {
      summary: "Whether logs are whole and rows say what they say",
      tag: "replay",
      access: "platform",
    },
    {
      query: type({ "execution_id?": id, "after?": id, "limit?": countText }),
      answer: type({
        executions: verdict.array(),
        events: "number",
        /** To go on after; null when these were the last. */
        next: "string | null",
      }),
    },
  ),
  rebuild: route(
    "POST /api/rebuild",
    {
      summary: "Make projections anew, and put rows right, from the logs",
      tag: "replay",
      access: "platform",
    },
    {
      body: type({
        "execution_ids?": id.array(),
        "after?": id,
        "limit?": count.or(ordinal),
        "projections?": "boolean",
        "repair?": "boolean",
      }),
      answer: type({ executions: rebuilt.array(), next: "string | null" }),
    },
  ),
} as const;
