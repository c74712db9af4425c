// What people do with credentials: who may, what is told, and what never is.

import { describe, expect, test } from "bun:test";
import { apiClient } from "#core/adapters/api-client";
import type { Principal, Role } from "#core/model/access";
import { messageOf } from "#core/model/fault";
import { onBothStores, onMemory, type World } from "#tests/support/control";

const person = (role: Role, tenant = "east"): Principal => ({
  kind: "person",
  subject: `${role}@${tenant}`,
  tenant,
  role,
});

const as = ({ control }: World, principal: Principal) =>
  apiClient({ fetch: control.fetchAs(principal), baseUrl: "http://control" });

const secret = "hunter2-hunter2";
const body = { name: "api", type: "bearer", data: { token: secret } };
const revealed = { include_data: "true" } as const;

onBothStores((shelf) => {
  test("an administrator stores, lists, sees, replaces and deletes", async () => {
    const world = shelf().open();
    const ada = as(world, person("admin"));
    const stored = await ada.putCredential({
      body: { ...body, tags: ["a", "b"], description: "for the API", meta: { owner: "ada" } },
    });
    expect(stored).toMatchObject({ name: "api", tenant: "east", revision: 1, created: true });
    const { created: _created, ...told } = stored;
    expect(await ada.getCredential({ params: { ref: "api" }, query: {} })).toEqual(told);
    const { items } = await ada.listCredentials({ query: {} });
    expect(items).toEqual([told]);
    const seen = await ada.getCredential({ params: { ref: stored.id }, query: revealed });
    expect(seen).toEqual({ ...told, data: { token: secret } });
    const again = await ada.putCredential({ body: { ...body, data: { token: "second" } } });
    expect(again).toMatchObject({ id: stored.id, revision: 2, created: false, tags: [] });
    expect(await ada.getCredential({ params: { ref: "api" }, query: revealed })).toMatchObject({
      data: { token: "second" },
    });
    expect(await ada.deleteCredential({ params: { ref: "api" }, query: {} })).toEqual({
      deleted: true,
      name: "api",
      id: stored.id,
    });
    const gone = ada.getCredential({ params: { ref: "api" }, query: {} });
    await expect(gone).rejects.toMatchObject({ code: "not_found" });
    const entries = await world.stores.audit.list({ tenant: "east", limit: 20 });
    expect(entries.map(({ action, outcome }) => `${action} ${outcome}`).reverse()).toEqual([
      "credential.put done",
      "credential.reveal done",
      "credential.put done",
      "credential.reveal done",
      "credential.delete done",
    ]);
    const everything = JSON.stringify([stored, items, entries, world.reports]);
    expect(everything).not.toContain(secret);
  });

  test("what is stored is sealed: no column of the row holds the secret", async () => {
    const world = shelf().open();
    await as(world, person("admin")).putCredential({ body });
    const row = await world.stores.vault.get("east", "api");
    expect(JSON.stringify(row)).not.toContain(secret);
    expect(row?.kid).toBe("test");
  });

  test("of other tenants nothing is seen, by name or by id", async () => {
    const world = shelf().open();
    const { id } = await as(world, person("admin")).putCredential({ body });
    const eve = as(world, person("admin", "west"));
    for (const ref of ["api", id]) {
      for (const asked of [
        () => eve.getCredential({ params: { ref }, query: {} }),
        () => eve.getCredential({ params: { ref }, query: revealed }),
        () => eve.deleteCredential({ params: { ref }, query: {} }),
      ]) {
        await expect(asked()).rejects.toMatchObject({
          code: "not_found",
          message: `credential ${ref} does not exist`,
        });
      }
    }
    expect((await eve.listCredentials({ query: {} })).items).toEqual([]);
    for (const asked of [
      () => eve.listCredentials({ query: { tenant: "east" } }),
      () => eve.getCredential({ params: { ref: "api" }, query: { tenant: "east" } }),
      () => eve.putCredential({ body: { ...body, tenant: "east" } }),
      () => eve.deleteCredential({ params: { ref: "api" }, query: { tenant: "east" } }),
    ]) {
      await expect(asked()).rejects.toMatchObject({ code: "forbidden" });
    }
    const own = await eve.putCredential({ body: { ...body, data: { token: "eve's" } } });
    expect(own).toMatchObject({ created: true, tenant: "west" });
  });
});

