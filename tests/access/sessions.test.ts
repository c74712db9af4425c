// Sessions of people who have signed in elsewhere: what claims come to, and what they never come to.

import { describe, expect, test } from "bun:test";
import { claimsToMembership, signInOf } from "#control/access/sign-in";
import type { JsonObject } from "#core/model/json";
import { chain } from "#tests/control/playbooks";
import { onMemory } from "#tests/support/control";
import { type Gate, internalToken, openGate } from "./gate.ts";

const settings = {
  NOETL_SIGN_IN_TENANT_CLAIM: "https://acme.example/org",
  NOETL_SIGN_IN_TENANTS: { "Acme Inc": "acme", Root: "*" },
  NOETL_SIGN_IN_ROLE_CLAIM: "groups",
  NOETL_SIGN_IN_ROLES: { ops: "operator", leads: "admin", odd: "root" },
};
const org = "https://acme.example/org";
const faultOf = (work: Promise<unknown>) => work.catch((thrown: unknown) => thrown);

describe("claims", () => {
  const signIn = signInOf(settings);
  const come = (claims: JsonObject) => claimsToMembership(signIn, claims);

  test("come to a tenant and the highest role that is mapped", () => {
    expect(come({ [org]: "Acme Inc", groups: "ops" })).toEqual({
      tenant: "acme",
      role: "operator",
    });
    const all = { [org]: ["Other", "Acme Inc"], groups: ["staff", "ops", "leads"] };
    expect(come(all)).toEqual({ tenant: "acme", role: "admin" });
  });

  test("come to nothing where either is missing, is none, or nothing says where to look", () => {
    const none: readonly JsonObject[] = [
      { [org]: "Acme Inc" },
      { groups: "ops" },
      { [org]: "acme", groups: "ops" },
      { [org]: "Acme Inc", groups: "operator" },
      { [org]: "Acme Inc", groups: "odd" },
      { [org]: "Acme Inc", groups: "constructor" },
      { [org]: "toString", groups: "ops" },
      { [org]: "Root", groups: "leads" },
      { [org]: { 0: "Acme Inc" }, groups: "ops" },
      { [org]: 7, groups: [7, null] },
    ];
    for (const claims of none) expect(come(claims)).toBeUndefined();
    const whole = { [org]: "Acme Inc", groups: "ops", tenant: "acme", role: "admin" };
    expect(claimsToMembership(signInOf({}), whole)).toBeUndefined();
  });

  test("are taken by their names where no table maps them", () => {
    const plain = signInOf({ NOETL_SIGN_IN_TENANT_CLAIM: "t", NOETL_SIGN_IN_ROLE_CLAIM: "r" });
    expect(claimsToMembership(plain, { t: "acme", r: "editor" })).toEqual({
      tenant: "acme",
      role: "editor",
    });
    expect(claimsToMembership(plain, { t: "*", r: "admin" })).toBeUndefined();
    expect(claimsToMembership(plain, { t: "../up", r: "admin" })).toBeUndefined();
  });
});

