// Cases of the routes about the audit log; `$user` stands for somebody who was made a member.

import type { auditRoutes } from "#core/wire/api-audit";
import type { RouteCase } from "./refused-cases.ts";

export const auditCases: { readonly [Name in keyof typeof auditRoutes]: RouteCase } = {
  listAudit: {
    path: "/api/audit?action=user.add&object=user%2F$user&limit=1",
    answer: {
      entries: [
        {
          ...{ actor: "local", actor_kind: "person", tenant: "default", action: "user.add" },
          ...{ object: "user/$user", outcome: "done", about: { email: "ada@example.org" } },
        },
      ],
    },
    refused: [
      ...["before=0", "before=x", "limit=0", "actor=%00", "tenant=", "action=a&action=b"],
      ...["tenant=No%20Name"],
    ].map((query) => ({ path: `/api/audit?${query}`, status: 422, code: "invalid" })),
  },
  verifyAudit: {
    path: "/api/audit/verify",
    answer: { problems: [] },
    refused: [],
  },
};
