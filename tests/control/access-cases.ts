// Cases of the routes about people and tokens; `$user` stands for a person who is an administrator
// of the tenant beside another one, `$pat` for the id of a token of theirs.

import type { accessRoutes } from "#core/wire/api-access";
import { badBodies, invalid, type RefusedCase, type RouteCase } from "./refused-cases.ts";

const nobody = "u0123456789abcdef01234567";
const noUser = (suffix = "", body?: unknown): RefusedCase => ({
  ...{ path: `/api/users/${nobody}${suffix}`, status: 404, code: "not_found" },
  ...(body === undefined ? {} : { body }),
});
const noSession = { session_token: `noetl_ses_${"0".repeat(24)}_${"A".repeat(43)}` };

export const accessCases: { readonly [Name in keyof typeof accessRoutes]: RouteCase } = {
  me: {
    path: "/api/me",
    answer: { subject: "local", kind: "person", tenant: "default", role: "admin", platform: true },
    refused: [],
  },
  listUsers: {
    path: "/api/users?tenant=default&limit=1",
    answer: { users: [{ disabled: false, memberships: [{ tenant: "default", role: "admin" }] }] },
    refused: ["limit=x", "limit=-1", "after=%00", "tenant=", "tenant=No%20Name"].map((query) => ({
      ...{ path: `/api/users?${query}`, status: 422, code: "invalid" },
    })),
  },
  createUser: {
    path: "/api/users",
    body: { email: "New@Example.org", name: "New", role: "editor" },
    answer: { email: "new@example.org", name: "New", memberships: [{ role: "editor" }] },
    refused: [
      ...badBodies,
      invalid({ email: "nowhere" }),
      invalid({ email: "a b@example.org" }),
      invalid({ email: "a\u0000@example.org" }),
      invalid({ email: `${"a".repeat(400)}@example.org` }),
      invalid({ email: "a@example.org", role: "owner" }),
      invalid({ email: "a@example.org", tenant: "../up" }),
      invalid({ email: "a@example.org", tenant: "*", role: "viewer" }),
      { body: { email: "ADA@example.org" }, status: 409, code: "conflict" },
    ],
  },
  getUser: {
    path: "/api/users/$user",
    answer: { user_id: "$user", email: "ada@example.org", disabled: false },
    refused: [noUser(), { path: "/api/users/%00", status: 422, code: "invalid" }],
  },
  changeUser: {
    path: "/api/users/$user",
    body: { name: null, disabled: true },
    answer: { user_id: "$user", name: null, disabled: true },
    refused: [
      ...badBodies,
      invalid({ name: 1 }),
      invalid({ name: "a\u0000" }),
      invalid({ disabled: "yes" }),
      noUser("", { disabled: true }),
    ],
  },
  deleteUser: {
    path: "/api/users/$user",
    answer: { deleted: true, user_id: "$user" },
    refused: [noUser()],
  },
  putMembership: {
    path: "/api/users/$user/membership",
    body: { role: "operator" },
    answer: { user_id: "$user", memberships: [{ tenant: "default", role: "operator" }] },
    refused: [
      ...badBodies,
      invalid({}),
      invalid({ role: "root" }),
      invalid({ role: "viewer", tenant: "*" }),
      noUser("/membership", { role: "viewer" }),
    ],
  },
  deleteMembership: {
    path: "/api/users/$user/membership",
    answer: { deleted: true, user_id: "$user", tenant: "default" },
    refused: [noUser("/membership")],
  },
  listTokens: {
    path: "/api/tokens?user_id=$user",
    answer: { tokens: [{ user_id: "$user", name: "first", role: "viewer" }] },
    refused: [
      { path: "/api/tokens?limit=x", status: 422, code: "invalid" },
      { path: "/api/tokens?user_id=%00", status: 422, code: "invalid" },
      { path: `/api/tokens?user_id=${nobody}`, status: 404, code: "not_found" },
    ],
  },
  createToken: {
    path: "/api/tokens",
    body: { name: "ci", role: "operator", expires_in_seconds: 60, user_id: "$user" },
    answer: { user_id: "$user", name: "ci", role: "operator", tenant: "default" },
    refused: [
      ...badBodies,
      invalid({}),
      invalid({ name: "" }),
      invalid({ name: "a\u0000" }),
      invalid({ name: "ci", role: "root" }),
      ...[0, -1, 1.5, 1e9, "60"].map((expires_in_seconds) =>
        invalid({ name: "ci", expires_in_seconds }),
      ),
      { body: { name: "ci" }, status: 409, code: "conflict" },
      { body: { name: "ci", user_id: nobody }, status: 404, code: "not_found" },
    ],
  },
  deleteToken: {
    path: "/api/tokens/$pat",
    answer: { revoked: true, token_id: "$pat" },
    refused: [{ path: "/api/tokens/unknown", status: 404, code: "not_found" }],
  },
  openSession: {
    path: "/api/auth/session",
    body: { claims: { sub: "7", email: "ada@example.org", email_verified: true } },
    answer: { status: "authenticated", tenant: "default", user: { user_id: "$user" } },
    refused: [
      ...badBodies,
      invalid({ claims: [] }),
      invalid({ claims: {} }),
      invalid({ claims: { sub: "7" } }),
      invalid({ claims: { sub: "7", email: 7 } }),
      {
        body: { claims: { sub: "8", email: "new@example.org", email_verified: true } },
        ...{ status: 403, code: "forbidden" },
      },
      {
        body: { claims: { sub: "8", email: "ada@example.org" } },
        ...{ status: 403, code: "forbidden" },
      },
    ],
  },
  validateSession: {
    path: "/api/auth/session/validate",
    body: noSession,
    answer: { status: "ok", valid: false },
    refused: [...badBodies, invalid({}), invalid({ session_token: 1 })],
  },
  logout: {
    path: "/api/auth/logout",
    answer: { status: "success", revoked: false },
    refused: [],
  },
  checkPlaybookAccess: {
    path: "/api/auth/check-playbook-access",
    body: { ...noSession, playbook_path: "t/routes", action: "execute" },
    answer: { status: "ok", data: { allowed: false, user: null } },
    refused: [
      ...badBodies,
      invalid({ ...noSession }),
      invalid({ ...noSession, playbook_path: "t/routes" }),
      invalid({ ...noSession, playbook_path: "t/routes", action: "own" }),
      invalid({ ...noSession, playbook_path: "", action: "view" }),
    ],
  },
};
