// The contract of people and their tokens, told against the port alone.
import { expect, test } from "bun:test";
import type { Role } from "#core/model/access";
import type { AccessStore, AccessToken, User } from "#core/ports/access-store";
import { onWorld, type PlatformWorld } from "./platform.ts";

const atMs = 1_790_000_000_000;
let people = 0;

const newUser = (part: Partial<User> = {}): User => {
  const userId = `u${String(++people).padStart(6, "0")}`;
  return { userId, email: `${userId}@example.org`, createdAtMs: atMs + people, ...part };
};

const newToken = (userId: string, part: Partial<AccessToken> = {}): AccessToken => ({
  tokenId: `t${String(++people).padStart(6, "0")}`,
  ...{ kind: "personal", userId, tenant: "acme", role: "editor", platform: false },
  digest: "ab".repeat(32),
  createdAtMs: atMs + people,
  ...part,
});

export function accessStoreContract(world: PlatformWorld): void {
  onWorld("people", world, (opened) => {
    const store = (): AccessStore => opened().stores.people;
    /** Somebody who is a member of a tenant of their own. */
    const member = async (tenant: string, role: Role, part: Partial<User> = {}): Promise<User> => {
      const user = newUser(part);
      expect(await store().putUser(user)).toBe("done");
      const { userId } = user;
      const membership = { userId, tenant, role, createdAtMs: atMs };
      expect(await store().putMembership(membership)).toBe("done");
      return user;
    };
    userTests(store, member);
    adminTests(store, member);
    tokenTests(store, member);
  });
}

type Store = () => AccessStore;
type Member = (tenant: string, role: Role, part?: Partial<User>) => Promise<User>;

function userTests(store: Store, member: Member): void {
  test("a user is found by id, by address and by subject, as they were stored", async () => {
    const user = newUser({
      name: 'Ada "q" \\ žluť 😀',
      subject: "https://id|7",
      disabledAtMs: atMs,
    });
    await store().putUser(user);
    const { userId, email } = user;
    expect(await store().user({ userId })).toEqual(user);
    expect(await store().user({ email })).toEqual(user);
    expect(await store().user({ subject: "https://id|7" })).toEqual(user);
    expect(await store().user({ userId: "unobody" })).toBeUndefined();
    expect(await store().user({ email: "EMAIL" })).toBeUndefined();
    expect(await store().user({})).toBeUndefined();
  });

  test("an address and a subject are one user's alone", async () => {
    const first = newUser({ subject: "mine" });
    await store().putUser(first);
    expect(await store().putUser(newUser({ email: first.email }))).toBe("taken");
    expect(await store().putUser(newUser({ subject: "mine" }))).toBe("taken");
    const renamed: User = { ...first, name: "New", email: "moved@example.org" };
    expect(await store().putUser(renamed)).toBe("done");
    expect(await store().user({ userId: first.userId })).toEqual(renamed);
  });

  test("of many who take one address at once, one has it", async () => {
    const all = Array.from({ length: 8 }, () => newUser({ email: "race@example.org" }));
    const did = await Promise.all(all.map((user) => store().putUser(user)));
    expect(did.filter((one) => one === "done")).toHaveLength(1);
    expect(did.filter((one) => one === "taken")).toHaveLength(7);
  });

  test("members of a tenant are listed by id, in pages, and nobody else", async () => {
    const users: User[] = [];
    for (let n = 0; n < 5; n++) users.push(await member("paged", "viewer"));
    await member("elsewhere", "viewer");
    const ids = users.map(({ userId }) => userId);
    const first = await store().users({ tenant: "paged", limit: 3 });
    expect(first.map(({ userId }) => userId)).toEqual(ids.slice(0, 3));
    const after = ids[2] ?? "";
    const rest = await store().users({ tenant: "paged", after, limit: 3 });
    expect(rest.map(({ userId }) => userId)).toEqual(ids.slice(3));
    expect((await store().users({ limit: 1_000 })).length).toBeGreaterThan(5);
  });

  test("memberships are told of these users, of one tenant or of all", async () => {
    const { userId } = await member("one", "viewer");
    await store().putMembership({ userId, tenant: "two", role: "editor", createdAtMs: atMs });
    await store().putMembership({ userId, tenant: "two", role: "operator", createdAtMs: atMs });
    const of = async (tenant?: string) =>
      (await store().memberships({ userIds: [userId], ...(tenant ? { tenant } : {}) })).map(
        (one) => [one.tenant, one.role],
      );
    expect(await of()).toEqual([
      ["one", "viewer"],
      ["two", "operator"],
    ]);
    expect(await of("two")).toEqual([["two", "operator"]]);
    expect(await store().memberships({ userIds: [] })).toEqual([]);
    const nobody = { userId: "unobody", tenant: "one", role: "viewer" as const, createdAtMs: atMs };
    expect(await store().putMembership(nobody)).toBe("absent");
    expect(await store().removeMembership(userId, "three")).toBe("absent");
  });
}

