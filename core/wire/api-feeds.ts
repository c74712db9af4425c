// Routes of the feed: the log of all executions, read on from a position.

import { type } from "arktype";
import { event } from "./api-executions.ts";
import { route } from "./route.ts";
import { countText, name } from "./shapes.ts";

/** An event with its place in the log of all executions. */
export const feedEvent = event.and({
  position: "string",
  tenant_id: "string",
  organization_id: "string",
  stream_id: "string",
  stream_version: "number",
});

const list = name.pipe((text) => text.split(",").filter((part) => part !== ""));

export const feedRoutes = {
  feedExecutions: route(
    "GET /api/feeds/executions",
    {
      summary: "Events of all executions after a position; waits for some, or streams them",
      tag: "feeds",
      access: ["machine", "viewer"],
      of: ["executions query.ids"],
    },
    {
      query: type({
        /** A position, or `end` for what comes from now on; without it from the beginning. */
        "after?": name,
        /** Executions, with commas between them. */
        "ids?": list,
        /** Types of events, with commas between them. */
        "types?": list,
        "limit?": countText,
        /** Answer when there is something, and at the latest after so long. */
        "wait_ms?": countText,
      }),
      answer: type({
        timeline: "string",
        events: feedEvent.array(),
        /** Read on from here. */
        next: "string",
        more: "boolean",
      }),
      events: feedEvent,
    },
  ),
  feedStatus: route(
    "GET /api/feeds/status",
    {
      summary: "Which log this is, how far it can be read, and who reads it",
      tag: "feeds",
      access: ["machine", "viewer"],
    },
    {
      answer: type({
        cluster_id: "string",
        timeline: "string",
        end: "string",
        /** Age of the oldest transaction that holds readers back. */
        lag_ms: "number",
        "held_by?": type({ "pid?": "number", application: "string", state: "string" }),
        roles: type({
          name: "string",
          "owner?": "string",
          held: "boolean",
          "position?": "string",
        }).array(),
      }),
    },
  ),
} as const;
