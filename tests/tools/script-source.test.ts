// Where programs may come from, and from where they may not.

import { afterAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { JsonObject } from "#core/model/json";
import { scriptBytesMax } from "#core/model/limits";
import { toolContext } from "#tests/tools/context";
import { programText } from "#worker/tools/script-source";
import { ToolFailure } from "#worker/tools/tool";

const base = mkdtempSync(join(tmpdir(), "noetl-script-"));
const root = join(base, "root");
const second = join(base, "second");
mkdirSync(join(root, "sub"), { recursive: true });
mkdirSync(second);
mkdirSync(join(base, "root-beside"));
writeFileSync(join(root, "a.py"), "a");
writeFileSync(join(root, "sub", "b.py"), "b");
writeFileSync(join(second, "c.py"), "c");
writeFileSync(join(base, "secret.py"), "secret");
writeFileSync(join(base, "root-beside", "d.py"), "d");
symlinkSync(join(base, "secret.py"), join(root, "link.py"));
symlinkSync(base, join(root, "up"));
symlinkSync(join(root, "a.py"), join(root, "inner.py"));
symlinkSync(root, join(base, "alias"));
const within = (fileRoots: readonly string[]) =>
  toolContext({ policy: { shell: false, fileRoots } });
const context = within([root, second]);

afterAll(() => rmSync(base, { recursive: true, force: true }));

async function message(config: JsonObject, roots = context.policy.fileRoots): Promise<string> {
  try {
    await programText(config, within(roots));
  } catch (error) {
    if (error instanceof ToolFailure && error.failure.kind === "config") return error.message;
    throw error;
  }
  throw new Error("expected a config failure, found a program");
}

const file = (uri: string): JsonObject => ({ script: { uri, source: { type: "file" } } });

describe("a program", () => {
  test("is code, code under spec, or an inline script", async () => {
    expect(await programText({ code: "1", spec: { code: "2" } }, context)).toBe("1");
    expect(await programText({ spec: { code: "2" }, script: { content: "3" } }, context)).toBe("2");
    const inline = { script: { uri: "x", source: { type: "inline", code: "3" } } };
    expect(await programText(inline, context)).toBe("3");
    expect(await programText({ script: { content: "4" } }, context)).toBe("4");
  });

  test("is a file below a root, by relative or absolute path or file address", async () => {
    expect(await programText(file("a.py"), context)).toBe("a");
    expect(await programText(file("sub/../sub/b.py"), context)).toBe("b");
    expect(await programText(file("c.py"), context)).toBe("c");
    expect(await programText(file(join(second, "c.py")), context)).toBe("c");
    expect(await programText(file(`file://${root}/a.py`), context)).toBe("a");
    expect(await programText({ script: { uri: "a.py" } }, context)).toBe("a");
  });

  test("may be a link that stays inside, and the root may be a link itself", async () => {
    expect(await programText(file("inner.py"), context)).toBe("a");
    const roots = within([join(base, "alias")]);
    expect(await programText(file("a.py"), roots)).toBe("a");
  });
});

describe("a refusal", () => {
  for (const uri of [
    "../secret.py",
    "link.py",
    "up/secret.py",
    "sub/../../secret.py",
    "/etc/passwd",
    "../root-beside/d.py",
    ".",
    "sub",
  ]) {
    test(`answers ${uri}, which is outside or no file`, async () => {
      expect(await message(file(uri))).toBe(
        "script.uri: expected a file within this worker's file roots, " +
          "found something outside of them or no regular file",
      );
    });
  }

  test("answers a file that is not there, and a worker without roots", async () => {
    expect(await message(file("none.py"))).toEndWith("found no such file");
    expect(await message(file("a.py"), [])).toContain("it has no file root");
  });

  test("answers kinds of source that don't exist, naming those that do", async () => {
    const script = { uri: "hdfs://cluster/x.py", source: { type: "hdfs" } };
    expect(await message({ script })).toBe(
      "script.source.type: expected one of inline, file, http, s3, gcs, found hdfs",
    );
  });

  test("answers a file that is not UTF-8, instead of guessing at it", async () => {
    writeFileSync(join(root, "latin.py"), Buffer.from([0x78, 0x3d, 0xe9]));
    const reading = programText(file("latin.py"), context);
    await expect(reading).rejects.toMatchObject({ failure: { kind: "script", code: "encoding" } });
  });

  test("answers missing and oversized programs", async () => {
    expect(await message({})).toStartWith("code:");
    expect(await message({ script: { source: { type: "inline" } } })).toStartWith(
      "script.source.code:",
    );
    expect(await message({ script: {} })).toStartWith("script.uri:");
    expect(await message({ code: "x".repeat(scriptBytesMax + 1) })).toContain("at most");
    writeFileSync(join(root, "big.py"), Buffer.alloc(scriptBytesMax + 1, 32));
    expect(await message(file("big.py"))).toContain("at most");
  });

  test("never shows what it refused to run", async () => {
    expect(await message({ script: "print('secret')" })).not.toContain("secret");
    expect(await message({ code: ["secret"] })).not.toContain("secret");
  });
});
