// The cases of the routes that answer what an execution waits for.

import type { waitRoutes } from "#core/wire/api-waits";
import { badBodies, invalid, type RouteCase, refusedIds, unknown } from "./refused-cases.ts";

const job = { state: "Succeeded", job_name: "job-1" };

export const waitCases: { readonly [Name in keyof typeof waitRoutes]: RouteCase } = {
  callback: {
    path: "/api/executions/$id/callbacks/order%2F7",
    body: { data: { paid: true } },
    answer: { status: "accepted", execution_id: "$id", key: "order/7" },
    refused: [
      ...badBodies,
      ...refusedIds("/callbacks/k", {}),
      invalid({ status: "maybe" }),
      invalid({ error: "text" }),
      { path: "/api/executions/$id/callbacks/a%00b", body: {}, status: 422, code: "invalid" },
      {
        path: `/api/executions/$id/callbacks/${"k".repeat(201)}`,
        body: {},
        status: 422,
        code: "invalid",
      },
    ],
  },
  containerCallback: {
    path: "/api/internal/container-callback/$id/s1",
    body: job,
    answer: { status: "accepted_stale", execution_id: "$id" },
    refused: [
      ...badBodies,
      invalid({}),
      invalid({ state: 1 }),
      invalid({ ...job, exit_code: "0" }),
      {
        path: `/api/internal/container-callback/${unknown}/s1`,
        body: job,
        status: 404,
        code: "not_found",
      },
      { path: "/api/internal/container-callback/x1/s1", body: job, status: 422, code: "invalid" },
    ],
  },
};
