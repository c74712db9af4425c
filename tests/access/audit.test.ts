// Who did what is written down before it is answered, in one chain, and read by those whose it is.

import { expect, test } from "bun:test";
import { auditedSoon } from "#control/access/audit";
import { localAdmin } from "#core/model/access";
import { Fault } from "#core/model/fault";
import type { NewAuditEntry } from "#core/ports/audit-store";
import type { Stores } from "#core/ports/stores";
import { eventually, onBothStores, onMemory } from "#tests/support/control";
import { type Gate, openGate } from "./gate.ts";

const auditBatchMax = 200;
const refusalsAuditedPerSecond = 10;

const faultOf = (work: Promise<unknown>) => work.catch((thrown: unknown) => thrown);

onBothStores((shelf) => {
  test("changes of people and tokens are in it, with who made them, and it is whole", async () => {
    const gate = await openGate(shelf());
    const { token, email, userId } = await gate.member("acme", "admin");
    const admin = gate.as(token);
    const { user_id: added } = await admin.createUser({
      body: { email: "New@acme.org", role: "viewer" },
    });
    const made = await admin.createToken({ body: { name: "ci", user_id: added } });
    await admin.putMembership({ params: { user_id: added }, body: { role: "editor" } });
    await admin.changeUser({ params: { user_id: added }, body: { disabled: true } });
    await admin.deleteToken({ params: { token_id: made.token_id } });
    await admin.deleteMembership({ params: { user_id: added }, query: {} });
    const { entries } = await admin.listAudit({ query: { actor: email } });
    expect(entries.map(({ action, object }) => [action, object]).reverse()).toEqual([
      ["user.add", `user/${added}`],
      ["token.create", `token/${made.token_id}`],
      ["membership.put", `user/${added}`],
      ["user.change", `user/${added}`],
      ["token.revoke", `token/${made.token_id}`],
      ["membership.remove", `user/${added}`],
    ]);
    expect(new Set(entries.map(({ tenant }) => tenant))).toEqual(new Set(["acme"]));
    // Their own making was the administrator's of the installation, and is of their tenant.
    const { entries: own } = await admin.listAudit({ query: { object: `user/${userId}` } });
    expect(own.map(({ tenant, action }) => [tenant, action])).toEqual([["acme", "user.add"]]);
    const verdict = await gate.as(gate.root).verifyAudit();
    expect(verdict).toMatchObject({ problems: [] });
    expect(verdict.count).toBeGreaterThan(6);
  });
});

onMemory((shelf) => {
  test("an administrator reads entries of the tenant alone, in pages", async () => {
    const gate = await openGate(shelf());
    const { token } = await gate.member("one", "admin");
    const { token: foreign } = await gate.member("two", "admin");
    for (let n = 0; n < 4; n++) await gate.as(foreign).createToken({ body: { name: `n${n}` } });
    const { entries } = await gate.as(token).listAudit({ query: {} });
    expect(new Set(entries.map(({ tenant }) => tenant))).toEqual(new Set(["one"]));
    const stranger = gate.as(token).listAudit({ query: { tenant: "two" } });
    expect(await faultOf(stranger)).toMatchObject({ code: "forbidden" });
    const seqs: number[] = [];
    for (let before: number | null = 1_000_000; before !== null; ) {
      const page: Awaited<ReturnType<ReturnType<Gate["as"]>["listAudit"]>> = await gate
        .as(gate.root)
        .listAudit({ query: { before, limit: 3 } });
      seqs.push(...page.entries.map(({ seq }) => seq));
      before = page.next_before;
    }
    expect(seqs).toEqual(Array.from({ length: seqs.length }, (_, at) => seqs.length - at));
    expect(seqs.length).toBeGreaterThan(8);
  });

  test("somebody known who is not let in is written down, so often a second at most", async () => {
    const gate = await openGate(shelf(), { clock: shelf().clock });
    const { token, email } = await gate.member("acme", "viewer");
    const refused = async () =>
      (await gate.stores.audit.list({ actor: email, limit: 1_000 })).length;
    for (let n = 0; n < 3 * refusalsAuditedPerSecond; n++) {
      await faultOf(gate.as(token).listUsers({ query: {} }));
    }
    await eventually(async () => (await refused()) >= refusalsAuditedPerSecond || undefined);
    expect(await refused()).toBe(refusalsAuditedPerSecond);
    const [entry] = await gate.stores.audit.list({ actor: email, limit: 1 });
    expect(entry).toMatchObject({ outcome: "refused", object: "route/GET /api/users" });
    await shelf().clock.advance(1_000);
    await faultOf(gate.as(token).listUsers({ query: {} }));
    await eventually(async () => (await refused()) > refusalsAuditedPerSecond || undefined);
    // What most may not is no news: a viewer who starts something.
    await faultOf(gate.as(token).execute({ body: { path: "t/nowhere" } }));
    expect(await refused()).toBe(refusalsAuditedPerSecond + 1);
  });

  test("a change whose entry can't be stored is not answered as done", async () => {
    let isAway = false;
    const wrap = ({ audit }: Stores) => ({
      audit: {
        ...audit,
        append: async (entries: readonly NewAuditEntry[]) => {
          if (isAway) throw new Fault("unavailable", "the database is away");
          return audit.append(entries);
        },
      },
    });
    const gate = await openGate(shelf(), { wrap });
    const { token } = await gate.member("acme", "admin");
    isAway = true;
    const made = gate.as(token).createToken({ body: { name: "unseen" } });
    expect(await faultOf(made)).toMatchObject({ code: "unavailable" });
    isAway = false;
    expect(await gate.as(token).createToken({ body: { name: "seen" } })).toMatchObject({});
    const { problems } = await gate.as(gate.root).verifyAudit();
    expect(problems).toEqual([]);
  });

  test("what many tell at once goes into few statements, none is lost, and texts are made storable", async () => {
    const sizes: number[] = [];
    const wrap = ({ audit }: Stores) => ({
      audit: {
        ...audit,
        append: (entries: readonly NewAuditEntry[]) => {
          sizes.push(entries.length);
          return audit.append(entries);
        },
      },
    });
    const gate = await openGate(shelf(), { wrap });
    const { context } = gate.world.control.executions;
    sizes.length = 0;
    const told = 1_000;
    const object = `x/\0\ud800${"y".repeat(2_000)}`;
    const tell = (n: number): Promise<void> => {
      const about = { n, text: "a\0b\udfff" };
      return auditedSoon(context, localAdmin, { action: "secret.give", object, about });
    };
    await Promise.all(Array.from({ length: told }, (_, n) => tell(n)));
    const stored = () => gate.stores.audit.list({ action: "secret.give", limit: 2 * told });
    await eventually(async () => (await stored()).length === told || undefined);
    const entries = [...(await stored())].reverse();
    expect(entries.map(({ about }) => about?.["n"])).toEqual(entries.map((_, n) => n));
    expect(entries[0]?.object).toMatch(/^x\/\uFFFD\uFFFDy+$/);
    expect(entries[0]?.object).toHaveLength(500);
    expect(entries[0]?.about?.["text"]).toBe("a\uFFFDb\uFFFD");
    expect(sizes.length).toBeLessThanOrEqual(2 + told / auditBatchMax);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(auditBatchMax);
  });
});
