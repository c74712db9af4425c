// Tokens of people: made, listed and revoked by themselves, or by an administrator of the tenant.
// One never does more than who made it, nor more than whose it is.

import { atLeast, lowerRole, type Principal, type Role, tenantPlatform } from "#core/model/access";
import { tokenLifeSecondsDefault, tokensOfUserMax } from "#core/model/access-limits";
import { Fault } from "#core/model/fault";
import type { AccessToken, User } from "#core/ports/access-store";
import { audited } from "./audit.ts";
import { checkTenantRole, type PeopleContext } from "./people.ts";
import { tokenCheck } from "./token-check.ts";
import { mintToken } from "./token-text.ts";

export interface MadeToken {
  readonly token: AccessToken;
  /** Told once. */
  readonly text: string;
}

export interface NewToken {
  readonly name: string;
  readonly role?: Role;
  readonly lifeSeconds?: number;
  /** Somebody else of the tenant. */
  readonly userId?: string;
}

/**
 * @throws Fault `forbidden` for a higher role than is had, `not_found` for somebody who is no
 * member, `conflict` for who is no user, or has too many.
 */
export async function createToken(
  context: PeopleContext,
  who: Principal,
  asked: NewToken,
): Promise<MadeToken> {
  const { people } = context;
  const owner = await ownerOf(context, who, asked.userId);
  const tenant = await tenantOfToken(context, who, owner);
  const [membership] = await people.memberships({ userIds: [owner.userId], tenant });
  if (membership === undefined) throw noUser(owner.userId);
  const most = tenant === tenantPlatform ? membership.role : lowerRole(membership.role, who.role);
  const { role = most } = asked;
  if (!atLeast(most, role)) {
    throw new Fault("forbidden", `expected a role of at most ${most}, found ${role}`);
  }
  checkTenantRole(tenant, role);
  await checkCount(context, owner.userId, tenant);
  return storeToken(context, {
    ...{ who, owner, tenant, role, kind: "personal", name: asked.name },
    lifeSeconds: asked.lifeSeconds ?? tokenLifeSecondsDefault,
  });
}

/** Whose the token will be: who asks, or somebody whom only an administrator may name. */
async function ownerOf(
  { people }: PeopleContext,
  who: Principal,
  userId: string | undefined,
): Promise<User> {
  if (userId === undefined || userId === who.userId) {
    const own =
      who.userId === undefined
        ? await people.user({ subject: who.subject })
        : await people.user({ userId: who.userId });
    if (own !== undefined) return own;
    throw new Fault("conflict", `${who.subject} is no user here, expected user_id of one`);
  }
  if (!atLeast(who.role, "admin")) {
    throw new Fault("forbidden", `expected role admin for tokens of others, found ${who.role}`);
  }
  const user = await people.user({ userId });
  if (user === undefined) throw noUser(userId);
  return user;
}

/** That of who asks; who runs the installation may make tokens for it, and for others like them. */
async function tenantOfToken(
  { people }: PeopleContext,
  who: Principal,
  { userId }: User,
): Promise<string> {
  if (who.platform !== true) return who.tenant;
  const memberships = await people.memberships({ userIds: [userId] });
  const tenants = memberships.map(({ tenant }) => tenant);
  if (tenants.includes(tenantPlatform)) return tenantPlatform;
  const [only, ...more] = tenants;
  if (only === undefined) throw noUser(userId);
  return more.length === 0 || !tenants.includes(who.tenant) ? only : who.tenant;
}

async function checkCount(
  { people, clock }: PeopleContext,
  userId: string,
  tenant: string,
): Promise<void> {
  const tokens = await people.tokens({ userId, tenant, limit: 2 * tokensOfUserMax });
  const nowMs = clock.nowMs();
  const good = tokens.filter((token) => !isOver(token, nowMs) && token.kind === "personal");
  if (good.length < tokensOfUserMax) return;
  throw new Fault("conflict", `expected at most ${tokensOfUserMax} tokens, revoke some first`);
}

function isOver({ expiresAtMs, revokedAtMs }: AccessToken, nowMs: number): boolean {
  return revokedAtMs !== undefined || (expiresAtMs !== undefined && expiresAtMs <= nowMs);
}

export interface StoredToken {
  /** Who made it; told in the audit log. */
  readonly who: Principal;
  readonly owner: Pick<User, "userId" | "email">;
  readonly tenant: string;
  readonly role: Role;
  readonly kind: AccessToken["kind"];
  readonly name?: string;
  readonly lifeSeconds: number;
}

/** Stores a token that may be had, and writes down who made it. */
export async function storeToken(context: PeopleContext, asked: StoredToken): Promise<MadeToken> {
  const { people, sha256, clock } = context;
  const { who, owner, tenant, role, kind, name, lifeSeconds } = asked;
  const { text, tokenId, digest } = mintToken(kind, sha256);
  const nowMs = clock.nowMs();
  const token: AccessToken = {
    ...{ tokenId, kind, userId: owner.userId, tenant, role, digest, createdAtMs: nowMs },
    platform: tenant === tenantPlatform,
    ...(name === undefined ? {} : { name }),
    expiresAtMs: nowMs + lifeSeconds * 1000,
  };
  if ((await people.putToken(token)) === "absent") throw noUser(owner.userId);
  await audited(context, who, {
    ...{ action: kind === "session" ? "session.open" : "token.create", object: `token/${tokenId}` },
    ...{ tenant, about: { user: owner.email, role } },
  });
  return { token, text };
}

export interface TokensAsked {
  readonly userId?: string;
  readonly limit: number;
}

/**
 * Own tokens; an administrator's question may be about somebody of the tenant.
 * @throws Fault `forbidden` for those of others without the role, `not_found` for no member.
 */
export async function listTokens(
  { people }: PeopleContext,
  who: Principal,
  { userId, limit }: TokensAsked,
): Promise<readonly AccessToken[]> {
  if (userId !== undefined && userId !== who.userId && !atLeast(who.role, "admin")) {
    throw new Fault("forbidden", `expected role admin for tokens of others, found ${who.role}`);
  }
  const scope = who.platform === true ? {} : { tenant: who.tenant };
  if (userId !== undefined && userId !== who.userId) {
    const [membership] = await people.memberships({ userIds: [userId], ...scope });
    if (membership === undefined) throw noUser(userId);
  }
  const asked = userId ?? who.userId ?? (await people.user({ subject: who.subject }))?.userId;
  if (asked === undefined) return [];
  return people.tokens({ userId: asked, limit, ...scope });
}

/**
 * @returns false for one that was revoked before.
 * @throws Fault `not_found` for one that isn't theirs to revoke.
 */
export async function revokeToken(
  context: PeopleContext,
  who: Principal,
  tokenId: string,
): Promise<boolean> {
  const { people, clock } = context;
  const known = await people.tokenById(tokenId);
  if (known === undefined || !mayRevoke(who, known.token)) {
    throw new Fault("not_found", `token ${tokenId} does not exist`);
  }
  const isRevoked = await people.revokeToken(tokenId, clock.nowMs());
  tokenCheck(context).forget();
  if (isRevoked) {
    const { tenant } = known.token;
    await audited(context, who, { action: "token.revoke", object: `token/${tokenId}`, tenant });
  }
  return isRevoked;
}

function mayRevoke(who: Principal, { userId, tenant }: AccessToken): boolean {
  if (who.platform === true) return true;
  if (tenant !== who.tenant) return false;
  return userId === who.userId || atLeast(who.role, "admin");
}

function noUser(userId: string): Fault {
  return new Fault("not_found", `user ${userId} does not exist`);
}
