// What administrators do with people over the API, in their tenant and nowhere else.

import { expect, test } from "bun:test";
import { createAdmin } from "#control/access/first-admin";
import type { Role } from "#core/model/access";
import { onBothStores, onMemory } from "#tests/support/control";
import { openGate } from "./gate.ts";

const faultOf = (work: Promise<unknown>) => work.catch((thrown: unknown) => thrown);
const of = (user_id: string) => ({ params: { user_id } });

onBothStores((shelf) => {
  test("the last administrator of a tenant can't be removed, disabled or lowered", async () => {
    const gate = await openGate(shelf());
    const ada = await gate.member("acme", "admin");
    for (const token of [ada.token, gate.root]) {
      const asks = gate.as(token);
      const at = of(ada.userId);
      const tries = [
        asks.deleteUser(at),
        asks.changeUser({ ...at, body: { disabled: true } }),
        asks.putMembership({ ...at, body: { role: "editor", ...tenantFor(token, gate.root) } }),
        asks.deleteMembership({ ...at, query: tenantFor(token, gate.root) }),
      ];
      for (const tried of tries) {
        const fault = await faultOf(tried);
        expect(fault).toMatchObject({ code: "conflict" });
        expect(String(fault)).toContain("last administrator");
      }
    }
    const bob = await gate.member("acme", "admin");
    expect(await gate.as(bob.token).deleteUser(of(ada.userId))).toMatchObject({ deleted: true });
    expect(await faultOf(gate.as(ada.token).me())).toMatchObject({ code: "unauthenticated" });
    expect(await faultOf(gate.as(bob.token).deleteUser(of(bob.userId)))).toMatchObject({
      code: "conflict",
    });
  });

  test("an administrator sees and makes people of the tenant alone", async () => {
    const gate = await openGate(shelf());
    const admin = gate.as((await gate.member("acme", "admin")).token);
    const { userId: foreign } = await gate.member("other", "viewer", "eve@other.org");
    const roles: readonly Role[] = ["viewer", "operator", "editor"];
    for (const role of roles) {
      await admin.createUser({ body: { email: `${role}@acme.org`, role } });
    }
    const emails: string[] = [];
    for (let after: string | null = ""; after !== null; ) {
      const page: Awaited<ReturnType<typeof admin.listUsers>> = await admin.listUsers({
        query: { limit: 2, ...(after === "" ? {} : { after }) },
      });
      emails.push(...page.users.map(({ email }) => email));
      after = page.next_after;
    }
    expect(emails).toHaveLength(4);
    expect(new Set(emails).size).toBe(4);
    expect(emails).not.toContain("eve@other.org");
    const strangers = [
      admin.getUser(of(foreign)),
      admin.changeUser({ ...of(foreign), body: { name: "Mallory" } }),
      admin.deleteUser(of(foreign)),
      admin.putMembership({ ...of(foreign), body: { role: "admin" } }),
      admin.deleteMembership({ ...of(foreign), query: {} }),
    ];
    for (const asked of strangers) {
      const fault = await faultOf(asked);
      expect(String(fault)).toContain(`user ${foreign} does not exist`);
    }
    const elsewhere = [
      admin.createUser({ body: { email: "new@acme.org", tenant: "other" } }),
      admin.createUser({ body: { email: "new@acme.org", role: "admin", tenant: "*" } }),
      admin.listUsers({ query: { tenant: "other" } }),
    ];
    for (const asked of elsewhere)
      expect(await faultOf(asked)).toMatchObject({ code: "forbidden" });
    // Somebody who is known elsewhere becomes a member here, and is one person.
    const known = await admin.createUser({ body: { email: "EVE@other.org", role: "viewer" } });
    expect(known).toMatchObject({
      user_id: foreign,
      memberships: [{ tenant: "acme", role: "viewer" }],
    });
  });
});

onMemory((shelf) => {
  test("the command line makes an administrator of a tenant once, unless it is forced to", async () => {
    const { stores, as } = await openGate(shelf());
    const email = "first@acme.org";
    const made = await createAdmin(stores, { email, tenant: "acme" });
    expect(await as(made.token).me()).toMatchObject({ tenant: "acme", role: "admin" });
    expect((await as(made.token).me()).platform).toBe(false);
    const again = createAdmin(stores, { email: "eve@acme.org", tenant: "acme" });
    expect(await faultOf(again)).toMatchObject({ code: "conflict" });
    // Who has lost the token gets another one.
    const forced = await createAdmin(stores, { email, tenant: "acme", force: true });
    expect(forced.userId).toBe(made.userId);
    expect(await as(forced.token).me()).toMatchObject({ subject: email });
    const odd = createAdmin(stores, { email, tenant: "../up" });
    expect(await faultOf(odd)).toMatchObject({ code: "invalid" });
  });

  test("a token of who runs the installation is one for all of it, or none", async () => {
    const { root, as } = await openGate(shelf());
    const made = await as(root).createToken({ body: { name: "second" } });
    expect(await as(made.token).me()).toMatchObject({ platform: true });
    const less = as(root).createToken({ body: { name: "less", role: "viewer" } });
    expect(await faultOf(less)).toMatchObject({ code: "invalid" });
  });
});

/** Who runs the installation says which tenant is meant. */
function tenantFor(token: string, root: string): { readonly tenant?: string } {
  return token === root ? { tenant: "acme" } : {};
}
