// Who may sign in: people, memberships, tokens, and the sessions of whoever signs in elsewhere. An
// answer holds a token once, when it is made, and never a digest.

import { type } from "arktype";
import { sessionLifeSecondsMax, tokenLifeSecondsMax } from "#core/model/access-limits";
import { route } from "./route.ts";
import { countText, map, name, someName, strings, tenantName } from "./shapes.ts";

const tag = "access";

export const roleName = type("'viewer' | 'operator' | 'editor' | 'admin'");
/** One address of one person; what it looks like is not checked any further. */
const email = name
  .and(/^[^\s@]+@[^\s@]+$/)
  .and("string <= 320")
  .describe("an e-mail address");
const personName = name.and("string <= 200");
const userParams = type({ user_id: someName });
const time = type("string | null");

const membership = type({ tenant: "string", role: roleName });

/** Memberships of other tenants are shown to who runs the installation alone. */
const user = type({
  user_id: "string",
  email: "string",
  name: "string | null",
  disabled: "boolean",
  created_at: "string",
  memberships: membership.array(),
});

const token = type({
  token_id: "string",
  kind: "'personal' | 'session'",
  user_id: "string",
  tenant: "string",
  role: roleName,
  platform: "boolean",
  name: "string | null",
  created_at: "string",
  expires_at: time,
  last_used_at: time,
  revoked_at: time,
});

const signedIn = type({
  user_id: "string",
  email: "string",
  display_name: "string | null",
  roles: strings,
});

const sessionToken = type("string");
const seconds = (max: number) => type(`1 <= number.integer <= ${max}` as "number");

