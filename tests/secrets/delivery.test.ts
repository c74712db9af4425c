// Delivery to workers: only for a command that the worker has leased, only where the credential may
// be used, and sealed to that worker for that command alone.

import { describe, expect, test } from "bun:test";
import { apiClient } from "#core/adapters/api-client";
import { localAdmin, machinePrincipal, type Principal } from "#core/model/access";
import { commandId, executionId } from "#core/model/ids";
import type { CredentialAllow } from "#core/ports/credential-store";
import { onBothStores, onMemory, type Shelf, type World } from "#tests/support/control";
import { done, handWorker, only } from "#tests/support/hand-worker";
import { sealingKey } from "#worker/sealing";

const playbook = (path: string, pool = "default"): string => `
apiVersion: noetl.io/v2
kind: Playbook
metadata: {name: p, path: ${path}}
workflow:
  - step: start
    spec: {pool: ${pool}}
    tool: {kind: noop}
`;

const as = ({ control }: World, principal: Principal) =>
  apiClient({ fetch: control.fetchAs(principal), baseUrl: "http://control" });

const admin = (tenant: string): Principal => ({
  kind: "person",
  subject: `admin@${tenant}`,
  tenant,
  role: "admin",
});

interface Begun {
  readonly tenant?: string;
  readonly path?: string;
  readonly pool?: string;
}

/** A command of a new execution, leased to `w1`. */
async function leased(
  world: World,
  { tenant = "east", path = "t/a", pool = "default" }: Begun = {},
) {
  const ada = as(world, admin(tenant));
  await ada.registerCatalog({ body: { content: playbook(path, pool) } });
  const { execution_id } = await ada.execute({ body: { path } });
  const machine = as(world, machinePrincipal("internal"));
  const worker = handWorker(machine, "w1", [pool]);
  const command = only(await worker.claim());
  return { machine, worker, command, id: executionId(execution_id) };
}

const sealing = sealingKey();

async function given(
  world: World,
  command: { readonly command_id: string },
  alias: string,
  worker = "w1",
) {
  const machine = as(world, machinePrincipal("internal"));
  const key = await sealing.publicKey();
  const body = { worker, command_id: command.command_id, alias, key };
  return machine.commandCredential({ body });
}

interface Put {
  readonly allow?: CredentialAllow;
  readonly tenant?: string;
  readonly token?: string;
}

const put = (
  world: World,
  name: string,
  { allow = {}, tenant = "east", token = "tok" }: Put = {},
) =>
  world.client.putCredential({
    body: {
      name,
      type: "bearer",
      data: { token },
      tenant,
      allow: Object.fromEntries(Object.entries(allow).map(([list, names]) => [list, [...names]])),
    },
  });

const forbidden = { code: "forbidden" };

