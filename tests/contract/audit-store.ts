// The contract of the audit log, told against the port, and against rows that were changed.
import { expect, test } from "bun:test";
import { verifyAudit } from "#control/access/verify-audit";
import type { Sql } from "#control/store/sql";
import { genesisDigest } from "#core/model/codec";
import type { AuditStore, NewAuditEntry } from "#core/ports/audit-store";
import { onWorld, type PlatformStores, type PlatformWorld } from "./platform.ts";

const entry = (part: Partial<NewAuditEntry> = {}): NewAuditEntry => ({
  ...{ actor: "ada@example.org", actorKind: "person", tenant: "acme", action: "user.add" },
  ...{ object: "user/1", outcome: "done" },
  ...part,
});

const batches = 125;

export function auditStoreContract(world: PlatformWorld): void {
  onWorld("the audit log", world, (opened) => {
    const store = (): AuditStore => opened().stores.audit;

    test("an empty log is whole", async () => {
      expect(await verifyAudit(store())).toEqual({
        ...{ count: 0, headDigest: genesisDigest, problems: [] },
      });
      expect(await store().append([])).toEqual([]);
    });

    test("entries come back as they were told, numbered from 1", async () => {
      const about = { text: 'žluť "q" \\ 😀', n: 1.5, list: [null, true], "": {} };
      const told = [entry({ about }), entry({ actorKind: "machine", outcome: "refused" })];
      const added = await store().append(told);
      expect(added.map(({ seq }) => seq)).toEqual([1, 2]);
      expect(added).toMatchObject(told);
      expect(added[1]?.previous).toBe(added[0]?.digest ?? "");
      expect(await store().after(0, 10)).toEqual(added);
      expect(await store().after(1, 10)).toEqual(added.slice(1));
    });

    test("of eight writers at once each has its own numbers, and the chain is whole", async () => {
      const [last] = await store().list({ limit: 1 });
      const write = async (writer: number): Promise<void> => {
        for (let n = 0; n < batches / 8; n++) {
          const batch = Array.from({ length: 8 }, (_, at) =>
            entry({ actor: `writer-${writer}`, object: `n/${n}`, about: { at } }),
          );
          const added = await store().append(batch);
          expect(added.map(({ about }) => about?.["at"])).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
        }
      };
      await Promise.all(Array.from({ length: 8 }, (_, writer) => write(writer)));
      const { count, problems } = await verifyAudit(store());
      expect(problems).toEqual([]);
      expect(count).toBe((last?.seq ?? 0) + 8 * 8 * Math.ceil(batches / 8));
    });

    test("the list is filtered and goes on before a number, newest first", async () => {
      const tenant = "filtered";
      await store().append([
        entry({ tenant, action: "a.one", object: "o/1" }),
        entry({ tenant, action: "a.two", object: "o/1", actor: "bob" }),
        entry({ tenant, action: "a.one", object: "o/2" }),
      ]);
      const actions = async (filter: Omit<Parameters<AuditStore["list"]>[0], "limit">) =>
        (await store().list({ tenant, limit: 10, ...filter })).map(
          (one) => one.action + one.object,
        );
      expect(await actions({})).toEqual(["a.oneo/2", "a.twoo/1", "a.oneo/1"]);
      expect(await actions({ action: "a.one" })).toEqual(["a.oneo/2", "a.oneo/1"]);
      expect(await actions({ object: "o/1" })).toEqual(["a.twoo/1", "a.oneo/1"]);
      expect(await actions({ actor: "bob" })).toEqual(["a.twoo/1"]);
      expect(await actions({ tenant: "nobody" })).toEqual([]);
      const [newest] = await store().list({ tenant, limit: 1 });
      expect(await actions({ before: newest?.seq ?? 0 })).toEqual(["a.twoo/1", "a.oneo/1"]);
    });

    if (world.name !== "memory") tampering(opened);
  });
}

/** One change of one row each; what was done is undone after it. */
const changes: readonly { readonly name: string; readonly at: number; readonly text: string }[] = [
  { name: "an actor", at: 20, text: "update noetl.audit set actor = 'eve' where seq = 20" },
  { name: "what it is about", at: 21, text: "update noetl.audit set about = '{}' where seq = 21" },
  {
    name: "a time",
    at: 22,
    text: "update noetl.audit set at = at + interval '1 second' where seq = 22",
  },
  { name: "a row that is gone", at: 23, text: "delete from noetl.audit where seq = 23" },
  {
    name: "two rows that changed places",
    at: 24,
    text: `update noetl.audit a set actor = b.actor, object = b.object, about = b.about,
      previous = b.previous, digest = b.digest, at = b.at
      from noetl.audit b where (a.seq, b.seq) in ((24, 25), (25, 24))`,
  },
  {
    name: "a row that was put in its place with a digest of its own",
    at: 27,
    text: `update noetl.audit set actor = 'eve', digest = sha256(convert_to(encode(previous, 'hex')
      || '26 ' || (extract(epoch from at) * 1000)::bigint || ' ' || json_build_object('x', 1),
      'UTF8')) where seq = 26`,
  },
];

function tampering(opened: () => PlatformStores): void {
  const database = (): Sql => {
    const { sql } = opened();
    if (sql === undefined) throw new Error("expected a database");
    return sql;
  };
  for (const { name, at, text } of changes) {
    test(`a check names ${name}`, async () => {
      const sql = database();
      await sql.query("create table noetl.audit_kept as table noetl.audit");
      await sql.query(text);
      const { problems } = await verifyAudit(opened().stores.audit);
      expect(problems.map(({ seq }) => seq)).toContain(at);
      await sql.query("truncate noetl.audit");
      await sql.query("insert into noetl.audit table noetl.audit_kept");
      await sql.query("drop table noetl.audit_kept");
      expect((await verifyAudit(opened().stores.audit)).problems).toEqual([]);
    });
  }
}
