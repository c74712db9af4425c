// Cases of the routes of the group `credentials`. None is stored when they begin.

import { credentialBytesMax } from "#core/model/secret-limits";
import type { credentialsRoutes } from "#core/wire/api-credentials";
import { badBodies, invalid, type RefusedCase, type RouteCase, unknown } from "./refused-cases.ts";

const good = { name: "api", type: "bearer", data: { token: "tok-1" } };
const because = (part: Readonly<Record<string, unknown>>): RefusedCase =>
  invalid({ ...good, ...part });
const missing = (path: string): readonly RefusedCase[] => [
  { path, status: 404, code: "not_found" },
  { path: path.replace("nobody", unknown), status: 404, code: "not_found" },
];

const badPuts: readonly RefusedCase[] = [
  ...badBodies,
  ...["", " x", "x\n", "a\u0000", "9".repeat(18), "n".repeat(201)].map((name) => because({ name })),
  ...["odd", "", 1].map((type) => because({ type })),
  ...[[], "text", 1, {}, { user: "ada" }, { token: "" }, { token: null }].map((data) =>
    because({ data }),
  ),
  because({ type: "basic", credential_type: "bearer" }),
  because({ meta: [] }),
  because({ tags: 1 }),
  because({ tags: Array.from({ length: 65 }, (_, n) => `t${n}`) }),
  because({ description: "d".repeat(2_001) }),
  because({ allow: { playbooks: "x" } }),
  because({ allow: { tenants: ["Not One"] } }),
  because({ tenant: "Not One" }),
  ...[{ data: { token: "t".repeat(credentialBytesMax) } }, { meta: { m: "m".repeat(20_000) } }].map(
    (part) => ({ body: { ...good, ...part }, status: 413, code: "too_large" }),
  ),
];

export const credentialsCases: { readonly [Name in keyof typeof credentialsRoutes]: RouteCase } = {
  putCredential: {
    path: "/api/credentials",
    body: {
      name: "warehouse/main",
      credential_type: "postgres",
      data: { db_host: "db", db_password: "hunter2" },
      tags: "prod, dwh",
      allow: { playbooks: ["etl/**"], tenants: ["other"] },
    },
    answer: {
      name: "warehouse/main",
      type: "postgres",
      tenant: "default",
      tags: ["prod", "dwh"],
      allow: { playbooks: ["etl/**"], tenants: ["other"] },
      revision: 1,
      key_id: "test",
      created: true,
    },
    refused: badPuts,
  },
  listCredentials: {
    path: "/api/credentials?type=bearer&q=a&limit=5",
    answer: { items: [], filter: { type: "bearer", q: "a" }, next_after: null },
    refused: ["limit=x", "limit=-1", "q=%00", "tenant=Not%20One"].map((query) => ({
      path: `/api/credentials?${query}`,
      status: 422,
      code: "invalid",
    })),
  },
  getCredential: {
    path: "/api/credentials/nobody",
    status: 404,
    answer: { error: { code: "not_found", message: "credential nobody does not exist" } },
    refused: [
      ...missing("/api/credentials/nobody?include_data=true"),
      { path: "/api/credentials/nobody?include_data=maybe", status: 422, code: "invalid" },
      { path: "/api/credentials/a%00b", status: 422, code: "invalid" },
      { path: "/api/credentials/a%2Fb", status: 404, code: "not_found" },
    ],
  },
  deleteCredential: {
    path: "/api/credentials/nobody",
    status: 404,
    answer: { error: { code: "not_found" } },
    refused: missing("/api/credentials/nobody"),
  },
  sealedCredential: {
    path: "/api/credentials/db/sealed?worker_id=w1&execution_id=$id",
    status: 409,
    answer: {
      error: {
        code: "conflict",
        message: "worker w1 has registered no key that could be sealed to",
      },
    },
    refused: [
      ["worker_id=w2&execution_id=$id", 403, "forbidden"] as const,
      ["worker_id=w1&execution_id=$ended", 403, "forbidden"] as const,
      [`worker_id=w1&execution_id=${unknown}`, 403, "forbidden"] as const,
      ["worker_id=w1&execution_id=x", 422, "invalid"] as const,
      ["worker_id=w1", 422, "invalid"] as const,
    ].map(([query, status, code]) => ({
      path: `/api/credentials/db/sealed?${query}`,
      status,
      code,
    })),
  },
  rotateCredentials: {
    path: "/api/credentials/rotate",
    answer: { current: "test", resealed: 0, left: 0 },
    refused: [],
  },
  credentialKeys: {
    path: "/api/credentials-keys",
    answer: { current: "test", counts: { test: 0 } },
    refused: [],
  },
};
