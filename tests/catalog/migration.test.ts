// Entries from before the catalog could be searched and put away: lists find them as they find new
// ones.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { sqlCatalog } from "#control/store/catalog";
import { migrate, migrations } from "#control/store/migrate";
import { openPglite } from "#control/store/pglite";
import type { Sql } from "#control/store/sql";
import { preparedForTests } from "#tests/contract/pglite-world";

let opened: Sql | undefined;
beforeAll(async () => {
  opened = await openPglite(undefined, { prepared: await preparedForTests() });
  await opened.query("drop schema if exists noetl cascade");
}, 60_000);
afterAll(() => opened?.close());

test("entries from before are listed by what their metadata says", async () => {
  if (opened === undefined) throw new Error("the database did not open");
  const sql = opened;
  await migrate(
    sql,
    migrations.filter(({ version }) => version < 11),
  );
  const metas: readonly (readonly [string, number, unknown])[] = [
    ["Tools/A", 1, { exposes_as_mcp: true }],
    ["Tools/A", 2, { exposes_as_mcp: { name: "a\0\\" }, agent: true }],
    ["b", 1, { exposes_as_mcp: true }],
    ["b", 2, { exposes_as_mcp: "no", agent: false }],
    ["c", 1, {}],
  ];
  for (const [at, [path, version, meta]] of metas.entries()) {
    await sql.query(
      `insert into noetl.catalog
        (catalog_id, path, version, kind, content, digest, meta, created_at)
      values ($1::text::bigint, $2::text, $3::integer, 'Playbook', 'x', '\\x00', $4::text::json,
        now())`,
      [String(100 + at), path, version, JSON.stringify(meta)],
    );
  }
  await migrate(sql);
  const catalog = sqlCatalog(sql);
  const listed = async (filter: Partial<Parameters<typeof catalog.list>[0]>) =>
    (await catalog.list({ limit: 9, ...filter })).map(({ path, version }) => `${path}@${version}`);
  expect(await listed({})).toEqual(["Tools/A@2", "b@2", "c@1"]);
  expect(await listed({ isExposed: true })).toEqual(["Tools/A@2"]);
  expect(await listed({ isAgent: true })).toEqual(["Tools/A@2"]);
  expect(await listed({ terms: ["tools/a"] })).toEqual(["Tools/A@2"]);
});
