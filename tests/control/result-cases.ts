// Cases of the routes of stored values and of single variables.

import type { resultRoutes } from "#core/wire/api-results";
import { badBodies, invalid, type RefusedCase, type RouteCase, unknown } from "./refused-cases.ts";

type Name = Exclude<
  keyof typeof resultRoutes,
  | "putResult"
  | "resolveResult"
  | "listVariables"
  | "getVariable"
  | "setVariables"
  | "deleteVariable"
  | "renderContext"
>;

const at = (path: string, status: number, body?: unknown): RefusedCase => ({
  path,
  status,
  code: status === 404 ? "not_found" : status === 409 ? "conflict" : "invalid",
  ...(body === undefined ? {} : { body }),
});

const list = (root: string): RouteCase => ({
  path: `/api/${root}/$ended/list?step_name=stored`,
  answer: { execution_id: "$ended" },
  refused: [
    at(`/api/${root}/${unknown}/list`, 404),
    at(`/api/${root}/x/list`, 422),
    at(`/api/${root}/$ended/list?limit=-1`, 422),
    at(`/api/${root}/$ended/list?step_name=%00`, 422),
  ],
});

const ofStep = (root: string): RouteCase => ({
  path: `/api/${root}/$ended/s1?resolve=true`,
  answer: { execution_id: "$ended", step: "s1", ref: null, result: { sum: 3 } },
  refused: [
    at(`/api/${root}/$id/s1`, 404),
    at(`/api/${root}/$ended/none`, 404),
    at(`/api/${root}/${unknown}/s1`, 404),
    at(`/api/${root}/x/s1`, 422),
    at(`/api/${root}/$ended/s1?resolve=maybe`, 422),
  ],
});

const removal = (suffix: string): RouteCase => ({
  path: `/api/result/$ended${suffix}`,
  answer: { execution_id: "$ended" },
  refused: [
    at(`/api/result/$id${suffix}`, 409),
    at(`/api/result/${unknown}${suffix}`, 404),
    at(`/api/result/x${suffix}`, 422),
  ],
});

export const resultCases: { readonly [Key in Name]: RouteCase } = {
  putTemp: {
    path: "/api/temp/$id",
    body: { name: "s1", data: { rows: [1, 2] }, scope: "step", ttl: "1h" },
    answer: { bytes: 14, scope: "execution", expires_at: null },
    refused: [...badBodies, invalid({ data: 1 })],
  },
  resolveTemp: {
    path: "/api/temp/resolve?ref=$ref",
    answer: { stored: true },
    refused: [at("/api/temp/resolve", 422), at("/api/temp/resolve?ref=noetl://nowhere", 404)],
  },
  resultStats: {
    path: "/api/result/stats?execution_id=$ended",
    answer: { execution_id: "$ended", more: false },
    refused: [
      at("/api/result/stats", 422),
      at(`/api/result/stats?execution_id=${unknown}`, 404),
      at("/api/result/stats?execution_id=x", 422),
    ],
  },
  listResults: list("result"),
  listTemp: list("temp"),
  stepResult: ofStep("result"),
  stepTemp: ofStep("temp"),
  deleteResults: removal(""),
  deleteStepResults: removal("/step/s1"),
  setVariable: {
    path: "/api/vars/$id/note",
    body: { value: [1] },
    answer: { execution_id: "$id", variables_set: 1, var_names: ["note"] },
    refused: [
      ...badBodies,
      at("/api/vars/$ended/note", 409, { value: 1 }),
      at(`/api/vars/${unknown}/note`, 404, { value: 1 }),
    ],
  },
  deleteVariables: {
    path: "/api/vars/$id",
    answer: { execution_id: "$id", deleted_count: 0 },
    refused: [at("/api/vars/$ended", 409), at(`/api/vars/${unknown}`, 404), at("/api/vars/x", 422)],
  },
};
