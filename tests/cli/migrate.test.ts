// `noetl migrate` as its users start it: what it prints and writes, and how it ends.

import { afterAll, expect, test } from "bun:test";
import { chmodSync, lstatSync, readdirSync, readFileSync, statSync, symlinkSync } from "node:fs";
import { noetl, workplace } from "./noetl.ts";

const header = "apiVersion: noetl.io/v2\nkind: Playbook\nmetadata: {name: a}\nworkflow:\n";
const end = "  - step: end\n    tool: {kind: noop}\n";
const older = `${header}  - step: start\n    tool: {kind: noop}\n    next: end   # out\n${end}`;
const canonical = older.replace("next: end", "next: {arcs: [{step: end}]}");
const refused = older.replace("next: end", "sink: {}");
const changed = "7:5: next as text becomes next: {arcs: […]}";

const place = workplace();
afterAll(() => place.remove());

const migrate = (...args: readonly string[]) => noetl(["migrate", ...args], { cwd: place.folder });

test("prints the new text, and says on standard error what was changed", async () => {
  place.write("older.yaml", older);
  expect(await migrate("older.yaml")).toEqual({
    exitCode: 0,
    out: canonical,
    err: `older.yaml:${changed}\n`,
  });
  expect(readFileSync(place.path("older.yaml"), "utf8")).toBe(older);
});

test("prints several files under their names", async () => {
  place.write("older.yaml", older);
  place.write("canonical.yaml", canonical);
  const { out, exitCode } = await migrate("older.yaml", "canonical.yaml");
  expect(out).toBe(`--- older.yaml\n${canonical}--- canonical.yaml\n${canonical}`);
  expect(exitCode).toBe(0);
});

test("--check writes nothing, and ends with 1 where there is something to do", async () => {
  place.write("older.yaml", older);
  place.write("canonical.yaml", canonical);
  place.write("refused.yaml", refused);
  expect(await migrate("older.yaml", "canonical.yaml", "--check")).toEqual({
    exitCode: 1,
    out: "",
    err: `older.yaml:${changed}\n`,
  });
  expect(await migrate("canonical.yaml", "--check")).toEqual({ exitCode: 0, out: "", err: "" });
  const { exitCode, err } = await migrate("refused.yaml", "--check");
  expect(exitCode).toBe(1);
  expect(err).toBe(
    "refused.yaml:7:5: left to do: step key 'sink' is an older form; " +
      "use a step of its own that stores the result\n",
  );
  expect(readFileSync(place.path("older.yaml"), "utf8")).toBe(older);
});

test("--write replaces the file through its links, keeps its mode, and leaves nothing beside it", async () => {
  const inner = workplace({ "older.yaml": older });
  const file = inner.path("older.yaml");
  chmodSync(file, 0o640);
  symlinkSync(file, inner.path("link.yaml"));
  const { exitCode, out, err } = await noetl(["migrate", "--write", "link.yaml"], {
    cwd: inner.folder,
  });
  expect({ exitCode, out, err }).toEqual({ exitCode: 0, out: "", err: `link.yaml:${changed}\n` });
  expect(readFileSync(file, "utf8")).toBe(canonical);
  expect(statSync(file).mode & 0o777).toBe(0o640);
  expect(lstatSync(inner.path("link.yaml")).isSymbolicLink()).toBe(true);
  expect(readdirSync(inner.folder).sort()).toEqual(["link.yaml", "older.yaml"]);
  inner.remove();
});

test("ends with 2 where a file can't be read or is no YAML, and goes on with the others", async () => {
  place.write("older.yaml", older);
  place.write("broken.yaml", "a: [\n");
  const { exitCode, err, out } = await migrate("none.yaml", "broken.yaml", "older.yaml");
  expect(exitCode).toBe(2);
  expect(err).toContain("none.yaml:1:1: no such file\n");
  expect(err).toContain("broken.yaml:1:1: not a playbook that can be read\n");
  expect(err).toContain(`older.yaml:${changed}\n`);
  expect(out).toBe(`--- older.yaml\n${canonical}`);
});

test("passes over documents that are no playbooks, and says so", async () => {
  const text = "apiVersion: noetl.io/v2\nkind: PlaybookTest\n";
  place.write("a.test.yaml", text);
  expect(await migrate("a.test.yaml", "--check")).toEqual({
    exitCode: 0,
    out: "",
    err: "a.test.yaml: PlaybookTest, no playbook: left as it is\n",
  });
});

test("gives one JSON document with --json", async () => {
  place.write("older.yaml", older);
  place.write("refused.yaml", refused);
  const { out, err, exitCode } = await migrate("--json", "--check", "older.yaml", "refused.yaml");
  expect({ err, exitCode }).toEqual({ err: "", exitCode: 1 });
  expect(JSON.parse(out)).toMatchObject({
    files: [
      {
        file: "older.yaml",
        changed: true,
        changes: [{ line: 7, column: 5, message: "next as text becomes next: {arcs: […]}" }],
        unresolved: [],
      },
      { file: "refused.yaml", changed: false, changes: [], unresolved: [{ line: 7, column: 5 }] },
    ],
  });
});

test("refuses --check with --write", async () => {
  const { exitCode, err } = await migrate("older.yaml", "--check", "--write");
  expect(exitCode).toBe(2);
  expect(err).toContain("--check and --write, expected one of them");
});
