// Rotation of master keys while credentials are read and written, by several replicas at once.

import { expect, test } from "bun:test";
import { fixedKeys } from "#control/secrets/key-ring";
import { type RotationPorts, rotateAll, rotationSteps } from "#control/secrets/rotation";
import { sealsOf } from "#control/secrets/sealed";
import { secretsOf } from "#control/secrets/secrets";
import { openRow, vaultCredentials } from "#control/secrets/source";
import { memoryCredentials } from "#core/adapters/memory-credentials";
import { executionId } from "#core/model/ids";
import type { CredentialStore } from "#core/ports/credential-store";
import type { Seals } from "#core/ports/seals";
import { onBothStores } from "#tests/support/control";
import { virtualClock } from "#tests/support/virtual-clock";

const key = (letter: string): string => btoa(letter.repeat(32));
const old = sealsOf(fixedKeys(`k1:${key("a")}`));
/** What a replica has once the new key was handed out, and before it is the first. */
const ready = sealsOf(fixedKeys(`k1:${key("a")},k2:${key("b")}`));
const turned = sealsOf(fixedKeys(`k2:${key("b")},k1:${key("a")}`));
const after = sealsOf(fixedKeys(`k2:${key("b")}`));

const tenant = "acme";
let ids = 0;

async function put(vault: CredentialStore, seals: Seals, name: string, token: string) {
  ids += 1;
  const sealed = await seals.seal(JSON.stringify({ token }), { kind: "credential", tenant, name });
  return vault.put({
    credentialId: String(1_000 + ids),
    ...{ tenant, name, type: "bearer", sealed, kid: seals.current, meta: {}, tags: [], allow: {} },
  });
}

const sourceOver = (vault: CredentialStore, seals: Seals, nowMs = () => 0) =>
  vaultCredentials({ vault, seals, nowMs, next: async () => undefined });
const ask = { tenant, path: "p", pool: "default", executionId: executionId("1"), worker: "w" };

const portsOf = (vault: CredentialStore, seals: Seals) => {
  const reports: string[] = [];
  const ports: RotationPorts = {
    ...{ vault, seals, nowMs: () => 0, report: (message: string) => void reports.push(message) },
  };
  return { ports, reports };
};

onBothStores((shelf) => {
  test("of 200 reads and writes meanwhile none fails, and nothing is left of the old key", async () => {
    const { vault } = shelf().open().stores;
    const names = Array.from({ length: 40 }, (_, n) => `c${n}`);
    for (const name of names) await put(vault, old, name, `${name} 0`);
    const { ports, reports } = portsOf(vault, turned);
    const first = rotateAll(ports);
    const second = rotateAll(portsOf(vault, turned).ports);
    // A replica that has the new key as its second still writes with the old one.
    const writes = Array.from({ length: 100 }, (_, n) => {
      const name = names[n % names.length] ?? "";
      return put(vault, n % 2 === 0 ? ready : turned, name, `${name} ${n}`);
    });
    const reads = Array.from({ length: 100 }, async (_, n) => {
      const row = await vault.get(tenant, names[n % names.length] ?? "");
      if (row === undefined) throw new Error("it was there");
      return openRow(row, ready);
    });
    await Promise.all([first, second, ...writes, ...reads]);
    await rotateAll(ports);
    expect(await vault.countsByKey()).toEqual({ k2: names.length });
    expect(reports).toEqual([]);
    for (const [place, name] of names.entries()) {
      const row = await vault.get(tenant, name);
      const written = [40, 80, 120].map((step) => place + step - 40).filter((n) => n < 100);
      expect(row?.revision).toBe(1 + written.length);
      // One of those that were written, and it opens without the old key.
      const token = (row && (await openRow(row, after)))?.["token"];
      expect(written.map((n) => `${name} ${n}`)).toContain(String(token));
    }
  });
});

const newVault = () => memoryCredentials(virtualClock());

test("a write between the read and the sealing anew wins", async () => {
  const vault = newVault();
  await put(vault, old, "db", "first");
  const between: CredentialStore = {
    ...vault,
    oldKeys: async (kid, limit, afterId) => {
      const rows = await vault.oldKeys(kid, limit, afterId);
      if (rows.length > 0) await put(vault, turned, "db", "second");
      return rows;
    },
  };
  expect(await rotateAll(portsOf(between, turned).ports)).toEqual({
    current: "k2",
    resealed: 0,
    left: 0,
  });
  const row = await vault.get(tenant, "db");
  expect(row && (await openRow(row, after))).toEqual({ token: "second" });
});