onMemory((shelf) => {
  describe("without being an administrator", () => {
    const others: readonly Role[] = ["viewer", "operator", "editor"];

    test.each(others)("a %s sees no fields, and that they asked is audited", async (role) => {
      const world = shelf().open();
      await as(world, person("admin")).putCredential({ body });
      const asker = as(world, person(role));
      for (const ref of ["api", "nobody"]) {
        const asked = asker.getCredential({ params: { ref }, query: revealed });
        await expect(asked).rejects.toMatchObject({ code: "forbidden" });
      }
      const entries = await world.stores.audit.list({ actor: `${role}@east`, limit: 5 });
      expect(entries.map(({ action, object, outcome }) => [action, object, outcome])).toEqual([
        ["credential.reveal", "credential/nobody", "refused"],
        ["credential.reveal", "credential/api", "refused"],
      ]);
      const shown = await asker.getCredential({ params: { ref: "api" }, query: {} });
      expect(JSON.stringify(shown)).not.toContain(secret);
    });

    test.each(others)("a %s stores and deletes none", async (role) => {
      const world = shelf().open();
      await as(world, person("admin")).putCredential({ body });
      const asker = as(world, person(role));
      const put = asker.putCredential({ body });
      await expect(put).rejects.toMatchObject({ code: "forbidden" });
      const remove = asker.deleteCredential({ params: { ref: "api" }, query: {} });
      await expect(remove).rejects.toMatchObject({ code: "forbidden" });
      const rotate = asker.rotateCredentials();
      await expect(rotate).rejects.toMatchObject({ code: "forbidden" });
    });
  });

  test("a look is audited before it is answered: without the audit log there is no look", async () => {
    const world = shelf().open({
      wrap: ({ audit }) => ({
        audit: {
          ...audit,
          append: async (entries) => {
            if (entries.some(({ action }) => action === "credential.reveal")) {
              throw new Error("the audit log is away");
            }
            return audit.append(entries);
          },
        },
      }),
    });
    const ada = as(world, person("admin"));
    await ada.putCredential({ body });
    const asked = ada.getCredential({ params: { ref: "api" }, query: revealed });
    await expect(asked).rejects.toThrow();
    expect(await asked.catch(messageOf)).not.toContain(secret);
  });

  test("sharing with other tenants is for whoever runs the installation", async () => {
    const world = shelf().open();
    const ada = as(world, person("admin"));
    for (const tenants of [["west"], ["*"], ["east", "west"]]) {
      const asked = ada.putCredential({ body: { ...body, allow: { tenants } } });
      await expect(asked).rejects.toMatchObject({ code: "forbidden" });
    }
    await ada.putCredential({ body: { ...body, allow: { tenants: ["east"] } } });
    const root = as(world, { ...person("admin", "default"), platform: true });
    const shared = await root.putCredential({
      body: { ...body, tenant: "east", allow: { tenants: ["west"] } },
    });
    expect(shared).toMatchObject({ tenant: "east", allow: { tenants: ["west"] } });
  });

  test("no refusal repeats what was to be sealed", async () => {
    const world = shelf().open();
    const bad: readonly Readonly<Record<string, unknown>>[] = [
      { ...body, type: "odd" },
      { ...body, name: "" },
      { ...body, data: { [secret]: secret } },
      { ...body, data: [secret] },
      { ...body, data: secret },
      { ...body, meta: secret },
      { ...body, data: { token: { deep: secret }, more: secret.repeat(10_000) } },
    ];
    for (const given of bad) {
      const answer = await world.control.fetch(
        new Request("http://control/api/credentials", {
          method: "POST",
          body: JSON.stringify(given),
        }),
      );
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(await answer.text()).not.toContain(secret);
    }
  });

  test("names are any text that can't be taken for something else", async () => {
    const world = shelf().open();
    const ada = as(world, person("admin"));
    const names = ["a/b c", "žluť 😀", "%2F", "?x=1&y#z", "a|b", '"quoted"', "n".repeat(200)];
    for (const name of names) {
      await ada.putCredential({ body: { ...body, name } });
      const seen = await ada.getCredential({ params: { ref: name }, query: revealed });
      expect(seen).toMatchObject({ name, data: { token: secret } });
    }
    const { items } = await ada.listCredentials({ query: { limit: 3 } });
    expect(items).toHaveLength(3);
    for (const name of ["123", "a\u0000", "\u2028x", " a", "a\tb", "\ud800", ".", ".."]) {
      const asked = ada.putCredential({ body: { ...body, name } });
      await expect(asked).rejects.toMatchObject({ code: "invalid" });
    }
  });

  test("without a master key nothing is stored, and the refusal says what to set", async () => {
    const world = shelf().open({ seals: false });
    const asked = world.client.putCredential({ body });
    await expect(asked).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringContaining("NOETL_MASTER_KEY"),
    });
    expect(await world.stores.vault.list("default", { limit: 10 })).toEqual([]);
  });

  test("rotation is asked for by whoever runs the installation, and is audited", async () => {
    const world = shelf().open();
    await as(world, person("admin")).putCredential({ body });
    expect(await world.client.rotateCredentials()).toEqual({
      current: "test",
      resealed: 0,
      left: 0,
    });
    expect(await world.client.credentialKeys()).toEqual({ current: "test", counts: { test: 1 } });
    const [entry] = await world.stores.audit.list({ action: "credentials.rotate", limit: 1 });
    expect(entry).toMatchObject({ actor: "local", object: "key/test" });
  });
});
