// What administrators do with people: make them members of a tenant, change what they may do, take
// them out. Of people who are members elsewhere too, a tenant's administrator changes the membership
// alone; somebody of another tenant is somebody who doesn't exist.

import type { ControlContext } from "#control/services/context";
import { type Principal, type Role, tenantPlatform } from "#core/model/access";
import { Fault } from "#core/model/fault";
import type { AccessStore, Membership, PeopleChange, User } from "#core/ports/access-store";
import type { Clock } from "#core/ports/clock";
import { audited } from "./audit.ts";
import { tokenCheck } from "./token-check.ts";
import { mintUserId } from "./token-text.ts";

export interface PeopleContext
  extends Pick<ControlContext, "people" | "audit" | "sha256" | "report"> {
  readonly clock: Pick<Clock, "nowMs">;
}

export interface Person extends User {
  readonly memberships: readonly Membership[];
}

/** Who asks, and the tenant that it is about; undefined for who runs the installation: all of them. */
export interface Asker {
  readonly who: Principal;
  readonly tenant: string | undefined;
}

export interface NewPerson {
  readonly email: string;
  readonly name?: string;
  readonly role: Role;
  readonly tenant: string;
}

/** People of the tenant, by id. */
export async function listPeople(
  { people }: PeopleContext,
  { tenant }: Asker,
  page: { readonly after?: string; readonly limit: number },
): Promise<readonly Person[]> {
  const users = await people.users({ ...page, ...(tenant === undefined ? {} : { tenant }) });
  return withMemberships(people, users, tenant);
}

/** @throws Fault `not_found` for somebody who is no member of the tenant. */
export async function personOf(
  { people }: PeopleContext,
  { tenant }: Asker,
  userId: string,
): Promise<Person> {
  const user = await people.user({ userId });
  const [person] = user === undefined ? [] : await withMemberships(people, [user], tenant);
  if (person === undefined) throw noPerson(userId);
  if (tenant !== undefined && person.memberships.length === 0) throw noPerson(userId);
  return person;
}

/** Makes somebody a member, known or new. */
export async function addPerson(
  context: PeopleContext,
  who: Principal,
  { email, name, role, tenant }: NewPerson,
): Promise<Person> {
  const { people, clock } = context;
  checkTenantRole(tenant, role);
  const nowMs = clock.nowMs();
  const address = email.toLowerCase();
  const known = await people.user({ email: address });
  const user = known ?? {
    userId: mintUserId(),
    email: address,
    ...(name === undefined ? {} : { name }),
    createdAtMs: nowMs,
  };
  const [member] = await people.memberships({ userIds: [user.userId], tenant });
  if (member !== undefined) {
    throw new Fault("conflict", `${address} is a member of tenant ${tenant} already`);
  }
  if (known === undefined) check(await people.putUser(user), user.userId);
  const membership = { userId: user.userId, tenant, role, createdAtMs: nowMs };
  check(await people.putMembership(membership), user.userId);
  tokenCheck(context).forget();
  const about = { email: address, role };
  await audited(context, who, { action: "user.add", object: `user/${user.userId}`, tenant, about });
  return { ...user, memberships: [membership] };
}

/** @throws Fault `forbidden` for members of other tenants, `conflict` for the last administrator. */
export async function changePerson(
  context: PeopleContext,
  asker: Asker,
  change: { readonly userId: string; readonly name?: string | null; readonly disabled?: boolean },
): Promise<Person> {
  const { people, clock } = context;
  const { userId, name, disabled } = change;
  const person = await wholePerson(context, asker, userId);
  const { memberships, disabledAtMs, name: oldName, ...rest } = person;
  const newName = name === undefined ? oldName : (name ?? undefined);
  const isDisabled = disabled ?? disabledAtMs !== undefined;
  const user: User = {
    ...rest,
    ...(newName === undefined ? {} : { name: newName }),
    ...(isDisabled ? { disabledAtMs: disabledAtMs ?? clock.nowMs() } : {}),
  };
  check(await people.putUser(user), userId);
  tokenCheck(context).forget();
  const about = disabled === undefined ? {} : { about: { disabled } };
  await auditPerson(context, asker, { action: "user.change", userId, ...about });
  return { ...user, memberships };
}

