// The contract of keychain entries, told against the port alone.
import { expect, test } from "bun:test";
import type { ExecutionId } from "#core/model/ids";
import type { KeychainRow, KeychainStore } from "#core/ports/keychain-store";
import { onWorld, type PlatformStores, type PlatformWorld } from "./platform.ts";
import { newExecution } from "./transitions.ts";

const hourMs = 3_600_000;
const times = { keychain: ["expires_at", "renew_at", "fetching_until"] };
const sealed = "eyJhbGciOiJkaXIifQ..aXY.Y2lwaGVy.dGFn";
let rows = 0;

export function keychainStoreContract(world: PlatformWorld): void {
  onWorld("keychain entries", world, (opened) => {
    const store = (): KeychainStore => opened().stores.keychain;
    // On memory the clock stands where the test's does.
    const nowMs = async (): Promise<number> => {
      const { sql } = opened();
      if (sql === undefined) {
        const probe = fresh();
        await store().put(probe);
        return (await store().get(probe.cacheKey))?.createdAtMs ?? 0;
      }
      const [row] = await sql.query<{ ms: number }>(
        "select (extract(epoch from now()) * 1000)::float8 as ms",
      );
      return row?.ms ?? 0;
    };
    const good = async (part: Partial<KeychainRow> = {}): Promise<KeychainRow> =>
      fresh({ expiresAtMs: Math.floor(await nowMs()) + hourMs, ...part });

    test("what is put is there, with what is told of it, and a second one takes its place", async () => {
      const row = await good({
        catalogId: "9007199254740993",
        scope: "local",
        executionId: newExecution(),
        autoRenew: true,
        renew: { endpoint: 'https://idp "x" \\ žluť 😀' },
      });
      await store().put(row);
      expect(await store().get(row.cacheKey)).toMatchObject({
        ...row,
        expired: false,
        accessCount: 0,
      });
      await store().touch(row.cacheKey, 1);
      await store().touch(row.cacheKey, 4);
      const read = await store().get(row.cacheKey);
      expect(read?.accessCount).toBe(5);
      expect(read?.accessedAtMs).toBeGreaterThan(0);
      await store().put({ ...row, kind: "oauth2" });
      expect(await store().get(row.cacheKey)).toMatchObject({ kind: "oauth2", accessCount: 0 });
      expect(await store().remove(row.cacheKey)).toBe(true);
      expect(await store().remove(row.cacheKey)).toBe(false);
      expect(await store().get(row.cacheKey)).toBeUndefined();
    });

    test("of many that begin at once one fetches, and all have what it brings", async () => {
      const row = await good();
      const begun = await Promise.all(
        Array.from({ length: 12 }, (_, n) => store().begin(row.cacheKey, `o${n}`, 60_000)),
      );
      expect(begun.filter((each) => each === "yours")).toHaveLength(1);
      expect(begun.filter((each) => each === "wait")).toHaveLength(11);
      const owner = `o${begun.indexOf("yours")}`;
      expect(await store().finish("o-nobody", row)).toBe(false);
      expect(await store().get(row.cacheKey)).toBeUndefined();
      expect(await store().finish(owner, row)).toBe(true);
      expect(await store().begin(row.cacheKey, "late", 60_000)).toMatchObject({ row });
      expect(await store().finish(owner, row)).toBe(false);
    });

    test("a right that was given back, or held for too long, goes to the next", async () => {
      const row = await good();
      expect(await store().begin(row.cacheKey, "a", 10_000)).toBe("yours");
      await store().fail(row.cacheKey, "b");
      expect(await store().begin(row.cacheKey, "b", 10_000)).toBe("wait");
      await store().fail(row.cacheKey, "a");
      expect(await store().begin(row.cacheKey, "b", 10_000)).toBe("yours");
      await opened().passTime(10_001, times);
      expect(await store().begin(row.cacheKey, "c", 10_000)).toBe("yours");
      expect(await store().finish("b", row)).toBe(false);
      const later = await good();
      expect(await store().finish("c", { ...later, cacheKey: row.cacheKey })).toBe(true);
    });

    test("one that is due to be renewed is fetched by one and read by the others", async () => {
      const soon = Math.floor(await nowMs());
      const row = fresh({ expiresAtMs: soon + hourMs, renewAtMs: soon - 1, autoRenew: true });
      await store().put(row);
      expect(await store().begin(row.cacheKey, "a", 60_000)).toBe("yours");
      expect(await store().begin(row.cacheKey, "b", 60_000)).toMatchObject({ row });
      await store().fail(row.cacheKey, "a");
      expect(await store().get(row.cacheKey)).toMatchObject(row);
      expect(await store().begin(row.cacheKey, "b", 60_000)).toBe("yours");
      await store().put(row);
      expect(await store().finish("b", row)).toBe(false);
    });

    expiring(opened, good);
  });
}