export const accessRoutes = {
  me: route(
    "GET /api/me",
    {
      summary: "Who you are to this installation",
      description: "The tenant that you act for, the role in it, and how you proved who you are.",
      ...{ tag, access: ["person", "machine"] },
    },
    {
      answer: type({
        subject: "string",
        kind: "'person' | 'machine'",
        tenant: "string",
        role: roleName,
        platform: "boolean",
        "user_id?": "string",
        "via?": "string",
      }),
    },
  ),
  listUsers: route(
    "GET /api/users",
    {
      summary: "The people of a tenant, by id",
      description: "Who runs the installation sees everybody, or those of `tenant`.",
      ...{ tag, access: "admin" },
    },
    {
      query: type({ "after?": name, "limit?": countText, "tenant?": tenantName }),
      answer: type({ users: user.array(), next_after: "string | null" }),
    },
  ),
  createUser: route(
    "POST /api/users",
    {
      summary: "Make somebody a member of the tenant",
      description:
        "A person who is known by the address already gets the membership. They act with a token " +
        "that is made for them, or with a session after they have signed in.",
      ...{ tag, access: "admin" },
    },
    {
      body: type({
        email,
        "name?": personName,
        "role?": roleName,
        "tenant?": tenantName,
      }),
      answer: user,
    },
  ),
  getUser: route(
    "GET /api/users/:user_id",
    { summary: "One person of the tenant", ...{ tag, access: "admin" } },
    { params: userParams, answer: user },
  ),
  changeUser: route(
    "PUT /api/users/:user_id",
    {
      summary: "Rename, disable or enable somebody",
      description:
        "Somebody disabled is refused everywhere; their tokens stay, and work again later.",
      ...{ tag, access: "admin" },
    },
    {
      params: userParams,
      body: type({ "name?": personName.or("null"), "disabled?": "boolean" }),
      answer: user,
    },
  ),
  deleteUser: route(
    "DELETE /api/users/:user_id",
    {
      summary: "Remove somebody with all of their tokens",
      description: "The last administrator of a tenant can't be removed.",
      ...{ tag, access: "admin" },
    },
    { params: userParams, answer: type({ deleted: "boolean", user_id: "string" }) },
  ),
  putMembership: route(
    "PUT /api/users/:user_id/membership",
    {
      summary: "Give somebody a role in the tenant",
      description: "Tokens with a higher role act with this one from then on.",
      ...{ tag, access: "admin" },
    },
    {
      params: userParams,
      body: type({ role: roleName, "tenant?": tenantName }),
      answer: user,
    },
  ),
  deleteMembership: route(
    "DELETE /api/users/:user_id/membership",
    {
      summary: "Take somebody out of the tenant",
      description: "Their tokens of this tenant are refused from then on.",
      ...{ tag, access: "admin" },
    },
    {
      params: userParams,
      query: type({ "tenant?": tenantName }),
      answer: type({ deleted: "boolean", user_id: "string", tenant: "string" }),
    },
  ),
  listTokens: route(
    "GET /api/tokens",
    {
      summary: "Your tokens, newest first",
      description: "An administrator may ask for those of a person of the tenant.",
      ...{ tag, access: "person" },
    },
    {
      query: type({ "user_id?": name, "limit?": countText }),
      answer: type({ tokens: token.array() }),
    },
  ),
  createToken: route(
    "POST /api/tokens",
    {
      summary: "Make a token, which is shown this once",
      description:
        "For yourself, or by an administrator for a person of the tenant. It has the role that is " +
        "asked for, and never more than its owner has.",
      ...{ tag, access: "person" },
    },
    {
      body: type({
        name: personName.and("string >= 1"),
        "role?": roleName,
        "expires_in_seconds?": seconds(tokenLifeSecondsMax),
        "user_id?": someName,
      }),
      answer: token.and({ token: "string" }),
    },
  ),
  deleteToken: route(
    "DELETE /api/tokens/:token_id",
    {
      summary: "Revoke a token",
      description: "Other replicas refuse it within five seconds.",
      ...{ tag, access: "person" },
    },
    {
      params: type({ token_id: someName }),
      answer: type({ revoked: "boolean", token_id: "string" }),
    },
  ),
  openSession: route(
    "POST /api/auth/session",
    {
      summary: "Open a session for somebody who has signed in",
      description:
        "The gateway hands over claims that it has verified. Which tenant and role they come to is " +
        "said by the settings NOETL_SIGN_IN_*, or by what an administrator has given the person.",
      ...{ tag, access: "machine" },
    },
    {
      body: type({
        claims: map,
        "tenant?": tenantName,
        "expires_in_seconds?": seconds(sessionLifeSecondsMax),
      }),
      answer: type({
        status: "'authenticated'",
        session_token: "string",
        expires_at: "string",
        tenant: "string",
        user: signedIn,
      }),
    },
  ),
  validateSession: route(
    "POST /api/auth/session/validate",
    {
      summary: "Whether a session is still good, and whose it is",
      ...{ tag, access: "machine" },
    },
    {
      body: type({ session_token: sessionToken }),
      answer: type({
        status: "'ok'",
        valid: "boolean",
        "user?": signedIn,
        "tenant?": "string",
        "expires_at?": time,
        "error?": "string",
      }),
    },
  ),
  logout: route(
    "POST /api/auth/logout",
    {
      summary: "Revoke the token or session that this request came with",
      ...{ tag, access: "person" },
    },
    { answer: type({ status: "'success'", revoked: "boolean" }) },
  ),
  checkPlaybookAccess: route(
    "POST /api/auth/check-playbook-access",
    {
      summary: "Whether the holder of a session may view, run or change a playbook",
      ...{ tag, access: "machine" },
    },
    {
      body: type({
        session_token: sessionToken,
        playbook_path: someName,
        "action?": "'execute' | 'view' | 'edit'",
        /** What the gateway's own contract calls it. */
        "permission_type?": "'execute' | 'view' | 'edit'",
      }),
      answer: type({
        status: "'ok'",
        data: type({ allowed: "boolean", user: signedIn.or("null"), message: "string" }),
      }),
    },
  ),
} as const;
