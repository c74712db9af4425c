// People and tokens in memory: the reference implementation of the port, for tests and runs that
// keep nothing.

import type {
  AccessStore,
  AccessToken,
  Membership,
  User,
  UserFilter,
} from "#core/ports/access-store";

interface People {
  readonly users: Map<string, User>;
  /** By user and tenant. */
  readonly memberships: Map<string, Membership>;
  readonly tokens: Map<string, AccessToken>;
}

const place = (userId: string, tenant: string): string => `${userId} ${tenant}`;

/** Nobody yet. */
export function memoryAccess(): AccessStore {
  const people: People = { users: new Map(), memberships: new Map(), tokens: new Map() };
  return { ...usersOf(people), ...membershipsOf(people), ...tokensOf(people) };
}

type Users = Pick<AccessStore, "putUser" | "user" | "users" | "removeUser">;

function usersOf(people: People): Users {
  const { users, memberships, tokens } = people;
  const isTaken = ({ userId, email, subject }: User): boolean =>
    [...users.values()].some(
      (other) =>
        other.userId !== userId &&
        (other.email === email || (subject !== undefined && other.subject === subject)),
    );
  return {
    putUser: async (user) => {
      if (isTaken(user)) return "taken";
      const isDisabled = user.disabledAtMs !== undefined;
      if (isDisabled && isLoneAdmin(people, user.userId)) return "last admin";
      users.set(user.userId, user);
      return "done";
    },
    user: async ({ userId, email, subject }) => {
      if (userId !== undefined) return users.get(userId);
      const isAsked = (user: User): boolean =>
        email !== undefined
          ? user.email === email
          : subject !== undefined && user.subject === subject;
      return [...users.values()].find(isAsked);
    },
    users: async (filter) => pageOf(people, filter),
    removeUser: async (userId) => {
      if (!users.has(userId)) return "absent";
      if (isLoneAdmin(people, userId)) return "last admin";
      users.delete(userId);
      for (const [key, own] of memberships) if (own.userId === userId) memberships.delete(key);
      for (const [key, own] of tokens) if (own.userId === userId) tokens.delete(key);
      return "done";
    },
  };
}

function pageOf({ users, memberships }: People, filter: UserFilter): readonly User[] {
  const { tenant, after = "", limit } = filter;
  return [...users.values()]
    .filter(({ userId }) => userId > after)
    .filter(({ userId }) => tenant === undefined || memberships.has(place(userId, tenant)))
    .sort((left, right) => byText(left.userId, right.userId))
    .slice(0, limit);
}

type Memberships = Pick<
  AccessStore,
  "putMembership" | "removeMembership" | "memberships" | "hasAdmin"
>;

function membershipsOf(people: People): Memberships {
  const { users, memberships } = people;
  return {
    putMembership: async (membership) => {
      const { userId, tenant, role } = membership;
      if (!users.has(userId)) return "absent";
      if (role !== "admin" && isLoneAdmin(people, userId, tenant)) return "last admin";
      memberships.set(place(userId, tenant), membership);
      return "done";
    },
    removeMembership: async (userId, tenant) => {
      if (!memberships.has(place(userId, tenant))) return "absent";
      if (isLoneAdmin(people, userId, tenant)) return "last admin";
      memberships.delete(place(userId, tenant));
      return "done";
    },
    memberships: async ({ userIds, tenant }) =>
      [...memberships.values()]
        .filter((one) => userIds.includes(one.userId))
        .filter((one) => tenant === undefined || one.tenant === tenant)
        .sort((left, right) =>
          byText(place(left.userId, left.tenant), place(right.userId, right.tenant)),
        ),
    hasAdmin: async (tenant) => adminsOf(people, tenant).length > 0,
  };
}

function adminsOf({ users, memberships }: People, tenant: string): readonly string[] {
  return [...memberships.values()]
    .filter((one) => one.tenant === tenant && one.role === "admin")
    .map(({ userId }) => userId)
    .filter((userId) => {
      const user = users.get(userId);
      return user !== undefined && user.disabledAtMs === undefined;
    });
}

/** Whether they are the only administrator of the tenant, or of any without one. */
function isLoneAdmin(people: People, userId: string, tenant?: string): boolean {
  const own = [...people.memberships.values()].filter((one) => one.userId === userId);
  return own
    .filter((one) => tenant === undefined || one.tenant === tenant)
    .some((one) => {
      const admins = adminsOf(people, one.tenant);
      return admins.length === 1 && admins[0] === userId;
    });
}

type Tokens = Pick<
  AccessStore,
  "putToken" | "tokenById" | "tokens" | "revokeToken" | "touchToken" | "purgeTokens"
>;

function tokensOf({ users, memberships, tokens }: People): Tokens {
  return {
    putToken: async (token) => {
      if (!users.has(token.userId)) return "absent";
      tokens.set(token.tokenId, token);
      return "done";
    },
    tokenById: async (tokenId) => {
      const token = tokens.get(tokenId);
      const user = token === undefined ? undefined : users.get(token.userId);
      if (token === undefined || user === undefined) return undefined;
      return { token, user, membership: memberships.get(place(user.userId, token.tenant)) };
    },
    tokens: async ({ userId, tenant, limit }) =>
      [...tokens.values()]
        .filter((token) => userId === undefined || token.userId === userId)
        .filter((token) => tenant === undefined || token.tenant === tenant)
        .sort((left, right) => {
          const age = right.createdAtMs - left.createdAtMs;
          return age === 0 ? byText(right.tokenId, left.tokenId) : age;
        })
        .slice(0, limit),
    revokeToken: async (tokenId, atMs) => {
      const token = tokens.get(tokenId);
      if (token === undefined || token.revokedAtMs !== undefined) return false;
      tokens.set(tokenId, { ...token, revokedAtMs: atMs });
      return true;
    },
    touchToken: async (tokenId, atMs) => {
      const token = tokens.get(tokenId);
      if (token !== undefined) tokens.set(tokenId, { ...token, lastUsedAtMs: atMs });
    },
    purgeTokens: async (beforeMs, limit) => {
      const isOld = (token: AccessToken): boolean =>
        Math.min(
          token.expiresAtMs ?? Number.POSITIVE_INFINITY,
          token.revokedAtMs ?? Number.POSITIVE_INFINITY,
        ) < beforeMs;
      const old = [...tokens.values()].filter(isOld).slice(0, limit);
      for (const { tokenId } of old) tokens.delete(tokenId);
      return old.length;
    },
  };
}

function byText(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
