// Cases of the routes of the group `approvals`. What comes of answers is told in tests/waits.

import type { approvalsRoutes } from "#core/wire/api-approvals";
import { badBodies, invalid, type RouteCase, refusedIds, unknown } from "./refused-cases.ts";

const decision = { decision: "approve" };
const nothing = { error: { code: "not_found" } };
const link = { execution_id: "$id", key: "k" };

export const approvalsCases: { readonly [Name in keyof typeof approvalsRoutes]: RouteCase } = {
  signalExecution: {
    path: "/api/executions/$id/signal",
    body: { signal: "go", data: { on: true } },
    answer: { status: "accepted", execution_id: "$id", key: "go" },
    refused: [
      ...badBodies,
      ...refusedIds("/signal", { key: "k" }),
      invalid({}),
      invalid({ key: "" }),
      invalid({ key: "k".repeat(201) }),
      invalid({ name: "a\u0000" }),
    ],
  },
  executionWaits: {
    path: "/api/executions/$id/waits",
    answer: { execution_id: "$id", waits: [] },
    refused: refusedIds("/waits"),
  },
  listWaits: {
    path: "/api/waits?for=approval&execution_id=$id&after=1&limit=5",
    answer: { waits: [], next_after: null },
    refused: ["for=nothing", "execution_id=x", "after=%00", "limit=-1"].map((query) => ({
      path: `/api/waits?${query}`,
      ...{ status: 422, code: "invalid" },
    })),
  },
  listApprovals: {
    path: "/api/approvals?limit=5",
    answer: { waits: [], next_after: null },
    refused: ["after=%00", "limit=x"].map((query) => ({
      path: `/api/approvals?${query}`,
      ...{ status: 422, code: "invalid" },
    })),
  },
  executionApprovals: {
    path: "/api/executions/$id/approvals",
    answer: { execution_id: "$id", approvals: [] },
    refused: refusedIds("/approvals"),
  },
  answerApproval: {
    path: "/api/executions/$id/approvals/k",
    body: decision,
    status: 404,
    answer: nothing,
    refused: [
      ...badBodies,
      ...refusedIds("/approvals/k", decision),
      invalid({ decision: "perhaps" }),
      invalid({ decision: "approve", comment: "c".repeat(4_001) }),
      invalid({ decision: "approve", comment: "\u0000" }),
    ],
  },
  approvalLink: {
    path: "/api/approvals/links",
    body: link,
    status: 404,
    answer: nothing,
    refused: [
      ...badBodies,
      invalid({ execution_id: "$id" }),
      invalid({ ...link, key: "" }),
      invalid({ ...link, role: "r".repeat(101) }),
      invalid({ ...link, expires_in_seconds: 0 }),
      invalid({ ...link, expires_in_seconds: 1e9 }),
      invalid({ ...link, execution_id: "x" }),
      { body: { ...link, execution_id: unknown }, status: 404, code: "not_found" },
    ],
  },
  answerWait: {
    path: "/api/waits/answer",
    body: { token: "noetl_wait_e30.e30.e30", decision: "approve" },
    status: 401,
    answer: { error: { code: "unauthenticated" } },
    refused: [
      ...badBodies,
      invalid({ decision: "approve" }),
      invalid({ token: "t".repeat(5_000) }),
      invalid({ token: "t", decision: "perhaps" }),
      { body: { token: "" }, status: 401, code: "unauthenticated" },
    ],
  },
};