function adminTests(store: Store, member: Member): void {
  test("the last administrator of a tenant stays: no change takes them out", async () => {
    const user = await member("lone", "admin");
    const { userId } = user;
    const lower = { userId, tenant: "lone", role: "editor" as const, createdAtMs: atMs };
    const tries = async () => [
      await store().putMembership(lower),
      await store().putUser({ ...user, disabledAtMs: atMs }),
      await store().removeMembership(userId, "lone"),
      await store().removeUser(userId),
    ];
    expect(await tries()).toEqual(Array(4).fill("last admin"));
    expect(await store().hasAdmin("lone")).toBe(true);
    const other = await member("lone", "admin", { disabledAtMs: atMs });
    // One who is not let in is nobody to rely on.
    expect(await tries()).toEqual(Array(4).fill("last admin"));
    await store().putUser({ userId: other.userId, email: other.email, createdAtMs: atMs });
    expect(await store().removeUser(userId)).toBe("done");
    expect(await store().removeUser(userId)).toBe("absent");
    expect(await store().user({ userId })).toBeUndefined();
  });

  test("administrators of a tenant who remove each other at once leave one", async () => {
    for (let round = 0; round < 8; round++) {
      const tenant = `race${round}`;
      const admins: User[] = [];
      for (let n = 0; n < 6; n++) admins.push(await member(tenant, "admin"));
      const did = await Promise.all(
        admins.map(({ userId }) => store().removeMembership(userId, tenant)),
      );
      expect(did.filter((one) => one === "done")).toHaveLength(5);
      expect(did.filter((one) => one === "last admin")).toHaveLength(1);
      expect(await store().hasAdmin(tenant)).toBe(true);
    }
    expect(await store().hasAdmin("nowhere")).toBe(false);
  });
}

function tokenTests(store: Store, member: Member): void {
  test("a token is found with its user and what they are in its tenant", async () => {
    const user = await member("acme", "operator");
    const token = newToken(user.userId, { name: "ci", expiresAtMs: atMs + 1 });
    expect(await store().putToken(token)).toBe("done");
    const known = await store().tokenById(token.tokenId);
    expect(known).toEqual({
      ...{ token, user },
      membership: { userId: user.userId, tenant: "acme", role: "operator", createdAtMs: atMs },
    });
    const foreign = newToken(user.userId, { tenant: "other", kind: "session", platform: true });
    await store().putToken(foreign);
    const bare = await store().tokenById(foreign.tokenId);
    expect(bare).toEqual({ token: foreign, user, membership: undefined });
    expect(await store().tokenById("tnone")).toBeUndefined();
    expect(await store().putToken(newToken("unobody"))).toBe("absent");
  });

  test("a token is revoked once, and says when it was used last", async () => {
    const { userId } = await member("acme", "viewer");
    const token = newToken(userId);
    await store().putToken(token);
    await store().touchToken(token.tokenId, atMs + 5);
    expect(await store().revokeToken(token.tokenId, atMs + 7)).toBe(true);
    expect(await store().revokeToken(token.tokenId, atMs + 9)).toBe(false);
    expect(await store().revokeToken("tnone", atMs)).toBe(false);
    const known = await store().tokenById(token.tokenId);
    expect(known?.token).toEqual({ ...token, lastUsedAtMs: atMs + 5, revokedAtMs: atMs + 7 });
  });

  test("tokens are listed newest first, of a user and a tenant, and go with the user", async () => {
    const { userId } = await member("acme", "viewer");
    const tokens = [newToken(userId), newToken(userId, { tenant: "other" }), newToken(userId)];
    for (const token of tokens) await store().putToken(token);
    const ids = tokens.map(({ tokenId }) => tokenId);
    const listed = await store().tokens({ userId, limit: 10 });
    expect(listed.map(({ tokenId }) => tokenId)).toEqual([...ids].reverse());
    const own = await store().tokens({ userId, tenant: "acme", limit: 1 });
    expect(own.map(({ tokenId }) => tokenId)).toEqual([ids[2] ?? ""]);
    expect(await store().removeUser(userId)).toBe("done");
    expect(await store().tokens({ userId, limit: 10 })).toEqual([]);
    expect(await store().tokenById(ids[0] ?? "")).toBeUndefined();
  });

  test("tokens that ended long ago are removed, at most so many, and no others", async () => {
    const { userId } = await member("acme", "viewer");
    const old = [
      newToken(userId, { expiresAtMs: 1_000 }),
      newToken(userId, { revokedAtMs: 2_000 }),
      newToken(userId, { expiresAtMs: atMs, revokedAtMs: 3_000 }),
    ];
    const kept = [newToken(userId), newToken(userId, { expiresAtMs: atMs })];
    for (const token of [...old, ...kept]) await store().putToken(token);
    expect(await store().purgeTokens(5_000, 2)).toBe(2);
    expect(await store().purgeTokens(5_000, 2)).toBe(1);
    expect(await store().purgeTokens(5_000, 2)).toBe(0);
    const left = await store().tokens({ userId, limit: 10 });
    expect(left.map(({ tokenId }) => tokenId)).toEqual(
      kept.map(({ tokenId }) => tokenId).reverse(),
    );
  });
}
