// The contract of the catalog, told against the port alone.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { snowflakeMint } from "#core/adapters/system-clock";
import { tenantDefault } from "#core/model/dispatch";
import { catalogId } from "#core/model/ids";
import type {
  CatalogFilter,
  CatalogStore,
  FoundBy,
  NewCatalogEntry,
} from "#core/ports/catalog-store";
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
      const created = { entry: { ...first, version: 1 }, created: true, restored: false };
      expect(await catalog().register(first)).toEqual(created);
      expect(await catalog().register(entry("count/b", "one"))).toHaveProperty("entry.version", 1);
      expect(await catalog().register(second)).toEqual({
        entry: { ...second, version: 2 },
        created: true,
        restored: false,
      });
      expect(await catalog().byId(first.catalogId)).toEqual({ ...first, version: 1 });
      expect(await catalog().byPath(tenantDefault, "count/a", 1)).toEqual({ ...first, version: 1 });
      expect(await catalog().byPath(tenantDefault, "count/a")).toEqual({ ...second, version: 2 });
    });

    test("the content of the newest version is that version again; an older one is new", async () => {
      const one = entry("again", "one");
      await catalog().register(one);
      const again = await catalog().register(entry("again", "one"));
      expect(again).toEqual({ entry: { ...one, version: 1 }, created: false, restored: false });
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
      expect(first).toEqual({ entry: { ...ofAcme, version: 1 }, created: true, restored: false });
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

    const listed = async (filter: Omit<CatalogFilter, "limit">, limit = 9) =>
      (await catalog().list({ ...filter, limit })).map(({ path, version }) => `${path}@${version}`);
    const found = (part: Partial<FoundBy>): Partial<NewCatalogEntry> => ({
      found: { words: "", capabilities: [], isAgent: false, isExposed: false, ...part },
    });
    const who = { who: "ada@example.org", atMs: startMs + 5_000 };

    test("lists are narrowed by what entries say of themselves, and have no texts", async () => {
      const tenant = "found";
      const add = (path: string, part: Partial<FoundBy>) =>
        catalog().register(entry(path, path, { tenant, ...found(part) }));
      await add("a/one", { words: "a/one žluť 100%_", capabilities: ["x", "y"], isAgent: true });
      await add("a/two", { words: "a/two žluť", capabilities: ["x"], isExposed: true });
      await add("b/one", { words: "b/one" });
      expect(await listed({ tenant, terms: ["žluť", "one"] })).toEqual(["a/one@1"]);
      expect(await listed({ tenant, terms: ["%_"] })).toEqual(["a/one@1"]);
      expect(await listed({ tenant, terms: ["_"] })).toEqual(["a/one@1"]);
      expect(await listed({ tenant, capabilities: ["x"] })).toEqual(["a/one@1", "a/two@1"]);
      expect(await listed({ tenant, capabilities: ["y", "x"] })).toEqual(["a/one@1"]);
      expect(await listed({ tenant, isAgent: true })).toEqual(["a/one@1"]);
      expect(await listed({ tenant, isExposed: true })).toEqual(["a/two@1"]);
      expect(await listed({ tenant, prefix: "a/" })).toEqual(["a/one@1", "a/two@1"]);
      expect(await listed({ tenant, prefix: "a_" })).toEqual([]);
      expect(await listed({ tenant, after: "a/one" }, 1)).toEqual(["a/two@1"]);
      expect(await listed({ tenant, after: "b/one" })).toEqual([]);
      const [first] = await catalog().list({ tenant, limit: 1 });
      expect(first).not.toHaveProperty("content");
    });

    test("a newer version that says otherwise is what lists go by", async () => {
      const tenant = "otherwise";
      await catalog().register(entry("p", "old", { tenant, ...found({ isExposed: true }) }));
      await catalog().register(entry("p", "new", { tenant, ...found({}) }));
      expect(await listed({ tenant, isExposed: true })).toEqual([]);
    });

    test("what is put away is there by id and number, and the newest of the rest by its path", async () => {
      const place = { tenant: tenantDefault, path: "archive/a" };
      const [one, two] = [entry("archive/a", "one"), entry("archive/a", "two")];
      await catalog().register(one);
      await catalog().register(two);
      const second = { catalogId: two.catalogId, version: 2 };
      expect(await catalog().archive({ ...place, version: 2 }, who)).toEqual([second]);
      expect(await catalog().archive({ ...place, version: 2 }, who)).toEqual([]);
      expect(await catalog().archive({ ...place, version: 7 }, who)).toEqual([]);
      const archived = { ...two, version: 2, archivedAtMs: who.atMs, archivedBy: who.who };
      expect(await catalog().byId(two.catalogId)).toEqual(archived);
      expect(await catalog().byPath(tenantDefault, "archive/a", 2)).toEqual(archived);
      expect(await catalog().byPath(tenantDefault, "archive/a")).toEqual({ ...one, version: 1 });
      expect(await listed({ path: "archive/a" })).toEqual(["archive/a@1"]);
      expect(await listed({ path: "archive/a", withArchived: true })).toEqual(["archive/a@1"]);
      expect(await catalog().archive(place, who)).toHaveLength(1);
      expect(await catalog().byPath(tenantDefault, "archive/a")).toEqual(archived);
      expect(await listed({ path: "archive/a" })).toEqual([]);
      expect(await listed({ path: "archive/a", withArchived: true })).toEqual(["archive/a@2"]);
      expect((await catalog().restore(place)).map(({ version }) => version)).toEqual([1, 2]);
      expect(await catalog().byPath(tenantDefault, "archive/a")).toEqual({ ...two, version: 2 });
    });

    test("whatever is put away and brought back, lists show the newest of the rest", async () => {
      const path = "archive/turns";
      const place = { tenant: tenantDefault, path };
      for (const content of ["1", "2", "3", "4"]) await catalog().register(entry(path, content));
      const shown: string[] = [];
      const look = async () => shown.push(...(await listed({ path })), "|");
      for (const version of [4, 3]) await catalog().archive({ ...place, version }, who);
      await look();
      await catalog().register(entry(path, "5"));
      await catalog().restore({ ...place, version: 3 });
      await look();
      for (const version of [5, 2]) await catalog().archive({ ...place, version }, who);
      await look();
      await Promise.all([3, 1].map((version) => catalog().archive({ ...place, version }, who)));
      await look();
      await Promise.all([catalog().register(entry(path, "5")), catalog().restore(place)]);
      await look();
      expect(shown.join(" ")).toBe(`${path}@2 | ${path}@5 | ${path}@3 | | ${path}@5 |`);
    });

    test("the newest content anew brings its version back; a tenant puts away its own alone", async () => {
      const ofAcme = entry("archive/b", "one", { tenant: "acme" });
      const one = entry("archive/b", "one");
      await catalog().register(ofAcme);
      await catalog().register(one);
      await catalog().archive({ tenant: "acme", path: "archive/b" }, who);
      expect(await catalog().byId(one.catalogId)).not.toHaveProperty("archivedAtMs");
      const again = await catalog().register(entry("archive/b", "one", { tenant: "acme" }));
      const back = { entry: { ...ofAcme, version: 1 }, created: false, restored: true };
      expect(again).toEqual(back);
      expect(await catalog().byId(ofAcme.catalogId)).not.toHaveProperty("archivedAtMs");
    });

    test("versions are paged, newest first, and texts are read by their ids", async () => {
      const place = { tenant: tenantDefault, path: "versions/a" };
      const all = ["one", "two", "three"].map((content) => entry("versions/a", content));
      for (const each of all) await catalog().register(each);
      await catalog().archive({ ...place, version: 2 }, who);
      const page = await catalog().versions(place, { limit: 2 });
      expect(page.map(({ version, archivedAtMs }) => [version, archivedAtMs])).toEqual([
        [3, undefined],
        [2, who.atMs],
      ]);
      const rest = await catalog().versions(place, { before: 2, limit: 2 });
      expect(rest.map(({ version }) => version)).toEqual([1]);
      expect(rest[0]).not.toHaveProperty("content");
      const ids = [...all.map(({ catalogId: id }) => id), catalogId("9"), catalogId("none")];
      const contents = await catalog().contents(ids);
      expect([...contents.values()].sort()).toEqual(["one", "three", "two"]);
    });

    test("a large text comes back as it went in", async () => {
      const content = `# žluť 漢字 😀 '"\\ $1\n${"line\r\n\t".repeat(100_000)}`;
      const { entry: stored } = await catalog().register(entry("large", content));
      expect((await catalog().byId(stored.catalogId))?.content === content).toBe(true);
    });
  });
}
