// Versions of the catalog over HTTP: what lists find, what changes say, what is put away and back.

import { describe, expect, test } from "bun:test";
import { apiClient } from "#core/adapters/api-client";
import type { Principal } from "#core/model/access";
import { catalogId } from "#core/model/ids";
import { chain, parent } from "#tests/control/playbooks";
import { onBothStores, type World } from "#tests/support/control";

const editor = (tenant: string): Principal => ({
  ...{ kind: "person", subject: `ed@${tenant}`, tenant, role: "editor" },
});
const clientOf = ({ control }: World, who: Principal) =>
  apiClient({ fetch: control.fetchAs(who), baseUrl: "http://control" });
const fault = (call: Promise<unknown>): Promise<unknown> => call.catch((thrown: unknown) => thrown);
const pathsOf = ({ entries }: { readonly entries: readonly { readonly path: string }[] }) =>
  entries.map(({ path }) => path);

const document = (kind: string, metadata: string, body: string): string =>
  `apiVersion: noetl.io/v2\nkind: ${kind}\nmetadata: {${metadata}}\n${body}`;
const noop = "workflow: [{step: s, tool: {kind: noop}}]";

onBothStores((shelf) => {
  /** A tenant's own catalog: the one on a database outlives the test. */
  let tenants = 0;
  const open = () => {
    const world = shelf().open();
    const tenant = `versions-${++tenants}`;
    const client = clientOf(world, editor(tenant));
    const register = (content: string) => client.registerCatalog({ body: { content } });
    return { world, tenant, client, register };
  };

  test("documents of all kinds are registered, listed and read, and only playbooks start", async () => {
    const { client, register } = open();
    await register(
      document("tool", "name: t, path: tools/t", "spec: {entry: a, input_schema: {}}"),
    );
    await register(document("Memory", "name: m, path: mem/m", "spec: {namespace: n}"));
    await register(document("Agent", "name: a, path: agents/a, capabilities: [chat]", noop));
    await register(document("Playbook", "name: b, path: agents/b, agent: true", noop));
    await register(document("Playbook", "name: p, path: plain", noop));
    const listed = async (type: string) =>
      pathsOf(await client.listCatalog({ body: { resource_type: type } }));
    expect(await listed("tools")).toEqual(["tools/t"]);
    expect(await listed("MEMORIES")).toEqual(["mem/m"]);
    expect(await listed("agent")).toEqual(["agents/a"]);
    expect(pathsOf(await client.listAgents({ body: undefined }))).toEqual(["agents/a", "agents/b"]);
    const chat = { capability: "chat" };
    expect(pathsOf(await client.listAgents({ body: chat }))).toEqual(["agents/a"]);
    expect(await fault(listed("notebook"))).toMatchObject({ code: "invalid" });
    expect(await client.execute({ body: { path: "agents/a" } })).toMatchObject({
      status: "started",
    });
    expect(await fault(client.execute({ body: { path: "tools/t" } }))).toMatchObject({
      code: "invalid",
      message: "tools/t is of kind Tool, expected a playbook or an agent",
    });
  });

  test("a resource_type that the document isn't of is refused", async () => {
    const { client } = open();
    const as = (type: string, metadata = "name: x") =>
      fault(
        client.registerCatalog({
          body: { content: document("Playbook", metadata, noop), resource_type: type },
        }),
      );
    expect(await as("tool")).toMatchObject({ code: "invalid" });
    expect(await as("agent")).toMatchObject({ code: "invalid" });
    expect(await as("whatever")).toMatchObject({
      code: "invalid",
      message: expect.stringContaining("playbook, agent, mcp"),
    });
    expect(await as("playbooks")).toMatchObject({ created: true });
    expect(await as("agents", "name: y, agent: true")).toMatchObject({ created: true });
  });

  test.each([
    ...["../up", "a//b", "a/./b", " a", "a@1", "a%2fb", "a?b", "a\\\\b", "a\\nb", "x".repeat(201)],
  ])("the path %j is refused", async (path) => {
    const { register } = open();
    const content = document("Playbook", `name: p, path: "${path}"`, noop);
    expect(await fault(register(content))).toMatchObject({ code: "invalid" });
  });

  test("lists are paged by path, and searched by words", async () => {
    const { client, register, world } = open();
    for (const name of ["delta", "alpha", "charlie", "bravo"]) {
      await register(
        document("Playbook", `name: ${name}, path: w/${name}, labels: {team: Žluť ${name}}`, noop),
      );
    }
    const pages: string[][] = [];
    for (let after: string | null = ""; after !== null; ) {
      const page: Awaited<ReturnType<typeof client.listCatalog>> = await client.listCatalog({
        body: { prefix: "w/", limit: 3, ...(after === "" ? {} : { after }) },
      });
      pages.push(pathsOf(page));
      after = page.next_after;
    }
    expect(pages).toEqual([["w/alpha", "w/bravo", "w/charlie"], ["w/delta"]]);
    const found = async (q: string) => pathsOf(await client.searchCatalog({ query: { q } }));
    expect(await found("žluť BRAVO")).toEqual(["w/bravo"]);
    expect(await found("žluť nothing")).toEqual([]);
    const other = clientOf(world, editor("versions-other"));
    expect(pathsOf(await other.searchCatalog({ query: { q: "bravo" } }))).toEqual([]);
  });

  test("what is put away is not started, not listed, and not lost", async () => {
    const { client, register, world, tenant } = open();
    const [path, caller] = ["away/p", "away/caller"];
    await register(chain(path, 1));
    const { catalog_id: second } = await register(chain(path, 2));
    await register(parent(caller, path));
    const running = await client.execute({ body: { path } });
    const one = await client.deleteCatalog({ body: { path, version: 2 } });
    expect(one).toMatchObject({ count: 1, deleted: [{ catalog_id: second, version: 2 }] });
    expect(await client.execute({ body: { path } })).toMatchObject({ status: "started" });
    const refused = { code: "not_found", message: expect.stringContaining("archived: restore it") };
    expect(await fault(client.execute({ body: { path, version: 2 } }))).toMatchObject(refused);
    expect(await fault(client.execute({ body: { catalog_id: second } }))).toMatchObject(refused);

    expect(await client.deleteCatalog({ body: { path } })).toMatchObject({ count: 1 });
    expect(await client.deleteCatalog({ body: { path } })).toMatchObject({ count: 0 });
    expect(await fault(client.execute({ body: { path } }))).toMatchObject(refused);
    expect(pathsOf(await client.listCatalog({ body: {} }))).toEqual([caller]);
    const all = await client.listCatalog({ body: { include_archived: true } });
    expect(all.entries.map((entry) => [entry.path, entry.archived_by])).toEqual([
      [caller, undefined],
      [path, `ed@${tenant}`],
    ]);
    const read = await client.catalogResource({ body: { path } });
    expect(read).toMatchObject({ version: 2, content: chain(path, 2) });
    expect(read.archived_at).toBeString();
    expect(await client.executionStatus({ params: { id: running.execution_id } })).toMatchObject({
      status: "RUNNING",
    });
    const calling = await client.execute({ body: { path: caller } });
    expect(await world.ended(calling.execution_id as never)).toBe("failed");
    const events = await world.events(calling.execution_id as never);
    expect(events.map(({ type }) => type)).not.toContain("child.started");

    expect(await client.restoreCatalog({ body: { path } })).toMatchObject({ count: 2 });
    expect(await client.execute({ body: { catalog_id: second } })).toMatchObject({
      status: "started",
    });
    const audit = await world.stores.audit.list({ tenant, object: `catalog/${path}`, limit: 9 });
    expect(audit.map(({ action, actor }) => `${action} ${actor}`)).toEqual([
      `catalog.restore ed@${tenant}`,
      `catalog.delete ed@${tenant}`,
      `catalog.delete ed@${tenant}`,
      `catalog.register ed@${tenant}`,
      `catalog.register ed@${tenant}`,
    ]);
  });

  test("an id that has just been started from is refused once it is put away, elsewhere too", async () => {
    const { client, register, world, tenant } = open();
    const { catalog_id } = await register(chain("away/replica", 1));
    const other = clientOf(world.another(), editor(tenant));
    await client.execute({ body: { catalog_id } });
    await client.deleteCatalog({ body: { path: "away/replica" } });
    expect(await fault(client.execute({ body: { catalog_id } }))).toMatchObject({
      code: "not_found",
    });
    expect(await fault(other.execute({ body: { path: "away/replica" } }))).toMatchObject({
      code: "not_found",
    });
    expect(await fault(other.execute({ body: { catalog_id } }))).toMatchObject({
      code: "not_found",
    });
  });

  test("the newest content anew brings its version back", async () => {
    const { client, register, world } = open();
    const first = await register(chain("away/again", 1));
    await client.deleteCatalog({ body: { path: "away/again" } });
    const again = await register(chain("away/again", 1));
    expect(again).toMatchObject({ created: false, version: 1, catalog_id: first.catalog_id });
    expect(again.message).toContain("is back");
    const entry = await world.stores.catalog.byId(catalogId(first.catalog_id));
    expect(entry).not.toHaveProperty("archivedAtMs");
  });

  test("nobody puts away what is another tenant's, and viewers nothing at all", async () => {
    const { register, world, tenant } = open();
    await register(chain("away/mine", 1));
    const other = clientOf(world, editor("versions-other"));
    const body = { path: "away/mine" };
    expect(await fault(other.deleteCatalog({ body }))).toMatchObject({ code: "not_found" });
    expect(await fault(other.deleteCatalog({ body: { ...body, tenant } }))).toMatchObject({
      code: "forbidden",
    });
    const viewer = clientOf(world, { ...editor(tenant), role: "viewer" });
    expect(await fault(viewer.deleteCatalog({ body }))).toMatchObject({ code: "forbidden" });
    expect((await viewer.listCatalog({ body: {} })).entries).toHaveLength(1);
  });

  test("versions are paged, and compared with the one before", async () => {
    const { client, register } = open();
    const path = "compare/p";
    for (const steps of [1, 2, 3]) await register(chain(path, steps));
    const newest = await client.catalogVersions({ query: { path, limit: 2 } });
    expect(newest.versions.map(({ version }) => version)).toEqual([3, 2]);
    const rest = await client.catalogVersions({ query: { path, before: newest.next_before ?? 0 } });
    expect(rest).toMatchObject({ versions: [{ version: 1 }], next_before: null });
    const last = await client.catalogDiff({ query: { path } });
    expect(last).toMatchObject({ from: 2, to: 3, same: false });
    expect(last.steps).toEqual({ added: ["s3"], removed: [], changed: ["s2"] });
    expect(last.text).toContain("\n+- step: s3\n");
    const back = await client.catalogDiff({ query: { path, from: 3, to: 1 } });
    expect(back.steps).toEqual({ added: [], removed: ["s2", "s3"], changed: ["s1"] });
  });

  describe("the form of a run", () => {
    test("is found under both addresses, and keeps secrets to itself", async () => {
      const { client, register } = open();
      const content = `apiVersion: noetl.io/v2
kind: Playbook
metadata: {name: f, path: forms/f, title: A form, description: "**What** it does", exposed_in_ui: true}
workload:
  region: eu # ui:enum=[eu, us] ui:description=Where
  db: pg_main # ui:credential=pg_*
  api_key: s3cret-value
${noop}`;
      await register(content);
      const form = await client.uiSchema({ query: { path: "forms/f" } });
      expect(form).toMatchObject({
        ...{ path: "forms/f", version: 1, kind: "Playbook", title: "A form" },
        ...{ description_markdown: "**What** it does", exposed_in_ui: true },
        fields: [
          { name: "region", kind: "enum", options: ["eu", "us"], description: "Where" },
          { name: "db", credential_glob: "pg_*" },
          { name: "api_key", secret: true, default: null },
        ],
      });
      expect(JSON.stringify(form)).not.toContain("s3cret-value");
      const older = await client.uiSchemaOf({
        params: { "*": "forms/f/ui_schema" },
        query: { version: 1 },
      });
      expect(older).toEqual({ ...form, generated_at: older.generated_at });
    });
  });

  test("validating says everything and keeps nothing", async () => {
    const { client } = open();
    const bad = await client.validateCatalog({ body: { content: "kind: Tool\nspec: {}" } });
    expect(bad).toMatchObject({ ok: false, kind: "Tool" });
    expect(bad.problems.length).toBeGreaterThan(2);
    const content = document("Playbook", "name: v, path: v", noop);
    expect(await client.validateCatalog({ body: { content } })).toMatchObject({ ok: true });
    const body = { content, resource_type: "tool" };
    expect(await client.validateCatalog({ body })).toMatchObject({ ok: false });
    expect((await client.listCatalog({ body: {} })).entries).toEqual([]);
  });
});
