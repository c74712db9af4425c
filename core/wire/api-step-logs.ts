// Routes of step logs: workers send what tools print, people read it, live if they like.

import { type } from "arktype";
import { route } from "./route.ts";
import { countText, executionParams, id, name, ordinal, ordinalText, someName } from "./shapes.ts";

const stream = type("'stdout' | 'stderr' | 'log'");

const sentLine = type({
  execution_id: id,
  command_id: someName,
  attempt: ordinal,
  step: name,
  label: name,
  stream,
  /** Increasing over all lines of the worker. */
  seq: "1 <= number.integer <= 9007199254740991",
  /** Milliseconds since 1970. */
  time: "0 <= number <= 8640000000000000",
  text: "string",
});

/** A line as it is shown, in answers and on the bus. */
export const shownLogLine = type({
  position: "number",
  execution_id: "string",
  command_id: "string",
  attempt: "number",
  step: "string",
  label: "string",
  stream: "string",
  /** RFC 3339. */
  time: "string",
  text: "string",
});

export type ShownLogLine = typeof shownLogLine.infer;

export const stepLogRoutes = {
  sendLogs: route(
    "POST /api/logs",
    { summary: "Keep lines that tools printed", tag: "logs", access: "machine" },
    {
      body: type({ worker: someName, lines: sentLine.array() }),
      answer: type({ kept: "number" }),
    },
  ),
  executionLogs: route(
    "GET /api/executions/:id/logs",
    {
      summary: "What the tools of an execution printed; follow=true streams it",
      tag: "logs",
      access: "viewer",
      of: ["execution params.id"],
    },
    {
      params: executionParams,
      query: type({
        "step?": name,
        "command_id?": name,
        "attempt?": ordinalText,
        "stream?": stream,
        /** Only lines behind this position. */
        "after?": countText,
        "limit?": countText,
        "follow?": "'true' | 'false'",
      }),
      answer: type({
        execution_id: "string",
        lines: shownLogLine.array(),
        next_after: "number | null",
        /** Lines that there was no room for. */
        refused: "number",
      }),
      events: shownLogLine,
    },
  ),
} as const;