onBothStores((shelf: () => Shelf) => {
  test("a worker opens what it is given, and nobody else does", async () => {
    const world = shelf().open();
    await put(world, "api", { token: "hunter2" });
    const { command } = await leased(world);
    const { sealed, ...rest } = await given(world, command, "api");
    expect(rest).toEqual({ name: "api", type: "bearer" });
    expect(sealed).not.toContain("hunter2");
    expect(await sealing.unseal(sealed, command.command_id)).toEqual({ token: "hunter2" });
    const stranger = sealingKey().unseal(sealed, command.command_id);
    await expect(stranger).rejects.toMatchObject({ code: "invalid" });
    const replayed = sealing.unseal(sealed, commandId(executionId("12"), "start", 1));
    await expect(replayed).rejects.toMatchObject({ code: "invalid" });
    const changed = sealing.unseal(`${sealed.slice(0, -2)}AA`, command.command_id);
    await expect(changed).rejects.toMatchObject({ code: "invalid" });
  });

  test("only while the lease holds: not to others, nor after release, expiry or the end", async () => {
    const world = shelf().open({ clock: shelf().clock });
    await put(world, "api");
    const first = await leased(world);
    await expect(given(world, first.command, "api", "w2")).rejects.toMatchObject(forbidden);
    const { command_id: commandId_, attempt } = first.command;
    await first.machine.release({
      body: { worker: "w1", leases: [{ command_id: commandId_, attempt }] },
    });
    await expect(given(world, first.command, "api")).rejects.toMatchObject(forbidden);
    const again = only(await first.worker.claim());
    await given(world, again, "api");
    await shelf().passLeases(world);
    await expect(given(world, again, "api")).rejects.toMatchObject(forbidden);
    const anew = only(await handWorker(first.machine, "w1").claimIdle());
    await given(world, anew, "api");
    await first.worker.settle([done(anew)]);
    await expect(given(world, anew, "api")).rejects.toMatchObject(forbidden);
  });

  test("a credential is found in the execution's tenant, whatever the worker says", async () => {
    const world = shelf().open();
    await put(world, "api", { tenant: "west", token: "of west" });
    const { command } = await leased(world);
    await expect(given(world, command, "api")).rejects.toMatchObject({ code: "not_found" });
    await put(world, "api", { token: "of east" });
    const { sealed } = await given(world, command, "api");
    expect(await sealing.unseal(sealed, command.command_id)).toEqual({ token: "of east" });
  });

  test("playbooks and pools that may not use it are refused, and not told who may", async () => {
    const world = shelf().open();
    await put(world, "paths", { allow: { playbooks: ["etl/**"] } });
    await put(world, "pools", { allow: { pools: ["vault"] } });
    const other = await leased(world, { path: "t/other" });
    for (const alias of ["paths", "pools"]) {
      await expect(given(world, other.command, alias)).rejects.toMatchObject({
        ...forbidden,
        message: `credential ${alias} is not for playbook t/other`,
      });
    }
    const both = await leased(world, { path: "etl/daily/load", pool: "vault" });
    for (const alias of ["paths", "pools"]) await given(world, both.command, alias);
  });

  test("another tenant uses what is shared with it, by its own rules too", async () => {
    const world = shelf().open();
    const shared = { tenants: ["east"], playbooks: ["etl/*"] };
    await put(world, "warehouse", { tenant: "platform", token: "shared", allow: shared });
    const fits = await leased(world, { path: "etl/x" });
    const { sealed } = await given(world, fits.command, "warehouse");
    expect(await sealing.unseal(sealed, fits.command.command_id)).toEqual({ token: "shared" });
    const not = await leased(world, { path: "other/x" });
    await expect(given(world, not.command, "warehouse")).rejects.toMatchObject(forbidden);
    const foreign = await leased(world, { tenant: "west", path: "etl/x" });
    await expect(given(world, foreign.command, "warehouse")).rejects.toMatchObject({
      code: "not_found",
    });
    await put(world, "warehouse", { token: "own" });
    const own = await given(world, fits.command, "warehouse");
    expect(await sealing.unseal(own.sealed, fits.command.command_id)).toEqual({ token: "own" });
  });
});

onMemory((shelf) => {
  describe("by the key that a worker has registered", () => {
    const register = async (world: World, name: string) =>
      world.client.registerWorker({
        body: { name, meta: { sealing_key: await sealing.publicKey() } },
      });

    test("a credential is given for a command of the execution that it has leased", async () => {
      const world = shelf().open();
      const { credentialId } = await put(world, "api", { token: "hunter2" }).then(({ id }) => ({
        credentialId: id,
      }));
      const { id, machine } = await leased(world);
      await register(world, "w1");
      for (const ref of ["api", credentialId]) {
        const query = { worker_id: "w1", execution_id: id };
        const answer = await machine.sealedCredential({ params: { ref }, query });
        const { sealed, command_id } = answer;
        expect(await sealing.unseal(sealed, command_id as never)).toEqual({ token: "hunter2" });
      }
      await register(world, "w2");
      const query = { worker_id: "w2", execution_id: id };
      const refused = machine.sealedCredential({ params: { ref: "api" }, query });
      await expect(refused).rejects.toMatchObject(forbidden);
    });
  });

  test("people are not given what is for workers, nor workers what is for people", async () => {
    const world = shelf().open();
    await put(world, "api");
    const { command } = await leased(world);
    const key = await sealing.publicKey();
    const body = { worker: "w1", command_id: command.command_id, alias: "api", key };
    const person = as(world, admin("east")).commandCredential({ body });
    await expect(person).rejects.toMatchObject(forbidden);
    const machine = as(world, machinePrincipal("internal"));
    const query = { include_data: "true" } as const;
    const asked = machine.getCredential({ params: { ref: "api" }, query });
    await expect(asked).rejects.toMatchObject(forbidden);
    expect(localAdmin.platform).toBe(true);
  });

  test("deliveries and refusals are in the audit log, without what was delivered", async () => {
    const world = shelf().open();
    await put(world, "api", { token: "hunter2" });
    await put(world, "not-here", { allow: { pools: [] } });
    const { command } = await leased(world);
    await given(world, command, "api");
    await given(world, command, "not-here").catch(() => undefined);
    const entries = await world.stores.audit.list({ tenant: "east", limit: 10 });
    const told = entries.map(({ actor, action, object, outcome }) => ({
      actor,
      action,
      object,
      outcome,
    }));
    const deliver = { actor: "w1", action: "credential.deliver" };
    expect(told).toContainEqual({ ...deliver, object: "credential/api", outcome: "done" });
    expect(told).toContainEqual({ ...deliver, object: "credential/not-here", outcome: "refused" });
    expect(JSON.stringify(entries)).not.toContain("hunter2");
  });
});
