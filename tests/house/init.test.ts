// Shows what `noetl init` leaves behind: a playbook that parses, a schema the editor finds, and
// nothing of yours overwritten.
import { afterAll, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { parse } from "yaml";
import { init } from "#cli/init";

const folder = mkdtempSync(join(tmpdir(), "noetl-init-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const schema = '{"title": "playbook"}\n';
const silent = { print: () => {}, printError: () => {} };

/** The schema file that the first line of a playbook leads the editor to. */
function schemaOf(path: string): string {
  const [first = ""] = readFileSync(path, "utf8").split("\n");
  const [, named = ""] = /^# yaml-language-server: \$schema=(.+)$/.exec(first) ?? [];
  return resolve(dirname(path), named);
}

test("writes a short playbook that parses, in any folder, with its schema beside it", async () => {
  const path = join(folder, "deep", "My Flow.yaml");

  const code = await init(path, { schema, ...silent });

  const text = readFileSync(path, "utf8");
  const playbook = parse(text);
  expect(code).toBe(0);
  expect(text.split("\n").length).toBeLessThanOrEqual(41);
  expect(playbook).toMatchObject({
    apiVersion: "noetl.io/v2",
    kind: "Playbook",
    metadata: { name: "my_flow", path: "my_flow" },
  });
  expect(playbook.workflow.map(({ step }: { step: string }) => step)).toEqual([
    "start",
    "quiet",
    "end",
  ]);
  expect(readFileSync(schemaOf(path), "utf8")).toBe(schema);
});

test("leads to the schema of the checkout and writes none of its own", async () => {
  const root = join(folder, "checkout");
  mkdirSync(join(root, "docs"), { recursive: true });
  writeFileSync(join(root, "docs/playbook.schema.json"), "{}");
  const path = join(root, "examples", "first", "playbook.yaml");

  const code = await init(path, { schema, ...silent });

  expect(code).toBe(0);
  expect(schemaOf(path)).toBe(join(root, "docs/playbook.schema.json"));
  expect(existsSync(join(dirname(path), ".noetl"))).toBe(false);
  expect(parse(readFileSync(path, "utf8")).metadata.name).toBe("hello");
});

test("leaves a file that is in the way, unless it is told to replace it", async () => {
  const path = join(folder, "mine.yaml");
  writeFileSync(path, "mine");
  const said: string[] = [];

  const refused = await init(path, {
    schema,
    print: () => {},
    printError: (text) => said.push(text),
  });
  const kept = readFileSync(path, "utf8");
  const forced = await init(path, { schema, force: true, ...silent });

  expect([refused, kept, forced]).toEqual([1, "mine", 0]);
  expect(said.join()).toContain("--force");
  expect(readFileSync(path, "utf8")).toContain("apiVersion");
});
