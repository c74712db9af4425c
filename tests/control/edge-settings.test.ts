// What the control plane of the edge is told, and what it says when that is not as expected.
import { expect, test } from "bun:test";
import { join } from "node:path";
import { edgeSettings, readEdgeSettings, settingCredentials } from "#control/edge-settings";
import { repositoryRoot } from "#scripts/install";

const database = "postgres://user:secret-word@ep-1.neon.tech/main";

const token = "internal-token-of-tests";

test("values that are there are read, others are absent", () => {
  const given = {
    DATABASE_URL: database,
    NATS_URL: "",
    NOETL_INTERNAL_API_TOKEN: token,
    OTHER: {},
  };
  expect(readEdgeSettings(given)).toEqual({
    DATABASE_URL: database,
    NOETL_ACCESS: "required",
    NOETL_INTERNAL_API_TOKEN: [token],
  } as never);
});

test("without a token of the installation nobody could be let in, and that is said", () => {
  expect(() => readEdgeSettings({ DATABASE_URL: database })).toThrow("NOETL_INTERNAL_API_TOKEN");
  const open = readEdgeSettings({ DATABASE_URL: database, NOETL_ACCESS: "open" });
  expect(open.NOETL_ACCESS).toBe("open");
});

test("a database must be named", () => {
  expect(() => readEdgeSettings({})).toThrow("DATABASE_URL: expected the address of a database");
});

test("a value that is not as expected is named, and never shown", () => {
  const read = () => readEdgeSettings({ DATABASE_URL: database, NOETL_PUBLIC_URL: "secret-word" });
  expect(read).toThrow(/^NOETL_PUBLIC_URL: expected an http or https address$/);
});

test("credentials come out of one document, by alias", async () => {
  const source = settingCredentials('{"pg": {"type": "postgres", "data": {"db_host": "h"}}}');
  expect(await source("pg")).toEqual({ name: "pg", type: "postgres", data: { db_host: "h" } });
  expect(await source("other")).toBeUndefined();
  expect(await settingCredentials(undefined)("pg")).toBeUndefined();
});

test("a document that holds none is refused, without a word of it", async () => {
  for (const document of ["secret-word", "[]", '{"pg": "secret-word"}', '{"pg": {"type": 1}}']) {
    const asked = settingCredentials(document)("pg").catch((error: unknown) => String(error));
    expect(await asked).toContain("NOETL_CREDENTIALS");
    expect(await asked).not.toContain("secret-word");
  }
});

test("the page about settings has a row for every one of the edge", async () => {
  const page = await Bun.file(join(repositoryRoot, "docs/configuration.md")).text();
  const [, section = ""] = page.split(/^## Edge$/m);
  const rows = [...section.matchAll(/^\| `([A-Z_]+)` \|/gm)].map(([, name]) => name);
  expect(rows).toEqual(Object.keys(edgeSettings));
});
