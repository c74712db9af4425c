// Cases of the routes by which workers get their commands and report on them.

import type { commandSecretRoutes } from "#core/wire/api-command-secrets";
import type { commandRoutes } from "#core/wire/api-commands";
import { badBodies, invalid, type RefusedCase, type RouteCase, unknown } from "./refused-cases.ts";

const work = { worker: "w9", pools: ["empty"], want: 1 };
const lease = { command_id: "$command", attempt: 1 };
const badLeases: readonly RefusedCase[] = [
  ...badBodies,
  invalid({ worker: "", leases: [] }),
  invalid({ worker: "w\u0000", leases: [] }),
  invalid({ worker: "w1", leases: [{ command_id: "$command", attempt: "1" }] }),
  invalid({ worker: "w1", leases: [{ command_id: "$command", attempt: 4_000_000_000 }] }),
  {
    body: { worker: "w1", leases: Array.from({ length: 257 }, () => lease) },
    status: 413,
    code: "too_large",
  },
];

type Name = Exclude<keyof typeof commandRoutes, keyof typeof commandSecretRoutes>;

export const commandCases: { readonly [Key in Name]: RouteCase } = {
  claim: {
    path: "/api/commands/claim",
    body: work,
    answer: { commands: [] },
    refused: [
      ...badBodies,
      invalid({ ...work, worker: "" }),
      invalid({ ...work, pools: [] }),
      invalid({ ...work, pools: [1] }),
      invalid({ ...work, pools: ["a\u0000"] }),
      invalid({ ...work, want: -1 }),
      invalid({ ...work, want: 0.5 }),
    ],
  },
  settle: {
    path: "/api/commands/settle",
    body: { ...work, outcomes: [] },
    answer: { verdicts: [], commands: [] },
    refused: [
      ...badBodies,
      invalid({ ...work, outcomes: {} }),
      invalid({ ...work, outcomes: [{ ...lease, output: { status: "ok" } }] }),
      {
        body: {
          ...work,
          outcomes: Array.from({ length: 257 }, () => ({
            ...lease,
            output: { status: "ok" },
            duration_ms: 1,
          })),
        },
        status: 413,
        code: "too_large",
      },
    ],
  },
  standby: {
    path: "/api/commands/standby",
    body: work,
    answer: { commands: [] },
    refused: badBodies,
  },
  renew: {
    path: "/api/commands/renew",
    body: { worker: "w1", leases: [lease] },
    answer: { verdicts: ["renewed"] },
    refused: badLeases,
  },
  release: {
    path: "/api/commands/release",
    body: { worker: "w9", leases: [lease] },
    answer: { released: 1 },
    refused: badLeases,
  },
  getCommand: {
    path: "/api/commands/$command",
    answer: { execution_id: "$id", node_name: "s1", action: "noop", meta: { attempt: 1 } },
    refused: [
      { path: "/api/commands/claim", status: 404, code: "not_found" },
      { path: `/api/commands/${unknown}`, status: 404, code: "not_found" },
      { path: `/api/commands/${unknown}?execution_id=$id`, status: 404, code: "not_found" },
      { path: "/api/commands/$id:s1:2", status: 404, code: "not_found" },
      { path: "/api/commands/%00", status: 422, code: "invalid" },
    ],
  },
  claimCommand: {
    path: "/api/commands/$command/claim",
    body: { worker_id: "w1" },
    answer: { status: "ok", execution_id: "$id", node_name: "s1", action: "noop" },
    refused: [
      ...badBodies,
      invalid({ worker_id: "" }),
      { body: { worker_id: "w2" }, status: 409, code: "conflict" },
      ...[unknown, "x", "$id:s2:9", `${unknown}:s1:1`].map((id) => ({
        path: `/api/commands/${id}/claim`,
        body: { worker_id: "w1" },
        status: 404,
        code: "not_found",
      })),
    ],
  },
};
