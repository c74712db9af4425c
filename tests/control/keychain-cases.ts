// Cases of the routes of the group `keychain`.

import type { keychainRoutes } from "#core/wire/api-keychain";
import { badBodies, invalid, type RouteCase, unknown } from "./refused-cases.ts";

const elsewhere = { path: `/api/keychain/${unknown}/api`, status: 404, code: "not_found" };
const noEntry = { path: "/api/keychain/x12/api", status: 404, code: "not_found" };
const badPlaces = [
  elsewhere,
  noEntry,
  { path: "/api/keychain/$catalog/api?scope_type=local", status: 422, code: "invalid" },
  { path: "/api/keychain/$catalog/api?scope_type=other", status: 422, code: "invalid" },
  {
    path: "/api/keychain/$catalog/api?scope_type=local&execution_id=x1",
    status: 422,
    code: "invalid",
  },
  { path: "/api/keychain/$catalog/a%00b", status: 422, code: "invalid" },
  { path: `/api/keychain/$catalog/${"n".repeat(201)}`, status: 422, code: "invalid" },
];
const data = { token: "t-0-k-e-n" };

export const keychainCases: { readonly [Name in keyof typeof keychainRoutes]: RouteCase } = {
  getKeychainEntry: {
    path: "/api/keychain/$catalog/api?scope_type=local&execution_id=$id&include_data=true",
    answer: { status: "not_found", keychain_name: "api", catalog_id: "$catalog", expired: false },
    refused: badPlaces,
  },
  putKeychainEntry: {
    path: "/api/keychain/$catalog/api",
    body: { token_data: data, credential_type: "oauth2", cache_type: "token", expires_in: 60 },
    answer: { status: "success", scope_type: "global", credential_type: "oauth2", access_count: 0 },
    refused: [
      ...badBodies,
      invalid({}),
      invalid({ data, token_data: data }),
      invalid({ data: [1] }),
      invalid({ data, scope_type: "local" }),
      invalid({ data, scope_type: "all" }),
      invalid({ data, ttl_seconds: 0 }),
      invalid({ data, ttl_seconds: -1 }),
      invalid({ data, expires_at: "yesterday" }),
      invalid({ data, expires_at: "2001-01-01T00:00:00Z" }),
      invalid({ data, credential_type: "a\u0000b" }),
      { body: { data: { token: "x".repeat(300_000) } }, status: 413, code: "too_large" },
      { ...elsewhere, body: { data } },
      { ...noEntry, body: { data } },
    ],
  },
  deleteKeychainEntry: {
    path: "/api/keychain/$catalog/api",
    answer: { status: "not_found", deleted: false },
    refused: badPlaces,
  },
  listKeychainEntries: {
    path: "/api/keychain/catalog/$catalog",
    answer: { entries: [], count: 0 },
    refused: [
      { path: `/api/keychain/catalog/${unknown}`, status: 404, code: "not_found" },
      { path: "/api/keychain/catalog/x12", status: 404, code: "not_found" },
    ],
  },
  googleToken: {
    path: "/api/gcp/token",
    body: { credential: "nobody" },
    status: 404,
    answer: { error: { code: "not_found" } },
    refused: [...badBodies, invalid({ credential: 1 }), invalid({ scopes: [1] })],
  },
};
