// Who may sign in: people, memberships, tokens, sessions.

import type { Elysia } from "elysia";
import { admissionOf, principalOf, tenantFor } from "#control/access/admission";
import {
  type Asker,
  addPerson,
  changePerson,
  listPeople,
  type PeopleContext,
  type Person,
  personOf,
  putMembership,
  removeMembership,
  removePerson,
} from "#control/access/people";
import { goodToken, mayWithPlaybook, openSession } from "#control/access/sessions";
import { createToken, listTokens, revokeToken } from "#control/access/tokens";
import type { Executions } from "#control/services/executions";
import { type Role, tenantPlatform } from "#core/model/access";
import { Fault } from "#core/model/fault";
import type { JsonObject } from "#core/model/json";
import type { AccessToken, User } from "#core/ports/access-store";
import { api, pageSize } from "#core/wire/api";
import { mount } from "./mount.ts";

export function accessRoutes(app: Elysia, { context }: Executions): void {
  mount(app, api.me, async (_parts, http) => {
    const { subject, kind, tenant, role, platform = false, userId, via } = principalOf(http);
    return {
      ...{ subject, kind, tenant, role, platform },
      ...(userId === undefined ? {} : { user_id: userId }),
      ...(via === undefined ? {} : { via }),
    };
  });
  userRoutes(app, context);
  membershipRoutes(app, context);
  tokenRoutes(app, context);
  sessionRoutes(app, context);
  playbookAccessRoute(app, context);
}

/** Who runs the installation asks about all of it, or about the tenant that they name. */
function askerOf(http: Request, asked?: string): Asker {
  const who = principalOf(http);
  const isAll = who.platform === true && asked === undefined;
  return { who, tenant: isAll ? undefined : tenantNamed(http, asked) };
}

/** As `tenantFor`, and the tenant of the installation itself for who runs it. */
function tenantNamed(http: Request, asked?: string): string {
  const isPlatform = asked === tenantPlatform && principalOf(http).platform === true;
  return isPlatform ? tenantPlatform : tenantFor(http, asked);
}

function userRoutes(app: Elysia, context: PeopleContext): void {
  mount(app, api.listUsers, async ({ query }, http) => {
    const { after, limit, tenant } = query;
    const size = pageSize(limit);
    const asked = { limit: size, ...(after === undefined ? {} : { after }) };
    const people = await listPeople(context, askerOf(http, tenant), asked);
    const last = people.length < size ? undefined : people.at(-1);
    return { users: people.map(userView), next_after: last?.userId ?? null };
  });
  mount(app, api.createUser, async ({ body }, http) => {
    const { email, name, role = "viewer", tenant } = body;
    const person = await addPerson(context, principalOf(http), {
      ...{ email, role, tenant: tenantNamed(http, tenant) },
      ...(name === undefined ? {} : { name }),
    });
    return userView(person);
  });
  mount(app, api.getUser, async ({ params }, http) =>
    userView(await personOf(context, askerOf(http), params.user_id)),
  );
  mount(app, api.changeUser, async ({ params, body }, http) => {
    const change = { userId: params.user_id, ...body };
    return userView(await changePerson(context, askerOf(http), change));
  });
  mount(app, api.deleteUser, async ({ params }, http) => {
    await removePerson(context, askerOf(http), params.user_id);
    return { deleted: true, user_id: params.user_id };
  });
}

function membershipRoutes(app: Elysia, context: PeopleContext): void {
  mount(app, api.putMembership, async ({ params, body }, http) => {
    const tenant = tenantNamed(http, body.tenant);
    const membership = { userId: params.user_id, tenant, role: body.role };
    return userView(await putMembership(context, askerOf(http), membership));
  });
  mount(app, api.deleteMembership, async ({ params, query }, http) => {
    const tenant = tenantNamed(http, query.tenant);
    const membership = { userId: params.user_id, tenant };
    const deleted = await removeMembership(context, askerOf(http), membership);
    return { deleted, user_id: params.user_id, tenant };
  });
}

