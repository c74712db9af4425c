// Sealing at rest: what is sealed opens at its place and nowhere else, and a ring of keys may change
// while it is in use.

import { describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { devKeyFile, keyFile } from "#control/secrets/key-file";
import { fixedKeys, type KeyFile, keysOfFile, parseKeys } from "#control/secrets/key-ring";
import { headerOf, sealsOf } from "#control/secrets/sealed";
import { Fault, messageOf } from "#core/model/fault";
import { keyFileLookMs } from "#core/model/secret-limits";
import type { SealedFor } from "#core/ports/seals";

const key = (letter: string): string => btoa(letter.repeat(32));
const place: SealedFor = { kind: "credential", tenant: "acme", name: "db" };
const seals = sealsOf(fixedKeys(`k1:${key("a")}`));

describe("a sealed value", () => {
  test("opens at its place, whatever it is, and is another text each time", async () => {
    for (const text of ["{}", "hunter2", "žluť 😀\u0000", "x".repeat(65_536)]) {
      const sealed = await seals.seal(text, place);
      expect(sealed).not.toContain(text);
      expect(await seals.open(sealed, place)).toBe(text);
      expect(await seals.seal(text, place)).not.toBe(sealed);
    }
  });

  test("opens nowhere else: another name, tenant or kind, or a name that looks like two", async () => {
    const sealed = await seals.seal("hunter2", place);
    const others: readonly SealedFor[] = [
      { ...place, name: "db2" },
      { ...place, tenant: "other" },
      { ...place, kind: "keychain" },
      { ...place, tenant: "acme|db", name: "" },
    ];
    for (const other of others) {
      const opened = seals.open(sealed, other);
      await expect(opened).rejects.toMatchObject({ code: "internal" });
      expect(await opened.catch(messageOf)).not.toContain("hunter2");
    }
  });

  test("that was changed anywhere is refused, its header too", async () => {
    const sealed = await seals.seal("hunter2", place);
    const parts = sealed.split(".");
    for (const [index, part] of parts.entries()) {
      if (part === "") continue;
      const swapped = `${part.slice(0, 4)}${part[4] === "A" ? "B" : "A"}${part.slice(5)}`;
      const changed = parts.with(index, swapped).join(".");
      await expect(seals.open(changed, place)).rejects.toBeInstanceOf(Fault);
    }
    const { kid: _kid, ...without } = { ...headerOf(sealed), alg: "dir", enc: "A256GCM" };
    const header = Buffer.from(JSON.stringify(without)).toString("base64url");
    await expect(seals.open(parts.with(0, header).join("."), place)).rejects.toBeInstanceOf(Fault);
    for (const text of ["", "hunter2", '{"a":1}', "a.b.c.d.e", `${sealed}\n`]) {
      await expect(seals.open(text, place)).rejects.toMatchObject({ code: "internal" });
    }
  });

  test("of a bind that was forged into its header doesn't open: the header is authenticated", async () => {
    const sealed = await seals.seal("hunter2", place);
    const header = { alg: "dir", enc: "A256GCM", kid: "k1", bind: "credential|other|db" };
    const forged = Buffer.from(JSON.stringify(header)).toString("base64url");
    const changed = sealed.split(".").with(0, forged).join(".");
    await expect(seals.open(changed, { ...place, tenant: "other" })).rejects.toMatchObject({
      code: "internal",
    });
  });

  test("of a key that isn't at hand is unavailable, and another key of that id opens nothing", async () => {
    const sealed = await sealsOf(fixedKeys(`k2:${key("b")}`)).seal("hunter2", place);
    await expect(seals.open(sealed, place)).rejects.toMatchObject({
      code: "unavailable",
      message: "key k2 is not at hand",
    });
    const impostor = sealsOf(fixedKeys(`k2:${key("c")}`));
    await expect(impostor.open(sealed, place)).rejects.toMatchObject({ code: "internal" });
  });
});

describe("a ring of keys", () => {
  test("seals with the first and opens with all", async () => {
    const old = await seals.seal("hunter2", place);
    const both = sealsOf(fixedKeys(`k2:${key("b")}, k1:${key("a")}`));
    expect(both.current).toBe("k2");
    expect(await both.open(old, place)).toBe("hunter2");
    expect([both.isOld(old), both.isOld(await both.seal("x", place))]).toEqual([true, false]);
  });

  test("refuses what is no key, without repeating it", () => {
    const bad = [
      "",
      "# nothing",
      "hunter2hunter2",
      `:${key("a")}`,
      `k 1:${key("a")}`,
      `${"k".repeat(33)}:${key("a")}`,
      `k1:${btoa("a".repeat(31))}`,
      `k1:${btoa("a".repeat(33))}`,
      `k1:${key("a")},k1:${key("b")}`,
      Array.from({ length: 17 }, (_, n) => `k${n}:${key("a")}`).join(","),
    ];
    for (const text of bad) {
      const refused = (() => {
        try {
          return String(parseKeys(text, "NOETL_MASTER_KEY").length);
        } catch (thrown) {
          expect(thrown).toMatchObject({ code: "invalid" });
          return messageOf(thrown);
        }
      })();
      expect(refused).toStartWith("NOETL_MASTER_KEY:");
      expect(refused).not.toContain("hunter2");
      expect(refused).not.toContain(key("a"));
    }
  });

  test("of a file takes changes in within seconds, and at once for a key it doesn't know", async () => {
    let [text, stamp, nowMs] = [`k1:${key("a")}\n`, "1", 0];
    const reports: string[] = [];
    const file: KeyFile = { stamp: () => stamp, read: () => text };
    const options = { nowMs: () => nowMs, report: (message: string) => void reports.push(message) };
    const own = sealsOf(keysOfFile(file, options));
    const first = await own.seal("one", place);
    [text, stamp] = [`# new\nk2:${key("b")}\nk1:${key("a")}\n`, "2"];
    expect(own.current).toBe("k1");
    const other = sealsOf(fixedKeys(`k2:${key("b")}`));
    expect(await own.open(await other.seal("two", place), place)).toBe("two");
    expect(own.current).toBe("k2");
    [text, stamp] = ["no keys", "3"];
    nowMs += keyFileLookMs;
    expect(own.current).toBe("k2");
    expect(reports).toHaveLength(1);
    expect(await own.open(first, place)).toBe("one");
    [text, stamp] = [`k3:${key("c")}`, "4"];
    nowMs += keyFileLookMs;
    expect(own.current).toBe("k3");
  });
});

describe("the file of keys", () => {
  test("of a data directory is made once, for its owner alone", async () => {
    const folder = await mkdtemp(join(tmpdir(), "noetl-keys-"));
    try {
      const path = devKeyFile(folder);
      const text = await Bun.file(path).text();
      expect(devKeyFile(folder)).toBe(path);
      expect(await Bun.file(path).text()).toBe(text);
      expect((await Bun.file(path).stat()).mode & 0o777).toBe(0o600);
      expect(parseKeys(text, "file")).toHaveLength(1);
      const reports: string[] = [];
      const report = (message: string) => void reports.push(message);
      keyFile(path, report).read();
      expect(reports).toEqual([]);
      await Bun.$`chmod 644 ${path}`.quiet();
      const shown = keyFile(path, report);
      shown.read();
      shown.read();
      expect(reports).toEqual([expect.stringContaining("others than its owner may read it")]);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
