// What a token is worth: as long as it is valid, to its holder, in its tenant, and no longer.

import { expect, test } from "bun:test";
import type { Stores } from "#core/ports/stores";
import { onMemory, type Shelf } from "#tests/support/control";
import { asked, type Gate, gateOf, internalToken, openGate, requiredAccess } from "./gate.ts";

/** What the documentation promises. */
const tokenKeptMs = 5_000;

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const statusOf = async (gate: Gate, headers: Readonly<Record<string, string>>) =>
  (await asked(gate, "/api/me", headers)).status;

/**
 * The gate of another process over the same stores. What it has read of tokens is its own, because
 * its store of people is another object.
 */
function replicaOf(shelf: Shelf, { root }: Gate): Gate {
  const wrap = ({ people }: Stores) => ({ people: { ...people } });
  const world = shelf.open({ wrap, access: requiredAccess(), clock: shelf.clock });
  return gateOf(world, root);
}

onMemory((shelf) => {
  const open = (): Promise<Gate> => openGate(shelf(), { clock: shelf().clock });

  test("a token says who asks, for which tenant, with which role", async () => {
    const gate = await open();
    const { token, email, userId } = await gate.member("acme", "operator");
    expect(await gate.as(token).me()).toEqual({
      ...{ subject: email, kind: "person", tenant: "acme", role: "operator", platform: false },
      ...{ user_id: userId, via: "token" },
    });
    expect(await gate.as(gate.root).me()).toMatchObject({ tenant: "default", platform: true });
    expect(await gate.as(internalToken).me()).toMatchObject({ kind: "machine", role: "operator" });
  });

  test("all three places that a token may be in are looked at, and two must agree", async () => {
    const gate = await open();
    const { token } = await gate.member("acme", "viewer");
    const { token: other } = await gate.member("acme", "viewer");
    const good = [
      bearer(token),
      { authorization: `bearer   ${token} ` },
      { "x-session-token": token },
      { cookie: `a=b; session_token=${token}; c=d` },
      { ...bearer(token), "x-session-token": token, cookie: `session_token=${token}` },
      { cookie: `${"filler=x; ".repeat(10_000)}session_token=${token}` },
    ];
    for (const headers of good) expect(await statusOf(gate, headers)).toBe(200);
    const bad = [
      { ...bearer(token), "x-session-token": other },
      { "x-session-token": token, cookie: `session_token=${other}` },
      { cookie: `session_token2=${token}` },
      { cookie: `not_session_token=${token}` },
      { "x-user-id": "root", "x-user-role": "admin", "x-noetl-role": "admin" },
    ];
    for (const headers of bad) expect(await statusOf(gate, headers)).toBe(401);
    const odd = [`Basic ${btoa(`ada:${token}`)}`, token, `Bearer ${token} ${token}`, "Bearer"];
    for (const authorization of odd) {
      expect(await statusOf(gate, { authorization })).toBe(401);
      // Nor are they taken for nothing, where nobody need say who they are.
      expect((await asked(gate, "/api/health", { authorization })).status).toBe(401);
    }
  });

  test("what is no token of anybody is refused, also where nobody need say who they are", async () => {
    const gate = await open();
    const { token, tokenId } = await gate.member("acme", "admin");
    const wrong = [
      `${token.slice(0, -1)}${token.endsWith("A") ? "B" : "A"}`,
      `noetl_pat_${tokenId}_${"A".repeat(43)}`,
      token.replace("_pat_", "_ses_"),
      token.toUpperCase(),
      `noetl_pat_${tokenId.toUpperCase()}_${token.slice(-43)}`,
      "noetl_pat__",
      "undefined",
      `${token}x`,
      "x".repeat(5_000),
      encodeURIComponent(token.replace("_", "ü")),
      internalToken.slice(0, -1),
      `${internalToken},another-token-of-tests`,
    ];
    for (const text of wrong) {
      expect(await statusOf(gate, bearer(text))).toBe(401);
      expect((await asked(gate, "/api/health", bearer(text))).status).toBe(401);
    }
    const { text } = await asked(gate, "/api/me", bearer(wrong[0] ?? ""));
    expect(text).not.toContain(token.slice(-43, -1));
    expect((await asked(gate, "/api/health")).status).toBe(200);
  });

  test("a header with an end of line in it is none that could be sent", () => {
    expect(() => new Headers(bearer("a\r\nx-noetl-identity: b"))).toThrow();
  });

  test("a token is good until its time, and not a moment longer", async () => {
    const gate = await open();
    const { token: own } = await gate.member("acme", "viewer");
    const body = { name: "short", expires_in_seconds: 60 };
    const { token } = await gate.as(own).createToken({ body });
    await shelf().clock.advance(59_999);
    expect(await statusOf(gate, bearer(token))).toBe(200);
    await shelf().clock.advance(1);
    expect(await statusOf(gate, bearer(token))).toBe(401);
    expect(await statusOf(gate, bearer(own))).toBe(200);
  });

  const ends: readonly {
    readonly what: string;
    readonly status: number;
    readonly end: (
      gate: Gate,
      of: { readonly userId: string; readonly tokenId: string },
    ) => unknown;
  }[] = [
    {
      what: "revoked",
      status: 401,
      end: (gate, { tokenId }) => gate.as(gate.root).deleteToken({ params: { token_id: tokenId } }),
    },
    {
      what: "of somebody who was disabled",
      status: 401,
      end: (gate, { userId }) =>
        gate.as(gate.root).changeUser({ params: { user_id: userId }, body: { disabled: true } }),
    },
    {
      what: "of somebody who is no member any more",
      status: 401,
      end: (gate, { userId }) =>
        gate
          .as(gate.root)
          .deleteMembership({ params: { user_id: userId }, query: { tenant: "acme" } }),
    },
    {
      what: "of somebody who was removed",
      status: 401,
      end: (gate, { userId }) => gate.as(gate.root).deleteUser({ params: { user_id: userId } }),
    },
    {
      what: "of somebody who was given a lower role",
      status: 403,
      end: (gate, { userId }) =>
        gate.as(gate.root).putMembership({
          params: { user_id: userId },
          body: { role: "operator", tenant: "acme" },
        }),
    },
  ];

  for (const { what, status, end } of ends) {
    test(`a token ${what} is refused here at once, and by other replicas within ${tokenKeptMs} ms`, async () => {
      const gate = await open();
      const member = await gate.member("acme", "editor");
      const other = replicaOf(shelf(), gate);
      const { token } = member;
      // A route of editors, with a request that is refused for its shape alone.
      const edits = async (at: Gate): Promise<number> => {
        const init = { method: "POST", headers: bearer(token), body: "{}" };
        const url = "http://control/api/catalog/register";
        return (await at.world.control.fetch(new Request(url, init))).status;
      };
      expect([await edits(gate), await edits(other)]).toEqual([422, 422]);
      await end(gate, member);
      expect(await edits(gate)).toBe(status);
      await shelf().clock.advance(tokenKeptMs - 1);
      expect(await edits(other)).toBe(422);
      await shelf().clock.advance(1);
      expect(await edits(other)).toBe(status);
    });
  }

  test("a token never does more than who made it", async () => {
    const gate = await open();
    const { token: operator } = await gate.member("acme", "operator");
    const asks = gate.as(operator);
    const made = await asks.createToken({ body: { name: "less", role: "viewer" } });
    expect(await gate.as(made.token).me()).toMatchObject({ role: "viewer", tenant: "acme" });
    for (const role of ["editor", "admin"] as const) {
      const more = asks.createToken({ body: { name: "more", role } });
      expect(await more.catch((fault: unknown) => fault)).toMatchObject({ code: "forbidden" });
    }
    // One that may less makes none that may more, though its owner has the role.
    const again = gate.as(made.token).createToken({ body: { name: "more", role: "operator" } });
    expect(await again.catch((fault: unknown) => fault)).toMatchObject({ code: "forbidden" });
    const { userId } = await gate.member("acme", "viewer");
    const others = asks.createToken({ body: { name: "theirs", user_id: userId } });
    expect(await others.catch((fault: unknown) => fault)).toMatchObject({ code: "forbidden" });
  });

  test("an administrator makes tokens for people of the tenant, and for nobody else", async () => {
    const gate = await open();
    const { token } = await gate.member("acme", "admin");
    const { userId } = await gate.member("acme", "operator");
    const { userId: foreign } = await gate.member("other", "operator");
    const made = await gate.as(token).createToken({ body: { name: "ci", user_id: userId } });
    expect(await gate.as(made.token).me()).toMatchObject({ role: "operator", tenant: "acme" });
    const refused = gate.as(token).createToken({ body: { name: "ci", user_id: foreign } });
    expect(await refused.catch((fault: unknown) => fault)).toMatchObject({ code: "not_found" });
  });

  test("of a member of two tenants each token is good in one of them", async () => {
    const gate = await open();
    const { userId } = await gate.member("one", "admin");
    await gate.as(gate.root).putMembership({
      params: { user_id: userId },
      body: { tenant: "two", role: "viewer" },
    });
    const { token: admin } = await gate.member("two", "admin");
    const made = await gate.as(admin).createToken({ body: { name: "two", user_id: userId } });
    const me = await gate.as(made.token).me();
    expect(me).toMatchObject({ tenant: "two", role: "viewer" });
    // Nor may who administers one of them change what the person is everywhere.
    const change = { params: { user_id: userId }, body: { disabled: true } };
    const refused = gate.as(admin).changeUser(change);
    expect(await refused.catch((fault: unknown) => fault)).toMatchObject({ code: "forbidden" });
    const removed = gate.as(admin).deleteUser({ params: { user_id: userId } });
    expect(await removed.catch((fault: unknown) => fault)).toMatchObject({ code: "forbidden" });
    const seen = await gate.as(admin).getUser({ params: { user_id: userId } });
    expect(seen.memberships).toEqual([{ tenant: "two", role: "viewer" }]);
  });

  test("no answer and no row holds a token, but the one that made it", async () => {
    const gate = await open();
    const { token, userId } = await gate.member("acme", "admin");
    const lists = [
      await gate.as(token).listTokens({ query: {} }),
      await gate.as(token).listTokens({ query: { user_id: userId } }),
      await gate.as(token).listUsers({ query: {} }),
      await gate.as(token).listAudit({ query: {} }),
      await gate.stores.people.tokens({ userId, limit: 10 }),
    ];
    const secret = token.slice(-43);
    expect(JSON.stringify(lists)).not.toContain(secret);
    expect(JSON.stringify(lists.slice(0, 4))).not.toContain("digest");
  });

  test("when a token was last used is written down, at most once a minute", async () => {
    const gate = await open();
    const { token, tokenId } = await gate.member("acme", "viewer");
    const used = async () => (await gate.stores.people.tokenById(tokenId))?.token.lastUsedAtMs;
    await gate.as(token).me();
    const firstMs = await used();
    expect(firstMs).toBe(shelf().clock.nowMs());
    await shelf().clock.advance(59_000);
    await gate.as(token).me();
    expect(await used()).toBe(firstMs ?? 0);
    await shelf().clock.advance(2_000);
    await gate.as(token).me();
    expect(await used()).toBe(shelf().clock.nowMs());
  });

  test("many guesses with the id of a token cost no look into the store", async () => {
    let looks = 0;
    const wrap = ({ people }: Stores) => ({
      people: {
        ...people,
        tokenById: (id: string) => {
          looks += 1;
          return people.tokenById(id);
        },
      },
    });
    const gate = await openGate(shelf(), { clock: shelf().clock, wrap });
    const { tokenId } = await gate.member("acme", "admin");
    looks = 0;
    for (let n = 0; n < 2_000; n++) {
      const guess = `noetl_pat_${tokenId}_${String(n).padStart(43, "g")}`;
      expect(await statusOf(gate, bearer(guess))).toBe(401);
      expect(await statusOf(gate, bearer(`guess-${n}`))).toBe(401);
    }
    expect(looks).toBe(1);
  });
});