function tokenRoutes(app: Elysia, context: PeopleContext): void {
  mount(app, api.listTokens, async ({ query }, http) => {
    const { user_id: userId, limit } = query;
    const tokens = await listTokens(context, principalOf(http), {
      limit: pageSize(limit),
      ...(userId === undefined ? {} : { userId }),
    });
    return { tokens: tokens.map(tokenView) };
  });
  mount(app, api.createToken, async ({ body }, http) => {
    const { name, role, expires_in_seconds: lifeSeconds, user_id: userId } = body;
    const { token, text } = await createToken(context, principalOf(http), {
      name,
      ...(role === undefined ? {} : { role }),
      ...(lifeSeconds === undefined ? {} : { lifeSeconds }),
      ...(userId === undefined ? {} : { userId }),
    });
    return { ...tokenView(token), token: text };
  });
  mount(app, api.deleteToken, async ({ params }, http) => {
    const revoked = await revokeToken(context, principalOf(http), params.token_id);
    return { revoked, token_id: params.token_id };
  });
  mount(app, api.logout, async (_parts, http) => {
    const who = principalOf(http);
    const { tokenId } = who;
    const revoked = tokenId !== undefined && (await revokeToken(context, who, tokenId));
    return { status: "success" as const, revoked };
  });
}

function sessionRoutes(app: Elysia, context: PeopleContext): void {
  mount(app, api.openSession, async ({ body }, http) => {
    const { claims, tenant, expires_in_seconds: lifeSeconds } = body;
    const asked = { who: principalOf(http), signIn: admissionOf(http).signIn ?? {} };
    const { text, token, user, role } = await openSession(context, asked, {
      // Out of a body that was parsed as JSON.
      claims: claims as JsonObject,
      ...(tenant === undefined ? {} : { tenant }),
      ...(lifeSeconds === undefined ? {} : { lifeSeconds }),
    });
    return {
      status: "authenticated" as const,
      session_token: text,
      expires_at: timeOf(token.expiresAtMs) ?? "",
      tenant: token.tenant,
      user: signedInView(user, role),
    };
  });
  mount(app, api.validateSession, async ({ body }) => {
    const known = await goodToken(context, body.session_token);
    if (known === undefined) {
      return { status: "ok" as const, valid: false, error: "the session is not valid" };
    }
    const { token, user, principal } = known;
    return {
      ...{ status: "ok" as const, valid: true, tenant: principal.tenant },
      user: signedInView(user, principal.role),
      expires_at: timeOf(token.expiresAtMs),
    };
  });
}

type PlaybookContext = PeopleContext & Pick<Executions["context"], "catalog">;

function playbookAccessRoute(app: Elysia, context: PlaybookContext): void {
  mount(app, api.checkPlaybookAccess, async ({ body }) => {
    const { session_token: text, playbook_path: path } = body;
    const action = body.action ?? body.permission_type;
    if (action === undefined) throw new Fault("invalid", "action: expected execute, view or edit");
    const known = await goodToken(context, text);
    if (known === undefined) return checked(false, null, "the session is not valid");
    const { principal, user } = known;
    const view = signedInView(user, principal.role);
    if (!mayWithPlaybook(principal, action)) {
      return checked(false, view, `role ${principal.role} may not ${action} playbooks`);
    }
    const found = await context.catalog.byPath(principal.tenant, path);
    // What isn't there yet may be made by who may change playbooks.
    const isThere = found !== undefined || action === "edit";
    return checked(isThere, view, isThere ? "allowed" : `playbook ${path} does not exist`);
  });
}

function checked(allowed: boolean, user: ReturnType<typeof signedInView> | null, message: string) {
  return { status: "ok" as const, data: { allowed, user, message } };
}

function signedInView({ userId, email, name }: User, role: Role) {
  return { user_id: userId, email, display_name: name ?? null, roles: [role] };
}

function userView({ userId, email, name, disabledAtMs, createdAtMs, memberships }: Person) {
  return {
    ...{ user_id: userId, email, name: name ?? null, disabled: disabledAtMs !== undefined },
    created_at: new Date(createdAtMs).toISOString(),
    memberships: memberships.map(({ tenant, role }) => ({ tenant, role })),
  };
}

function tokenView(token: AccessToken) {
  const { tokenId, kind, userId, tenant, role, platform, name = null } = token;
  return {
    ...{ token_id: tokenId, kind, user_id: userId, tenant, role, platform, name },
    created_at: new Date(token.createdAtMs).toISOString(),
    expires_at: timeOf(token.expiresAtMs),
    last_used_at: timeOf(token.lastUsedAtMs),
    revoked_at: timeOf(token.revokedAtMs),
  };
}

function timeOf(atMs: number | undefined): string | null {
  return atMs === undefined ? null : new Date(atMs).toISOString();
}
