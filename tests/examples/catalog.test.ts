// Every example is fit to be learned from: valid without a warning, found under its own name,
// opened by what it teaches, listed for readers, and run by a test.

import { expect, test } from "bun:test";
import { join } from "node:path";
import { parsePlaybook } from "#core/playbook/parse";
import { repositoryRoot } from "#scripts/install";
import { exampleTexts } from "./example-house.ts";

const examples = [...(await exampleTexts())];
const readme = await Bun.file(join(repositoryRoot, "examples", "README.md")).text();

async function testTexts(): Promise<string> {
  const files = [...new Bun.Glob("*.test.ts").scanSync(import.meta.dir)];
  const texts = await Promise.all(
    files.map((file) => Bun.file(join(import.meta.dir, file)).text()),
  );
  return texts.join("\n");
}

test("there are examples", () => {
  expect(examples.length).toBeGreaterThanOrEqual(12);
});

test.each(examples)("%s is valid without a warning and named after its file", (name, text) => {
  const parsed = parsePlaybook(text);
  expect(parsed.ok ? parsed.warnings : parsed.problems).toEqual([]);
  if (!parsed.ok) return;
  const { apiVersion, metadata } = parsed.document;
  expect({ apiVersion, name: metadata.name, path: metadata["path"] }).toEqual({
    apiVersion: "noetl.io/v2",
    name,
    path: `examples/${name}`,
  });
});

test.each(examples)("%s opens with its schema, what it teaches and how to run it", (name, text) => {
  const [schema, ...rest] = text.split("\n");
  const comment = rest
    .slice(
      0,
      rest.findIndex((line) => !line.startsWith("#")),
    )
    .join("\n");
  expect(schema).toBe("# yaml-language-server: $schema=../docs/playbook.schema.json");
  expect(comment).toContain("# Teaches: ");
  expect(comment).toContain(`noetl run examples/${name}.yaml`);
});

test.each(examples)("%s is offline: the only address in it is this machine's", (_, text) => {
  for (const [address] of text.matchAll(/\w+:\/\/[^\s"'}/]+/g)) {
    expect(address).toBe("http://127.0.0.1:8099");
  }
});

test.each(examples)("%s is listed in the folder's README", (name) => {
  expect(readme).toContain(`(${name}.yaml)`);
});

test("every example is run by a test", async () => {
  const tests = await testTexts();
  const untested = examples
    .map(([name]) => name)
    .filter((name) => !tests.includes(`run("${name}"`));
  expect(untested).toEqual([]);
});