onMemory((shelf) => {
  const claims = (part: JsonObject = {}) => ({
    ...{ iss: "https://id.example", sub: "7", email: "Ada@example.org", name: "Ada" },
    ...part,
  });
  const mapped = { [org]: "Acme Inc", groups: ["ops"] };
  const openWith = (given = settings): Promise<Gate> => openGate(shelf(), { settings: given });
  const session = (gate: Gate, body: { claims: JsonObject; tenant?: string }) =>
    gate.as(internalToken).openSession({ body });

  test("somebody new is let in by what the claims come to, and known again", async () => {
    const gate = await openWith();
    const first = await session(gate, { claims: claims(mapped) });
    expect(first).toMatchObject({
      ...{ status: "authenticated", tenant: "acme" },
      user: { email: "ada@example.org", display_name: "Ada", roles: ["operator"] },
    });
    const me = await gate.as(first.session_token).me();
    expect(me).toMatchObject({ tenant: "acme", role: "operator", via: "session" });
    const lower = await session(gate, {
      claims: claims({ ...mapped, groups: ["leads"], email: "moved@example.org" }),
    });
    expect(lower.user).toMatchObject({ user_id: first.user.user_id, roles: ["admin"] });
  });

  test("a role that the claims don't give any more is taken away from open sessions too", async () => {
    const gate = await openWith();
    await gate.member("acme", "admin");
    const high = await session(gate, { claims: claims({ ...mapped, groups: ["leads"] }) });
    expect((await gate.as(high.session_token).me()).role).toBe("admin");
    await session(gate, { claims: claims(mapped) });
    expect((await gate.as(high.session_token).me()).role).toBe("operator");
  });

  test("without a mapping only members are let in, and strangers are not kept", async () => {
    const gate = await openGate(shelf());
    const stranger = session(gate, { claims: claims(mapped) });
    expect(await faultOf(stranger)).toMatchObject({ code: "forbidden" });
    expect(await gate.stores.people.user({ email: "ada@example.org" })).toBeUndefined();
    await gate.member("acme", "viewer", "ada@example.org");
    // The address alone is no proof: the provider has to have checked it.
    expect(await faultOf(session(gate, { claims: claims() }))).toMatchObject({ code: "forbidden" });
    const checked = { claims: claims({ email_verified: true }) };
    expect(await session(gate, checked)).toMatchObject({ tenant: "acme" });
    // From then on the address is that of this subject, and of no other one.
    const other = { claims: claims({ sub: "8", email_verified: true }) };
    expect(await faultOf(session(gate, other))).toMatchObject({ code: "forbidden" });
    const elsewhere = { claims: claims({ iss: "https://other.example", email_verified: true }) };
    expect(await faultOf(session(gate, elsewhere))).toMatchObject({ code: "forbidden" });
    expect(await session(gate, { claims: claims() })).toMatchObject({ tenant: "acme" });
  });

  test("a member of several tenants says which, and of no other one", async () => {
    const gate = await openGate(shelf());
    const { userId } = await gate.member("one", "viewer", "ada@example.org");
    const body = { tenant: "two", role: "editor" as const };
    await gate.as(gate.root).putMembership({ params: { user_id: userId }, body });
    const both = claims({ email_verified: true });
    expect(await faultOf(session(gate, { claims: both }))).toMatchObject({ code: "invalid" });
    const two = await session(gate, { claims: both, tenant: "two" });
    expect(two).toMatchObject({ tenant: "two", user: { roles: ["editor"] } });
    const three = session(gate, { claims: both, tenant: "three" });
    expect(await faultOf(three)).toMatchObject({ code: "forbidden" });
    await gate.as(gate.root).changeUser({ params: { user_id: userId }, body: { disabled: true } });
    const disabled = session(gate, { claims: both, tenant: "two" });
    expect(await faultOf(disabled)).toMatchObject({ code: "forbidden" });
  });

  test("no session is opened for who runs the installation", async () => {
    const gate = await openGate(shelf());
    const body = { email: "ada@example.org", role: "admin" as const, tenant: "*" };
    const { user_id: userId } = await gate.as(gate.root).createUser({ body });
    const verified = claims({ email_verified: true });
    for (const asked of [{ claims: verified }, { claims: verified, tenant: "*" }]) {
      const refused = await faultOf(session(gate, asked).catch((fault: unknown) => fault));
      expect(["forbidden", "invalid"]).toContain((refused as { code: string }).code);
    }
    const viewer = {
      params: { user_id: userId },
      body: { tenant: "acme", role: "viewer" as const },
    };
    await gate.as(gate.root).putMembership(viewer);
    expect(await session(gate, { claims: verified })).toMatchObject({ tenant: "acme" });
  });

  test("the gateway asks whether a session is good, and what its holder may do", async () => {
    const gate = await openWith();
    const { session_token, user } = await session(gate, { claims: claims(mapped) });
    const machine = gate.as(internalToken);
    const validated = () => machine.validateSession({ body: { session_token } });
    expect(await validated()).toMatchObject({ valid: true, user, tenant: "acme" });
    await gate.as(gate.root).registerCatalog({
      body: { content: chain("t/theirs", 1), tenant: "acme" },
    });
    await gate.as(gate.root).registerCatalog({ body: { content: chain("t/others", 1) } });
    const may = async (action: "execute" | "view" | "edit", playbook_path = "t/theirs") => {
      const body = { session_token, playbook_path, action };
      return (await machine.checkPlaybookAccess({ body })).data.allowed;
    };
    expect([await may("view"), await may("execute"), await may("edit")]).toEqual([
      true,
      true,
      false,
    ]);
    // A playbook of another tenant is one that doesn't exist.
    expect(await may("view", "t/others")).toBe(false);
    expect(await may("view", "t/nowhere")).toBe(false);
    await gate.as(session_token).logout();
    expect(await validated()).toMatchObject({ valid: false });
    expect(await may("view")).toBe(false);
    expect(await faultOf(gate.as(session_token).me())).toMatchObject({ code: "unauthenticated" });
  });

  test("a session ends when it was said to", async () => {
    const gate = await openGate(shelf(), { settings, clock: shelf().clock });
    const body = { claims: claims(mapped), expires_in_seconds: 10 };
    const { session_token } = await gate.as(internalToken).openSession({ body });
    await shelf().clock.advance(9_999);
    expect(await gate.as(session_token).me()).toMatchObject({ via: "session" });
    await shelf().clock.advance(1);
    expect(await faultOf(gate.as(session_token).me())).toMatchObject({ code: "unauthenticated" });
  });
});
