// The contract of the catalog, told against the port alone.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { snowflakeMint } from "#core/adapters/system-clock";
import { tenantDefault } from "#core/model/dispatch";
import { catalogId } from "#core/model/ids";
import type { CatalogStore, NewCatalogEntry } from "#core/ports/catalog-store";
import { sha256, startMs } from "./transitions.ts";

export interface CatalogWorld {
  readonly catalog: CatalogStore;
  close(): Promise<void>;
}

const mint = snowflakeMint({ nowMs: () => startMs }, 8);

const entry = (path: string, content: string, part: Partial<NewCatalogEntry> = {}) => ({
  catalogId: catalogId(mint.catalogId()),
  tenant: tenantDefault,
  path,
  kind: "playbook",
  content,
  digest: sha256(content),
  meta: { title: "a \0 title 😀", tags: ["x"], depth: { b: 1, a: null } },
  createdAtMs: startMs + 123,
  ...part,
});

/** Runs the contract on the catalog that `open` makes once, empty. */
export function catalogStoreContract(name: string, open: () => Promise<CatalogWorld>): void {
  describe(`the catalog on ${name}`, () => {
    let opened: CatalogWorld | undefined;
    const catalog = (): CatalogStore => {
      if (opened === undefined) throw new Error(`${name} did not open`);
      return opened.catalog;
    };
    beforeAll(async () => {
      opened = await open();
    }, 60_000);
    afterAll(() => opened?.close());

    test("versions of a path are counted from one", async () => {
      const first = entry("count/a", "one");
      const second = entry("count/a", "two", { kind: "agent", meta: {} });
      const created = { entry: { ...first, version: 1 }, created: true };
      expect(await catalog().register(first)).toEqual(created);
      expect(await catalog().register(entry("count/b", "one"))).toHaveProperty("entry.version", 1);
      expect(await catalog().register(second)).toEqual({
        entry: { ...second, version: 2 },
        created: true,
      });
      expect(await catalog().byId(first.catalogId)).toEqual({ ...first, version: 1 });
      expect(await catalog().byPath(tenantDefault, "count/a", 1)).toEqual({ ...first, version: 1 });
      expect(await catalog().byPath(tenantDefault, "count/a")).toEqual({ ...second, version: 2 });
    });

    test("the content of the newest version is that version again; an older one is new", async () => {
      const one = entry("again", "one");
      await catalog().register(one);
      const again = await catalog().register(entry("again", "one"));
      expect(again).toEqual({ entry: { ...one, version: 1 }, created: false });
      await catalog().register(entry("again", "two"));
      const back = await catalog().register(entry("again", "one"));
      expect([back.entry.version, back.created]).toEqual([3, true]);
    });

    test("what isn't there is undefined", async () => {
      await catalog().register(entry("there", "one"));
      expect(await catalog().byId(catalogId("12345"))).toBeUndefined();
      expect(await catalog().byId(catalogId("not an id"))).toBeUndefined();
      expect(await catalog().byPath(tenantDefault, "there", 2)).toBeUndefined();
      expect(await catalog().byPath(tenantDefault, "there", 99_999_999_999)).toBeUndefined();
      expect(await catalog().byPath(tenantDefault, "the")).toBeUndefined();
    });

    test("parallel registers of different contents all get a version of their own", async () => {
      const contents = Array.from({ length: 20 }, (_, n) => `content ${n}`);
      const done = await Promise.all(
        contents.map((content) => catalog().register(entry("race/different", content))),
      );
      const versions = done.map((one) => one.entry.version).sort((a, b) => a - b);
      expect(versions).toEqual(contents.map((_, n) => n + 1));
    });

    test("parallel registers of one content make one version", async () => {
      const done = await Promise.all(
        Array.from({ length: 20 }, () => catalog().register(entry("race/same", "same"))),
      );
      expect(done.filter(({ created }) => created)).toHaveLength(1);
      expect(new Set(done.map((one) => one.entry.catalogId)).size).toBe(1);
    });

    test("lists hold the newest version of each path, by path, of a kind, up to a limit", async () => {
      const paths = ["list/b", "list/B", "list/a", "list/c"];
      for (const path of paths) await catalog().register(entry(path, "old", { kind: "listed" }));
      await catalog().register(entry("list/a", "new", { kind: "listed" }));
      await catalog().register(entry("list/c", "new", { kind: "other" }));
      const listed = async (filter: { kind?: string; path?: string; limit: number }) =>
        (await catalog().list(filter)).map(({ path, version }) => `${path}@${version}`);
      const all = ["list/B@1", "list/a@2", "list/b@1"];
      expect(await listed({ kind: "listed", limit: 9 })).toEqual(all);
      expect(await listed({ kind: "listed", limit: 2 })).toEqual(all.slice(0, 2));
      expect(await listed({ path: "list/c", limit: 9 })).toEqual(["list/c@2"]);
      expect(await listed({ path: "list/c", kind: "listed", limit: 9 })).toEqual([]);
    });

    test("tenants have paths, versions and contents of their own", async () => {
      const ofDefault = entry("tenant/path", "one");
      const ofAcme = entry("tenant/path", "one", { tenant: "acme" });
      await catalog().register(ofDefault);
      await catalog().register(entry("tenant/path", "two"));
      const first = await catalog().register(ofAcme);
      expect(first).toEqual({ entry: { ...ofAcme, version: 1 }, created: true });
      expect((await catalog().byPath("acme", "tenant/path"))?.catalogId).toBe(ofAcme.catalogId);
      expect(await catalog().byPath("acme", "tenant/path", 2)).toBeUndefined();
      expect(await catalog().byPath("other", "tenant/path")).toBeUndefined();
      expect((await catalog().byId(ofAcme.catalogId))?.tenant).toBe("acme");
      const listed = async (tenant?: string) => {
        const filter = { path: "tenant/path", limit: 9 };
        const found = await catalog().list(tenant === undefined ? filter : { ...filter, tenant });
        return found.map(({ tenant: own, version }) => `${own}@${version}`);
      };
      expect(await listed("acme")).toEqual(["acme@1"]);
      expect(await listed("other")).toEqual([]);
      expect(await listed()).toEqual(["acme@1", "default@2"]);
    });

    test("a large text comes back as it went in", async () => {
      const content = `# žluť 漢字 😀 '"\\ $1\n${"line\r\n\t".repeat(100_000)}`;
      const { entry: stored } = await catalog().register(entry("large", content));
      expect((await catalog().byId(stored.catalogId))?.content === content).toBe(true);
    });
  });
}
