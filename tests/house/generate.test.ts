// Shows that a generated file counts as outdated when it is missing or differs, and not otherwise.
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { outdated } from "#scripts/generate";

const folder = mkdtempSync(join(tmpdir(), "noetl-generate-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("names the files that differ from their source or do not exist", () => {
  writeFileSync(join(folder, "same.md"), "a\n");
  writeFileSync(join(folder, "old.md"), "a\n");
  const files = [
    { path: "same.md", text: "a\n" },
    { path: "old.md", text: "b\n" },
    { path: "new.md", text: "c\n" },
  ];

  expect(outdated(files, folder).map(({ path }) => path)).toEqual(["old.md", "new.md"]);
});
