// The catalog: versions that never change, found by id, by path, or as the newest.

import { describe, expect, test } from "bun:test";
import { executionId } from "#core/model/ids";
import { onBothStores, type World } from "#tests/support/control";
import { handWorker, only } from "#tests/support/hand-worker";
import { chain, parent } from "./playbooks.ts";

const register = (world: World, content: string, path?: string) =>
  world.client.registerCatalog({ body: { content, ...(path === undefined ? {} : { path }) } });

const fault = (call: Promise<unknown>): Promise<unknown> => call.catch((thrown: unknown) => thrown);

onBothStores((shelf) => {
  test("the same content is the same version, another one the next", async () => {
    const world = shelf().open();
    const path = `versions/${shelf().kind}`;
    const first = await register(world, chain(path, 1));
    expect(first).toMatchObject({ status: "success", path, version: 1, created: true });
    const again = await register(world, chain(path, 1));
    expect(again).toMatchObject({ version: 1, created: false, catalog_id: first.catalog_id });
    expect(await register(world, chain(path, 2))).toMatchObject({ version: 2, created: true });
    // An older content anew is a newer version: the newest is what was registered last.
    expect(await register(world, chain(path, 1))).toMatchObject({ version: 3, created: true });
  });

  test("the path and the pool of the platform itself are nobody else's", async () => {
    const world = shelf().open();
    const taken = await fault(register(world, chain("system/purge", 1)));
    const head = "apiVersion: noetl.io/v2\nkind: Playbook\nmetadata: {name: p, path: mine}\n";
    const pool = `${head}workflow: [{step: s, spec: {pool: system}, tool: {kind: noop}}]\n`;
    const chosen = await fault(register(world, pool));

    expect(taken).toMatchObject({ code: "forbidden", message: expect.stringContaining("system/") });
    expect(chosen).toMatchObject({ code: "invalid", message: expect.stringContaining("step s") });
  });

  test("a playbook of the platform runs in its pool, whatever its steps say", async () => {
    const world = shelf().open();
    const { stores } = world;
    const content = chain("system/purge", 1);
    await stores.catalog.register({
      catalogId: "1234567" as never,
      tenant: "default",
      path: "system/purge",
      kind: "Playbook",
      content,
      digest: Bun.SHA256.hash(content, "hex"),
      meta: {},
      createdAtMs: 0,
    });
    const id = await world.start("system/purge");
    const issued = (await world.events(id)).find(({ type }) => type === "command.issued");

    expect(issued).toMatchObject({ pool: "system" });
  });

  test("a tenant finds its own playbooks alone, also as sub-playbooks", async () => {
    const world = shelf().open();
    const { client } = world;
    const [path, child] = [`tenants/${shelf().kind}`, `tenants/child/${shelf().kind}`];
    await register(world, chain(child, 1));
    await client.registerCatalog({ body: { content: parent(path, child), tenant: "acme" } });
    expect(await fault(world.start(path))).toMatchObject({ code: "not_found" });
    const { entries } = await client.listCatalog({ body: { path, tenant: "acme" } });
    expect(entries).toHaveLength(1);
    expect((await client.listCatalog({ body: { path } })).entries).toEqual([]);
    const alone = await client.execute({ body: { path, tenant: "acme" } });
    expect(await world.ended(executionId(alone.execution_id))).toBe("failed");
    await client.registerCatalog({ body: { content: chain(child, 1), tenant: "acme" } });
    const { execution_id } = await client.execute({ body: { path, tenant: "acme" } });
    await world.control.sweep.sweepOnce();
    const tenants = (await world.stores.log.executions({ tenant: "acme", limit: 9 })).map((row) => [
      row.path,
      row.parentId,
    ]);
    expect(tenants).toEqual([
      [child, executionId(execution_id)],
      [path, undefined],
      [path, undefined],
    ]);
  });

  test("a sub-playbook that is named by the id of another tenant's does not exist", async () => {
    const world = shelf().open();
    const [path, child] = [`tenants/id/${shelf().kind}`, `tenants/named/${shelf().kind}`];
    const { catalog_id: id } = await register(world, chain(child, 1));
    const content = parent(path, child).replace(`path: ${child},`, `catalog_id: "${id}",`);
    const failed: string[] = [];
    for (const tenant of ["acme", "default"]) {
      await world.client.registerCatalog({ body: { content, tenant } });
      const { execution_id } = await world.client.execute({ body: { path, tenant } });
      const head = await world.stores.log.head(executionId(execution_id));
      if (head?.row.status === "failed") failed.push(tenant);
    }
    expect(failed).toEqual(["acme"]);
  });

  test("content may come as base64", async () => {
    const world = shelf().open();
    const content = `${chain("base/64", 1)}\n# ünïcode ☃\n`;
    const bytes = Buffer.from(content).toString("base64");
    const folded = bytes.replace(/.{60}/g, "$&\n");
    const { catalog_id, version } = await register(world, folded);
    const entry = await world.client.catalogResource({ body: { catalog_id } });
    expect(entry.content).toBe(content);
    expect(await register(world, content)).toMatchObject({ catalog_id, version });
  });

  test("a path in the request is taken where the playbook names none", async () => {
    const world = shelf().open();
    const content =
      "apiVersion: noetl.io/v2\nkind: Playbook\nmetadata: {name: plain}\nworkflow: [{step: s, tool: {kind: noop}}]\n";
    expect(await register(world, content, "from/request")).toMatchObject({ path: "from/request" });
    expect(await register(world, content)).toMatchObject({ path: "plain" });
  });

  test("a version is found by id, by path and number, and as the newest", async () => {
    const world = shelf().open();
    const path = `found/${shelf().kind}`;
    const first = await register(world, chain(path, 1));
    const second = await register(world, chain(path, 2));
    const find = async (body: Parameters<typeof world.client.catalogResource>[0]["body"]) =>
      (await world.client.catalogResource({ body })).catalog_id;
    expect(await find({ catalog_id: first.catalog_id })).toBe(first.catalog_id);
    expect(await find({ path, version: 1 })).toBe(first.catalog_id);
    expect(await find({ path })).toBe(second.catalog_id);
    expect(await find({ path, version: "latest" })).toBe(second.catalog_id);
    for (const body of [{ path, version: 9 }, { path: "found/nowhere" }, { catalog_id: "12" }]) {
      expect(await fault(find(body))).toMatchObject({ code: "not_found" });
    }
    expect(await fault(find({}))).toMatchObject({ code: "invalid" });
  });

  test("the list has the newest version of each path, without its content", async () => {
    const world = shelf().open();
    const path = `listed/${shelf().kind}`;
    await register(world, chain(path, 1));
    await register(world, chain(path, 2));
    const { entries } = await world.client.listCatalog({ body: { path } });
    expect(only(entries)).toMatchObject({ path, version: 2, kind: "Playbook" });
    expect(only(entries)).not.toHaveProperty("content");
    const all = await world.client.listCatalog({ body: { resource_type: "playbook", limit: 500 } });
    const paths = all.entries.map((entry) => entry.path);
    expect(paths).toContain(path);
    expect(new Set(paths).size).toBe(paths.length);
    expect((await world.client.listCatalog({ body: { limit: 1 } })).entries).toHaveLength(1);
    const credentials = await world.client.listCatalog({ body: { resource_type: "credential" } });
    expect(credentials.entries).toEqual([]);
  });

  test("an execution keeps the version that it was started with", async () => {
    const world = shelf().open();
    const path = `pinned/${shelf().kind}`;
    await register(world, chain(path, 2));
    const id = await world.start(path);
    await register(world, chain(path, 5));
    const after = world.another();
    expect(await handWorker(after.client).drain()).toBe(2);
    expect(await after.ended(id)).toBe("completed");
    const old = await world.client.execute({ body: { path, version: 1 } });
    expect(old).toMatchObject({ path, version: 1 });
  });

  describe("a playbook that is not valid", () => {
    test("is refused with every problem and its place, and not registered", async () => {
      const world = shelf().open();
      const content = `apiVersion: noetl.io/v2
kind: Playbook
metadata: {name: bad, path: bad/one}
workflow:
- step: a
  tool: {kind: noop}
  next: {arcs: [{step: nowhere}]}
- step: b
  tool: {kind: noop, message: "{{ 1 + }}"}
`;
      const refusal = await fault(register(world, content));
      expect(refusal).toMatchObject({ code: "invalid" });
      const details = (refusal as { readonly details?: unknown }).details;
      expect(details).toMatchObject({
        problems: [
          { line: 7, column: expect.any(Number), message: expect.stringContaining("nowhere") },
          { line: 9, column: expect.any(Number), message: expect.any(String) },
        ],
      });
      const { entries } = await world.client.listCatalog({ body: { path: "bad/one" } });
      expect(entries).toEqual([]);
    });

    test("is refused when it is no YAML, nothing at all, or too large", async () => {
      const world = shelf().open();
      for (const content of ["", "a: [1", "just text", "\u0000"]) {
        expect(await fault(register(world, content))).toMatchObject({ code: "invalid" });
      }
      const large = `${chain("t/large", 1)}\n#${"x".repeat(4 * 1_048_576)}`;
      expect(await fault(register(world, large))).toMatchObject({ code: "too_large" });
    });
  });
});
