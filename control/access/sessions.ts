// Sessions of people who have signed in elsewhere: the gateway hands over the claims that it has
// verified and gets a token that stands for the person.

import { atLeast, type Principal, type Role, tenantPlatform } from "#core/model/access";
import { sessionLifeSecondsDefault } from "#core/model/access-limits";
import { Fault } from "#core/model/fault";
import type { JsonObject } from "#core/model/json";
import type { Membership, User } from "#core/ports/access-store";
import type { PeopleContext } from "./people.ts";
import { claimsToMembership, type SignIn } from "./sign-in.ts";
import { type CheckedToken, tokenCheck } from "./token-check.ts";
import { mintUserId } from "./token-text.ts";
import { type MadeToken, storeToken } from "./tokens.ts";

export interface SignedIn {
  readonly claims: JsonObject;
  readonly tenant?: string;
  readonly lifeSeconds?: number;
}

export interface Session extends MadeToken {
  readonly user: User;
  readonly role: Role;
}

/**
 * Never for who runs the installation: no machine could then make itself one.
 * @throws Fault `invalid` for claims of nobody, `forbidden` for who is no member of the tenant.
 */
export async function openSession(
  context: PeopleContext,
  { who, signIn }: { readonly who: Principal; readonly signIn: SignIn },
  asked: SignedIn,
): Promise<Session> {
  const { claims } = asked;
  const claimed = claimsToMembership(signIn, claims);
  const user = await signedInUser(context, claims, claimed !== undefined);
  if (user.disabledAtMs !== undefined) throw notLetIn();
  if (claimed !== undefined) {
    const createdAtMs = context.clock.nowMs();
    // Of the last administrator the claim takes nothing away: somebody has to be left.
    await context.people.putMembership({ userId: user.userId, ...claimed, createdAtMs });
    tokenCheck(context).forget();
  }
  const all = await context.people.memberships({ userIds: [user.userId] });
  const ownTenants = all.filter((one) => one.tenant !== tenantPlatform);
  const { tenant, role } = chosen(ownTenants, asked.tenant ?? claimed?.tenant);
  const made = await storeToken(context, {
    ...{ who, owner: user, tenant, role, kind: "session" },
    lifeSeconds: asked.lifeSeconds ?? sessionLifeSecondsDefault,
  });
  return { ...made, user, role };
}

function chosen(all: readonly Membership[], tenant: string | undefined): Membership {
  const [first, ...more] = all;
  if (tenant === undefined && more.length > 0) {
    throw new Fault("invalid", "the person is a member of several tenants, expected tenant");
  }
  const found = tenant === undefined ? first : all.find((one) => one.tenant === tenant);
  if (found === undefined) throw notLetIn();
  return found;
}

/** The user of the claims: by subject, or by an address that the provider has checked. */
async function signedInUser(
  { people, clock }: PeopleContext,
  claims: JsonObject,
  isClaimed: boolean,
): Promise<User> {
  const { subject, email, name, isVerified } = claimedPerson(claims);
  const known = await people.user({ subject });
  if (known !== undefined) return known;
  const sameAddress = await people.user({ email });
  if (sameAddress !== undefined && (!isVerified || sameAddress.subject !== undefined)) {
    throw new Fault("forbidden", "the address is that of a user who signs in otherwise");
  }
  if (sameAddress === undefined && !isClaimed) throw notLetIn();
  const user: User = {
    ...(sameAddress ?? { userId: mintUserId(), email, createdAtMs: clock.nowMs() }),
    ...(name === undefined ? {} : { name }),
    subject,
  };
  if ((await people.putUser(user)) !== "done") {
    throw new Fault("conflict", "somebody else has just signed in with the address or the subject");
  }
  return user;
}

function claimedPerson({ iss, sub, email, name, email_verified: isVerified }: JsonObject) {
  if (typeof sub !== "string" || sub === "") throw new Fault("invalid", "claims: expected sub");
  if (typeof email !== "string" || !/^[^\s@]+@[^\s@]+$/.test(email)) {
    throw new Fault("invalid", "claims: expected email");
  }
  return {
    // Two providers may call different people the same.
    subject: typeof iss === "string" ? `${iss}|${sub}` : sub,
    email: email.toLowerCase(),
    isVerified: isVerified === true,
    ...(typeof name === "string" && name !== "" ? { name } : {}),
  };
}

function notLetIn(): Fault {
  return new Fault("forbidden", "the person is a member of no tenant that they could sign in to");
}

/** Undefined for a token that is not good. */
export async function goodToken(
  context: PeopleContext,
  text: string,
): Promise<CheckedToken | undefined> {
  try {
    return await tokenCheck(context).check(text);
  } catch (thrown) {
    if (thrown instanceof Fault && thrown.code === "unauthenticated") return undefined;
    throw thrown;
  }
}

const neededFor = { view: "viewer", execute: "operator", edit: "editor" } as const;

export type PlaybookAction = keyof typeof neededFor;

/** Whether a person's role is enough for what they want to do with a playbook. */
export function mayWithPlaybook({ role }: Principal, action: PlaybookAction): boolean {
  return atLeast(role, neededFor[action]);
}
