// The contract of credentials, told against the port alone.
import { expect, test } from "bun:test";
import type { CredentialStore, NewCredentialRow } from "#core/ports/credential-store";
import { onWorld, type PlatformWorld } from "./platform.ts";
import { newExecution } from "./transitions.ts";

const sealedAs = (text: string): string => `eyJ0.${""}.aXY.${text}.dGFn`;

/** As others need it: any id of its own will do. */
const given = (name: string, part: Partial<NewCredentialRow> = {}): NewCredentialRow => ({
  credentialId: newExecution(),
  tenant: "acme",
  name,
  type: "bearer",
  sealed: sealedAs("first"),
  kid: "k1",
  meta: {},
  tags: [],
  allow: {},
  ...part,
});

export function credentialStoreContract(world: PlatformWorld): void {
  onWorld("credentials", world, (opened) => {
    const vault = (): CredentialStore => opened().stores.vault;
    const names = async (tenant: string, filter: object = {}) =>
      (await vault().list(tenant, { limit: 100, ...filter })).map(({ name }) => name);

    test("one is found by name and by id, in its tenant alone, as it was given", async () => {
      const row = given('a "name" $1 \\ žluť 😀/x', {
        meta: { owner: "ada", "nul\u0000": "\ud800", deep: [1, { two: null }] },
        tags: ["b", 'a "tag", with {brackets}', ""],
        description: "what it is for",
        allow: { tenants: ["one", "t,wo"], playbooks: ["a/**"], pools: [] },
      });
      const { row: stored, created } = await vault().put(row);
      expect(created).toBe(true);
      expect(stored).toEqual({
        ...row,
        revision: 1,
        createdAtMs: expect.any(Number),
        updatedAtMs: expect.any(Number),
      });
      expect(await vault().get("acme", row.name)).toEqual(stored);
      expect(await vault().get("acme", row.credentialId)).toEqual(stored);
      expect(await vault().get("other", row.name)).toBeUndefined();
      expect(await vault().get("other", row.credentialId)).toBeUndefined();
      expect(await vault().get("acme", "99999999999999999999")).toBeUndefined();
    });

    test("replacing keeps the id, counts, and leaves nothing of the one before", async () => {
      const first = given("replaced", { tags: ["x"], description: "d", allow: { pools: ["p"] } });
      await vault().put(first);
      const second = given("replaced", { type: "basic", sealed: sealedAs("second"), kid: "k2" });
      const { row, created } = await vault().put(second);
      expect(created).toBe(false);
      expect(row).toMatchObject({
        credentialId: first.credentialId,
        revision: 2,
        type: "basic",
        sealed: second.sealed,
        kid: "k2",
        tags: [],
        allow: {},
      });
      expect(row.description).toBeUndefined();
      expect(row.updatedAtMs).toBeGreaterThanOrEqual(row.createdAtMs);
    });

    test("lists are by name, paged, and search names, descriptions and tags", async () => {
      const tenant = "lists";
      const all = [
        given("Zed", { tenant, type: "basic" }),
        given("a-1", { tenant, description: "the Warehouse" }),
        given("a_2", { tenant, tags: ["WAREHOUSE"] }),
        given("ž", { tenant }),
        given("\uffee", { tenant }),
        given("😀", { tenant }),
      ];
      for (const row of all.toReversed()) await vault().put(row);
      expect(await names(tenant)).toEqual(all.map(({ name }) => name));
      expect(await names(tenant, { q: "warehouse" })).toEqual(["a-1", "a_2"]);
      expect(await names(tenant, { q: "%" })).toEqual([]);
      expect(await names(tenant, { type: "basic" })).toEqual(["Zed"]);
      expect(await names(tenant, { after: "a-1", limit: 2 })).toEqual(["a_2", "ž"]);
      expect(await names("nobody")).toEqual([]);
    });

    test("one that is removed is gone, and its name is free for a new one", async () => {
      const row = given("gone");
      await vault().put(row);
      expect(await vault().remove("other", "gone")).toBe(false);
      expect(await vault().remove("acme", row.credentialId)).toBe(true);
      expect(await vault().remove("acme", "gone")).toBe(false);
      const { row: anew, created } = await vault().put(given("gone"));
      expect([created, anew.revision]).toEqual([true, 1]);
      expect(anew.credentialId).not.toBe(row.credentialId);
    });

    test("others find those that allow them, by name alone", async () => {
      await vault().put(given("shared", { tenant: "s2", allow: { tenants: ["east"] } }));
      await vault().put(given("shared", { tenant: "s1", allow: { tenants: ["west", "*"] } }));
      await vault().put(given("shared", { tenant: "s3", allow: { tenants: ["west"] } }));
      await vault().put(given("shared", { tenant: "s4" }));
      const owners = async (tenant: string, name = "shared") =>
        (await vault().shared(tenant, name)).map((row) => row.tenant);
      expect(await owners("east")).toEqual(["s1", "s2"]);
      expect(await owners("west")).toEqual(["s1", "s3"]);
      expect(await owners("s1")).toEqual([]);
      expect(await owners("east", "none")).toEqual([]);
    });

    test("sealing anew changes nothing else, and loses against a change", async () => {
      const { row } = await vault().put(given("resealed", { kid: "old" }));
      const [old] = (await vault().oldKeys("k9", 1_000)).filter(({ name }) => name === "resealed");
      expect(old).toEqual(row);
      const next = { ...row, sealed: sealedAs("anew"), kid: "k9" };
      expect(await vault().reseal(next)).toBe(true);
      expect(await vault().get("acme", "resealed")).toEqual(next);
      const left = await vault().oldKeys("k9", 1_000);
      expect(left.map(({ name }) => name)).not.toContain("resealed");
      await vault().put(given("resealed", { sealed: sealedAs("newer"), kid: "k1" }));
      expect(await vault().reseal({ ...next, sealed: sealedAs("late") })).toBe(false);
      expect((await vault().get("acme", "resealed"))?.sealed).toBe(sealedAs("newer"));
      await vault().remove("acme", "resealed");
      expect(await vault().reseal({ ...next, revision: 2 })).toBe(false);
    });

    test("keys are counted, and old ones come in pieces", async () => {
      const before = await vault().countsByKey();
      expect(before["counted"]).toBeUndefined();
      const tenant = "counts";
      for (const name of ["c1", "c2", "c3"])
        await vault().put(given(name, { tenant, kid: "counted" }));
      expect((await vault().countsByKey())["counted"]).toBe(3);
      const total = Object.values(before).reduce((sum, count) => sum + count, 0);
      expect(await vault().oldKeys("counted", 2)).toHaveLength(Math.min(2, total));
      const all = (await vault().oldKeys("none", 1_000)).map(({ credentialId }) => credentialId);
      expect(all).toHaveLength(total + 3);
      const rest = await vault().oldKeys("none", 1_000, all[total]);
      expect(rest.map(({ credentialId }) => credentialId)).toEqual(all.slice(total + 1));
    });

    test("of many that put one name at once each counts, and one made it", async () => {
      const puts = await Promise.all(
        Array.from({ length: 12 }, (_, n) => vault().put(given("raced", { type: `t${n}` }))),
      );
      expect(puts.filter(({ created }) => created)).toHaveLength(1);
      expect((await vault().get("acme", "raced"))?.revision).toBe(12);
      expect(new Set(puts.map(({ row }) => row.credentialId)).size).toBe(1);
    });

    test("a database takes nothing that is not sealed", async () => {
      const { sql } = opened();
      if (sql === undefined) return;
      const { row } = await vault().put(given("plain"));
      for (const text of [
        '{"password":"hunter2"}',
        "hunter2",
        "a.b.c.d.e",
        "a..b.c.d\nx",
        "a..b..d",
      ]) {
        const plain = sql.query(
          "update noetl.credential set sealed = $1::text where credential_id = $2::text::bigint",
          [text, row.credentialId],
        );
        await expect(plain).rejects.toMatchObject({ message: expect.stringContaining("23514") });
      }
    });
  });
}
