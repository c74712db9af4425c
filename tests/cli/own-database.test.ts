// Commands that work on the database itself, without a control plane: the first administrator,
// copies, and the proof of the audit log.

import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { statSync } from "node:fs";
import { openPglite } from "#control/store/pglite";
import { runHere } from "./in-process.ts";
import { workplace } from "./noetl.ts";

setDefaultTimeout(60_000);
const place = workplace();
afterAll(() => place.remove());

const at = (directory: string) => ({
  ...{ NOETL_CONFIG_HOME: place.folder, NOETL_DIRECTORY: place.path(directory) },
});
const noetl = (argv: readonly string[], directory = "one") => runHere(argv, at(directory));

let token = "";
beforeAll(async () => {
  const made = await noetl(["admin", "create", "--email", "ada@example.org"]);
  expect([made.exitCode, made.err]).toEqual([0, expect.stringContaining("shown this once")]);
  token = made.out.trim();
});

test("the first administrator gets a token once, and there is no second one by mistake", async () => {
  expect(token).toMatch(/^noetl_pat_\w+/);
  const second = await noetl(["admin", "create", "--email", "eve@example.org", "--json"]);
  expect(second.exitCode).toBe(1);
  expect(JSON.parse(second.out)).toMatchObject({ error: { code: "conflict" } });
  const forced = await noetl([
    "admin",
    "create",
    "--email",
    "eve@example.org",
    "--force",
    "--json",
  ]);
  expect(JSON.parse(forced.out)).toMatchObject({ email: "eve@example.org" });
  expect((await noetl(["admin", "create", "--email", "nobody"])).exitCode).toBe(2);
});

test("a database is copied into a file and out of it, with its people and its audit log", async () => {
  const file = place.path("one.backup");
  const made = await noetl(["backup", file, "--json"]);
  expect([made.exitCode, made.err]).toEqual([0, ""]);
  expect(JSON.parse(made.out)).toMatchObject({ file, bytes: statSync(file).size });
  expect((await noetl(["restore", file, "--check"])).out).toContain("whole");

  const restored = await noetl(["restore", file, "--json"], "two");
  expect([restored.exitCode, restored.err]).toEqual([0, ""]);
  expect(JSON.parse(restored.out)).toMatchObject({ executions: 0, problems: [] });
  const [own, copy] = [
    await noetl(["audit", "verify", "--database", "--json"]),
    await noetl(["audit", "verify", "--database", "--json"], "two"),
  ];
  expect(copy.exitCode).toBe(0);
  expect(JSON.parse(copy.out)).toEqual(JSON.parse(own.out));
  expect(JSON.parse(copy.out).count).toBeGreaterThan(0);
  const taken = await noetl(["admin", "create", "--email", "mallory@example.org"], "two");
  expect(taken.err).toContain("has an administrator already");

  const again = await noetl(["restore", file], "two");
  expect(again.exitCode).toBe(1);
  expect(again.err).toContain("expected an empty database");
});

test("a directory that a process has open is left alone, and one without a database is refused", async () => {
  const sql = await openPglite(place.path("one/data"));
  const argvs = [
    ["backup", place.path("x.backup")],
    ["admin", "create", "--email", "b@example.org"],
  ];
  for (const argv of argvs) {
    const { exitCode, err } = await noetl(argv);
    expect(exitCode).toBe(1);
    expect(err).toContain(`in use by process ${process.pid}`);
    expect(err).toContain("has its own token in");
  }
  await sql.close();
  const none = await noetl(["backup", place.path("x.backup")], "nowhere");
  expect(none.exitCode).toBe(2);
  expect(none.err).toContain("no database: expected DATABASE_URL");
  expect(await Bun.file(place.path("x.backup")).exists()).toBe(false);
});
