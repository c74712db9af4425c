// Routes by which other processes take events out one after another, as from an outbox. There is
// none: rows are entries of the log after the consumer's cursor.

import { type } from "arktype";
import { route } from "./route.ts";
import { id, map, someName } from "./shapes.ts";

const tag = "outbox";
const consumer = { "consumer?": someName.and("string <= 100") } as const;
const ids = type("number.integer >= 0").or("string");

export const outboxRoutes = {
  claimOutbox: route(
    "POST /api/internal/outbox/claim",
    {
      summary: "Take the next events that nobody has marked as published",
      description:
        "In the order of the log. What is taken and not marked comes again, a minute " +
        "later at the earliest.",
      tag,
      access: "machine",
    },
    {
      body: type({ "limit?": "1 <= number.integer <= 1000", ...consumer }),
      answer: type({
        rows: type({
          outbox_id: "string",
          event_id: "string",
          execution_id: "string",
          subject: "string",
          payload: map,
          payload_codec: "'json'",
          attempts: "number",
        }).array(),
        claimed: "number",
      }),
    },
  ),
  markPublished: route(
    "POST /api/internal/outbox/mark-published",
    {
      summary: "Say that events were published",
      description: "The cursor moves over all that stand before the first one that was not.",
      tag,
      access: "machine",
    },
    {
      body: type({ outbox_ids: ids.array().atMostLength(10_000), ...consumer }),
      answer: type({ marked: "number" }),
    },
  ),
  markFailed: route(
    "POST /api/internal/outbox/mark-failed",
    {
      summary: "Say that an event could not be published; it comes again after a while",
      description: "The while doubles with the attempts, up to `max_delay_seconds`.",
      tag,
      access: "machine",
    },
    {
      body: type({
        outbox_id: ids,
        "error?": "string",
        "attempts?": "number.integer >= 0",
        "max_delay_seconds?": "1 <= number.integer <= 86400",
        ...consumer,
      }),
      answer: type({ marked: "number", available_at_in: "number" }),
    },
  ),
  pendingCount: route(
    "GET /api/internal/outbox/pending-count",
    {
      summary: "How many events wait to be published, for what scales publishers",
      description: "Counted up to 1,000.",
      tag,
      access: "machine",
    },
    { query: type(consumer), answer: type({ pending: "number" }) },
  ),
  projectEvents: route(
    "POST /api/internal/events/project",
    {
      summary: "Have the projections of the executions of these events caught up",
      description:
        "Events are in the log already: `projected` counts those the projections had not " +
        "seen, `duplicates` the others.",
      tag,
      access: "machine",
    },
    {
      body: type({
        events: type({ execution_id: id, "[string]": "unknown" }).array().atMostLength(1_000),
      }),
      answer: type({ projected: "number", duplicates: "number" }),
    },
  ),
} as const;