function expiring(
  opened: () => PlatformStores,
  good: (part?: Partial<KeychainRow>) => Promise<KeychainRow>,
): void {
  const store = (): KeychainStore => opened().stores.keychain;

  test("one whose time has run out is told as such, fetched anew, and purged", async () => {
    while ((await store().purge(1_000)) > 0);
    const [old, other] = [await good(), await good()];
    await store().put(old);
    await store().put(other);
    expect(await store().purge(10)).toBe(0);
    await opened().passTime(hourMs + 1_000, times);
    const kept = fresh();
    await store().put(kept);
    expect(await store().get(old.cacheKey)).toMatchObject({ expired: true });
    expect(await store().begin(old.cacheKey, "a", 60_000)).toBe("yours");
    expect(await store().begin(old.cacheKey, "b", 60_000)).toBe("wait");
    // The one that is being fetched stays.
    expect(await store().purge(10)).toBeGreaterThanOrEqual(1);
    expect(await store().get(other.cacheKey)).toBeUndefined();
    expect(await store().get(old.cacheKey)).toBeDefined();
    expect(await store().get(kept.cacheKey)).toBeDefined();
  });

  test("rows are listed by catalog entry, and removed with the execution they are bound to", async () => {
    const [mine, tree] = [newExecution(), newExecution()];
    const catalogId = "9007199254740999";
    const b = await good({ catalogId, name: "b", scope: "shared", rootExecutionId: tree });
    const a = await good({ catalogId, name: "a", scope: "local", executionId: mine });
    const c = await good({ catalogId, name: "c" });
    for (const row of [b, a, c]) await store().put(row);
    await store().begin("acme/being fetched", "o", 1_000);
    const names = async () => (await store().ofCatalog(catalogId)).map(({ name }) => name);
    expect(await names()).toEqual(["a", "b", "c"]);
    expect(await store().ofCatalog("1")).toEqual([]);
    const all: ExecutionId[] = [];
    for (let page = await store().executions("", 1); page.length > 0; ) {
      all.push(...page);
      page = await store().executions(all.at(-1) ?? "", 1);
    }
    expect(all).toContain(mine);
    expect(all).toContain(tree);
    expect(new Set(all).size).toBe(all.length);
    expect(await store().removeOf(mine)).toBe(1);
    expect(await store().removeOf(tree)).toBe(1);
    expect(await store().removeOf(tree)).toBe(0);
    expect(await names()).toEqual(["c"]);
  });

  test("a value that is not sealed can't be kept in a database", async () => {
    const { sql } = opened();
    if (sql === undefined) return;
    const row = await good({ sealed: '{"token":"plain"}' });
    await expect(store().put(row)).rejects.toThrow("23514");
    expect(await store().get(row.cacheKey)).toBeUndefined();
  });
}

function fresh(part: Partial<KeychainRow> = {}): KeychainRow {
  rows += 1;
  const name = `entry ${rows}`;
  return {
    cacheKey: `acme/${name}:1:global`,
    tenant: "acme",
    name,
    scope: "global",
    kind: "static",
    cacheType: "secret",
    sealed,
    kid: "k1",
    autoRenew: false,
    ...part,
  };
}
