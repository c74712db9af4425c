// The audit log as it is read: who did what to which object, and whether its chain is whole.

import { type } from "arktype";
import { route } from "./route.ts";
import { name, ordinalText, tenantName } from "./shapes.ts";

const tag = "audit";

const entry = type({
  seq: "number",
  at: "string",
  actor: "string",
  actor_kind: "'person' | 'machine'",
  tenant: "string",
  action: "string",
  object: "string",
  outcome: "'done' | 'refused'",
  "about?": "Record<string, unknown>",
});

export const auditRoutes = {
  listAudit: route(
    "GET /api/audit",
    {
      summary: "Who did what, newest first",
      description:
        "Entries of the tenant; who runs the installation sees all, or those of `tenant`. The next " +
        "page is asked for with `before`, the last number of this one.",
      ...{ tag, access: "admin" },
    },
    {
      query: type({
        "actor?": name,
        "action?": name,
        "object?": name,
        "tenant?": tenantName,
        "before?": ordinalText,
        "limit?": ordinalText,
      }),
      answer: type({ entries: entry.array(), next_before: "number | null" }),
    },
  ),
  verifyAudit: route(
    "GET /api/audit/verify",
    {
      summary: "Whether the chain of the audit log is whole",
      description:
        "Reads all of it. Keep `head_digest` elsewhere: an end that was cut off shows by it alone.",
      ...{ tag, access: "platform" },
    },
    {
      answer: type({
        count: "number",
        head_digest: "string",
        problems: type({ seq: "number", message: "string" }).array(),
      }),
    },
  ),
} as const;