test("one that stops half-way is gone on with, and steps past what can't be opened", async () => {
  const vault = newVault();
  const lost = sealsOf(fixedKeys(`k0:${key("z")}`));
  for (let n = 0; n < 150; n++) await put(vault, n < 120 ? lost : old, `c${n}`, "t");
  const { ports, reports } = portsOf(vault, turned);
  const step = rotationSteps(ports);
  expect(await step()).toEqual({ looked: 100, done: 0 });
  // The process ends here, and another one begins.
  expect(await rotateAll(ports)).toEqual({ current: "k2", resealed: 30, left: 120 });
  expect(await vault.countsByKey()).toEqual({ k0: 120, k2: 30 });
  expect(reports[0]).toBe(
    "100 credentials were not sealed anew, the first because key k0 is not at hand",
  );
});

test("a replica that has not the new key yet says so, and reads the others", async () => {
  const vault = newVault();
  await put(vault, old, "early", "1");
  await put(vault, turned, "late", "2");
  const source = sourceOver(vault, old);
  expect(await source("early", ask)).toMatchObject({ data: { token: "1" } });
  await expect(source("late", ask)).rejects.toMatchObject({
    code: "unavailable",
    message: "key k2 is not at hand",
  });
});

test("a row that was copied to another name or tenant in the database doesn't open", async () => {
  const vault = newVault();
  const { row } = await put(vault, old, "db", "hunter2");
  for (const place of [
    { tenant: "other", name: "db" },
    { tenant, name: "mine" },
  ]) {
    await vault.put({ ...row, ...place, credentialId: "77" });
    const source = sourceOver(vault, old);
    const asked = source(place.name, { ...ask, tenant: place.tenant });
    await expect(asked).rejects.toMatchObject({ code: "internal" });
  }
});

test("a row is kept in mind for seconds, sealed, and one that isn't there is not", async () => {
  const vault = newVault();
  let [reads, nowMs] = [0, 0];
  const counted: CredentialStore = {
    ...vault,
    get: (...asked) => {
      reads += 1;
      return vault.get(...asked);
    },
  };
  const source = sourceOver(counted, old, () => nowMs);
  expect(await source("db", ask)).toBeUndefined();
  await put(vault, old, "db", "1");
  expect(await source("db", ask)).toMatchObject({ data: { token: "1" } });
  await source("db", ask);
  expect(reads).toBe(2);
  // Another replica writes: that counts when the time is up.
  await put(vault, old, "db", "2");
  nowMs = 4_999;
  expect(await source("db", ask)).toMatchObject({ data: { token: "1" } });
  nowMs = 5_000;
  expect(await source("db", ask)).toMatchObject({ data: { token: "2" } });
});

test("without any key what is stored is unavailable, and not taken for missing", async () => {
  const vault = newVault();
  await put(vault, old, "db", "1");
  const next = async () => undefined;
  const source = vaultCredentials({ vault, seals: undefined, nowMs: () => 0, next });
  await expect(source("db", ask)).rejects.toMatchObject({
    code: "unavailable",
    message: "credential db is sealed, and there is no master key",
  });
  expect(await source("other", ask)).toBeUndefined();
});

test("the settings of a process make its sealing, and say what is wrong with them", async () => {
  const vault = newVault();
  const around = {
    clock: virtualClock(),
    report: () => {},
    credentials: async () => undefined,
    keyFile: () => ({ stamp: () => "1", read: () => `k2:${key("b")}` }),
  };
  expect(secretsOf({}, { vault }, around).seals).toBeUndefined();
  const text = `k1:${key("a")}`;
  expect(secretsOf({ NOETL_MASTER_KEY: text }, { vault }, around).seals?.current).toBe("k1");
  const file = { NOETL_MASTER_KEY_FILE: "/keys" };
  const secrets = secretsOf(file, { vault }, around);
  expect(secrets.seals?.current).toBe("k2");
  const both = () => secretsOf({ ...file, NOETL_MASTER_KEY: text }, { vault }, around);
  expect(both).toThrow("found both");
  const { keyFile: _none, ...without } = around;
  expect(() => secretsOf(file, { vault }, without)).toThrow("there are no files here");
  expect(() => secretsOf({ NOETL_MASTER_KEY: "x" }, { vault }, around)).toThrow("id:key");
  await put(vault, ready, "db", "1");
  const [duty] = secrets.duties;
  expect([await duty?.run(), await duty?.run()]).toEqual([1, 0]);
});
