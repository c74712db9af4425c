// Keychain entries over the API: who may see what of them, and that what was put by hand is what
// commands are given.

import { expect, test } from "bun:test";
import { keychainDuties } from "#control/keychain/duties";
import { resolveKeychain } from "#control/keychain/resolve";
import { type ApiClient, apiClient } from "#core/adapters/api-client";
import { machinePrincipal, type Principal, type Role } from "#core/model/access";
import { onBothStores, type World } from "#tests/support/control";
import { done, handWorker, only } from "#tests/support/hand-worker";

const playbook = `apiVersion: noetl.io/v2
kind: Playbook
metadata: {name: k, path: k/api}
keychain: [{name: api, kind: oauth2, endpoint: "https://idp.example.com/t"}]
workflow: [{step: start, tool: {kind: noop}}]`;

const as = (world: World, principal: Principal): ApiClient =>
  apiClient({ fetch: world.control.fetchAs(principal), baseUrl: "http://control" });
const person = (role: Role): Principal => ({
  kind: "person",
  subject: `${role}@x`,
  tenant: "default",
  role,
});

onBothStores((shelf) => {
  test("what was put is given to commands, told without its fields, and forgotten", async () => {
    const world = shelf().open();
    const admin = as(world, person("admin"));
    const catalog_id = await world.register(playbook);
    const params = { catalog_id, name: "api" };
    const renew_config = { endpoint: "https://idp", data: { client_secret: "s3cr3t" } };
    const put = await admin.putKeychainEntry({
      params,
      body: {
        token_data: { token: "put-by-hand" },
        cache_type: "token",
        expires_in: 600,
        renew_config,
      },
    });
    expect(put).toMatchObject({
      cache_key: `default/api:${catalog_id}:global`,
      ttl_seconds: expect.any(Number),
      renew_config: { endpoint: "https://idp" },
    });
    await world.start("k/api");
    const { command_id: commandId } = only(await handWorker(world.client).claim());
    const { executions } = world.control;
    const given = await resolveKeychain(executions, { commandId, name: "api" });
    expect(given.data).toEqual({ token: "put-by-hand" });
    const told = await as(world, person("editor")).getKeychainEntry({ params, query: {} });
    expect(told).toMatchObject({
      status: "success",
      credential_type: "secret",
      cache_type: "token",
    });
    const listed = await as(world, person("editor")).listKeychainEntries({
      params: { catalog_id },
    });
    expect(listed.count).toBe(1);
    expect(JSON.stringify([put, told, listed])).not.toMatch(/put-by-hand|s3cr3t/);
    const shown = await admin.getKeychainEntry({ params, query: { include_data: "true" } });
    expect(shown).toMatchObject({ data: { token: "put-by-hand" }, token_data: shown.data });
    expect(await admin.deleteKeychainEntry({ params, query: {} })).toMatchObject({ deleted: true });
    expect(await admin.getKeychainEntry({ params, query: {} })).toMatchObject({
      status: "not_found",
    });
  });

  test("fields are for administrators, and each look, put and delete is in the audit log", async () => {
    const world = shelf().open();
    const catalog_id = await world.register(playbook);
    const params = { catalog_id, name: "api" };
    const machine = as(world, machinePrincipal("worker-1"));
    await machine.putKeychainEntry({ params, body: { data: { token: "t-1-2-3" } } });
    const query = { include_data: "true" as const };
    await expect(
      as(world, person("editor")).getKeychainEntry({ params, query }),
    ).rejects.toMatchObject({ code: "forbidden" });
    for (const role of ["viewer", "operator"] as const) {
      const asked = as(world, person(role)).getKeychainEntry({ params, query: {} });
      await expect(asked).rejects.toMatchObject({ code: "forbidden" });
    }
    const put = as(world, person("editor")).putKeychainEntry({ params, body: { data: {} } });
    await expect(put).rejects.toMatchObject({ code: "forbidden" });
    await as(world, person("admin")).getKeychainEntry({ params, query });
    await machine.deleteKeychainEntry({ params, query: {} });
    const entries = await world.stores.audit.list({ limit: 10 });
    const object = `keychain/${catalog_id}/api`;
    expect(
      entries
        .filter((entry) => entry.object === object)
        .map(({ actor, action, outcome }) => `${actor} ${action} ${outcome}`)
        .reverse(),
    ).toEqual([
      "worker-1 keychain.put done",
      "editor@x keychain.reveal refused",
      "admin@x keychain.reveal done",
      "worker-1 keychain.delete done",
    ]);
    expect(JSON.stringify(entries)).not.toContain("t-1-2-3");
  });

  test("without a master key nothing is put", async () => {
    const world = shelf().open({ seals: false });
    const params = { catalog_id: await world.register(playbook), name: "api" };
    const put = world.client.putKeychainEntry({ params, body: { data: { token: "t" } } });
    await expect(put).rejects.toMatchObject({ code: "unavailable" });
  });

  test("entries of an execution go when it has ended, others stay", async () => {
    const world = shelf().open();
    const catalog_id = await world.register(playbook);
    const ids = [await world.start("k/api"), await world.start("k/api")] as const;
    const put = (name: string, place: object) =>
      world.client.putKeychainEntry({
        params: { catalog_id, name },
        body: { data: { x: "y" }, ...place },
      });
    await put("a", { scope_type: "local", execution_id: ids[0] });
    await put("b", { scope_type: "shared", execution_id: ids[0] });
    await put("c", { scope_type: "local", execution_id: ids[1] });
    await put("d", {});
    const worker = handWorker(world.client);
    const commands = await worker.claim();
    await worker.settle(
      commands.filter(({ execution_id: id }) => id === ids[0]).map((command) => done(command)),
    );
    const names = async () =>
      (await world.stores.keychain.ofCatalog(catalog_id)).map(({ name }) => name);
    const [, ended] = keychainDuties(world.stores);
    expect(await ended?.run()).toBe(2);
    expect(await ended?.run()).toBe(0);
    expect(await names()).toEqual(["c", "d"]);
  });
});
