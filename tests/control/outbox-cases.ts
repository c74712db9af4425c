// Cases of the routes of the group `outbox`.

import type { outboxRoutes } from "#core/wire/api-outbox";
import { badBodies, invalid, type RouteCase, unknown } from "./refused-cases.ts";

export const outboxCases: { readonly [Name in keyof typeof outboxRoutes]: RouteCase } = {
  claimOutbox: {
    path: "/api/internal/outbox/claim",
    body: { limit: 1 },
    answer: { rows: [{ execution_id: "$ended", attempts: 1, payload_codec: "json" }], claimed: 1 },
    refused: [
      ...badBodies,
      ...[0, 1.5, 1_001, "5"].map((limit) => invalid({ limit })),
      ...["", "c".repeat(101), "a\u0000"].map((consumer) => invalid({ consumer })),
    ],
  },
  markPublished: {
    path: "/api/internal/outbox/mark-published",
    body: { outbox_ids: [unknown, 12] },
    answer: { marked: 0 },
    refused: [...badBodies, invalid({ outbox_ids: "12" }), invalid({ outbox_ids: [{}] })],
  },
  markFailed: {
    path: "/api/internal/outbox/mark-failed",
    body: { outbox_id: unknown, error: "no", attempts: 1 },
    answer: { marked: 0, available_at_in: 0 },
    refused: [
      ...badBodies,
      invalid({ outbox_id: unknown, attempts: -1 }),
      invalid({ outbox_id: unknown, max_delay_seconds: 0 }),
    ],
  },
  pendingCount: {
    path: "/api/internal/outbox/pending-count",
    answer: {},
    refused: [
      { path: "/api/internal/outbox/pending-count?consumer=", status: 422, code: "invalid" },
    ],
  },
  projectEvents: {
    path: "/api/internal/events/project",
    body: { events: [{ execution_id: "$ended", seq: 1 }] },
    answer: {},
    refused: [
      ...badBodies,
      invalid({ events: {} }),
      invalid({ events: [{}] }),
      invalid({ events: [{ execution_id: "x" }] }),
      { body: { events: [{ execution_id: unknown }] }, status: 404, code: "not_found" },
    ],
  },
};