/** @throws Fault `forbidden` for members of other tenants, `conflict` for the last administrator. */
export async function removePerson(
  context: PeopleContext,
  asker: Asker,
  userId: string,
): Promise<void> {
  const { email } = await wholePerson(context, asker, userId);
  check(await context.people.removeUser(userId), userId);
  tokenCheck(context).forget();
  await auditPerson(context, asker, { action: "user.remove", userId, about: { email } });
}

/** Gives a role in a tenant; who runs the installation may make anybody a member of any. */
export async function putMembership(
  context: PeopleContext,
  asker: Asker,
  {
    userId,
    tenant,
    role,
  }: { readonly userId: string; readonly tenant: string; readonly role: Role },
): Promise<Person> {
  checkTenantRole(tenant, role);
  await personOf(context, asker, userId);
  const createdAtMs = context.clock.nowMs();
  check(await context.people.putMembership({ userId, tenant, role, createdAtMs }), userId);
  tokenCheck(context).forget();
  const entry = { action: "membership.put", userId, about: { role } };
  await auditPerson(context, { ...asker, tenant }, entry);
  return personOf(context, asker, userId);
}

export async function removeMembership(
  context: PeopleContext,
  asker: Asker,
  { userId, tenant }: { readonly userId: string; readonly tenant: string },
): Promise<boolean> {
  await personOf(context, asker, userId);
  const did = await context.people.removeMembership(userId, tenant);
  if (did === "absent") return false;
  check(did, userId);
  tokenCheck(context).forget();
  await auditPerson(context, { ...asker, tenant }, { action: "membership.remove", userId });
  return true;
}

/** A person of whom the asker may change everything: a member of no other tenant. */
async function wholePerson(context: PeopleContext, asker: Asker, userId: string): Promise<Person> {
  const person = await personOf(context, asker, userId);
  if (asker.tenant === undefined) return person;
  const all = await context.people.memberships({ userIds: [userId] });
  if (all.length <= person.memberships.length) return person;
  throw new Fault(
    "forbidden",
    `user ${userId} is a member of other tenants too, expected a change of the membership`,
  );
}

async function withMemberships(
  people: AccessStore,
  users: readonly User[],
  tenant: string | undefined,
): Promise<readonly Person[]> {
  const userIds = users.map(({ userId }) => userId);
  const all = await people.memberships({ userIds, ...(tenant === undefined ? {} : { tenant }) });
  return users.map((user) => ({
    ...user,
    memberships: all.filter(({ userId }) => userId === user.userId),
  }));
}

/** @throws Fault `invalid`: who runs the installation runs all of it. */
export function checkTenantRole(tenant: string, role: Role): void {
  if (tenant !== tenantPlatform || role === "admin") return;
  throw new Fault("invalid", `expected role admin for tenant ${tenantPlatform}, found ${role}`);
}

/** @throws Fault for a change that was not made. */
function check(did: PeopleChange, userId: string): void {
  if (did === "done") return;
  if (did === "absent") throw noPerson(userId);
  if (did === "taken") {
    throw new Fault("conflict", "the address or the subject is somebody else's");
  }
  throw new Fault(
    "conflict",
    `user ${userId} is the last administrator of a tenant, expected another one to be there first`,
  );
}

function noPerson(userId: string): Fault {
  return new Fault("not_found", `user ${userId} does not exist`);
}

interface PersonEntry {
  readonly action: string;
  readonly userId: string;
  readonly about?: Readonly<Record<string, string | boolean>>;
}

function auditPerson(
  context: PeopleContext,
  { who, tenant }: Asker,
  { action, userId, about }: PersonEntry,
): Promise<void> {
  return audited(context, who, {
    ...{ action, object: `user/${userId}` },
    ...(tenant === undefined ? {} : { tenant }),
    ...(about === undefined ? {} : { about }),
  });
}
