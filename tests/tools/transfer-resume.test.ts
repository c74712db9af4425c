// Transfers that go on where they stopped: chunk by chunk, every row once, whatever ends an attempt.

import { describe, expect, test } from "bun:test";

import type { JsonObject } from "#core/model/json";
import { postgresMissing } from "#tests/support/postgres";
import { postgresAvailable, transferCalls } from "#tests/tools/transfer-calls";

// Without PostgreSQL's programs there is no server to test against: the skip says how to get it.
if (!postgresAvailable) test.skip(postgresMissing, () => undefined);

// The same reason: no server.
describe.skipIf(!postgresAvailable)("a resumable transfer", () => {
  const { context, duck, failure, sql, transfer } = transferCalls();
  const pg = (fields: JsonObject): JsonObject => ({ type: "postgres", auth: "pg", ...fields });
  const db = (fields: JsonObject): JsonObject => ({
    type: "duckdb",
    database: "data.duckdb",
    ...fields,
  });
  const resumable = { order_by: "id" };
  const call = (idempotencyKey: string) => context({ idempotencyKey });

  test("keeps the chunks before a failure, and the next attempt moves the rest once", async () => {
    await sql(
      `CREATE TABLE trips AS SELECT i AS id, CASE WHEN i = 701 THEN 'x' ELSE i::text END AS n
        FROM generate_series(1, 1000) AS i`,
    );
    await sql("CREATE TABLE moved (id int PRIMARY KEY, n int)");
    await duck("CREATE TABLE moved (id INTEGER PRIMARY KEY, n INTEGER)");
    const look = [
      { target: pg({ table: "moved" }), at: (query: string) => sql(query) },
      { target: db({ table: "moved" }), at: (query: string) => duck(query) },
    ];
    for (const [index, { target, at }] of look.entries()) {
      await sql("UPDATE trips SET n = 'x' WHERE id = 701");
      const config = { source: pg({ table: "trips" }), target, chunk_size: 100, resumable };
      const error = await failure(config, call(`call-${index}`));
      expect(error).toMatchObject({ kind: "transfer", code: "bad_value" });
      expect(await at("SELECT count(*)::integer AS n FROM moved")).toEqual([{ n: 700 }]);
      await sql("UPDATE trips SET n = id::text WHERE id = 701");
      const done = await transfer(config, call(`call-${index}`));
      expect(done).toMatchObject({
        rows_transferred: 1_000,
        chunks_processed: 10,
        resumed_from: 700,
      });
      expect(await at("SELECT count(*)::integer AS n, sum(n)::integer AS s FROM moved")).toEqual([
        { n: 1_000, s: 500_500 },
      ]);
      // An attempt whose outcome was lost is made again, and has nothing left to do.
      const again = await transfer(config, call(`call-${index}`));
      expect(again).toMatchObject({ rows_transferred: 1_000, resumed_from: 1_000 });
      expect(await at("SELECT count(*)::integer AS n FROM moved")).toEqual([{ n: 1_000 }]);
    }
  });

  test("goes from DuckDB as well, in the order of its column", async () => {
    await duck(
      "CREATE TABLE days AS SELECT DATE '2024-01-01' + i::INTEGER AS id, i AS n FROM range(250) t(i) ORDER BY hash(i)",
    );
    await sql("CREATE TABLE days (id date, n int)");
    const source = db({ table: "days" });
    const config = { source, target: pg({ table: "days" }), chunk_size: 60, resumable };
    const done = await transfer(config, call("days"));
    expect(done).toMatchObject({ rows_transferred: 250, chunks_processed: 5 });
    expect(await sql("SELECT count(DISTINCT id)::int AS n, sum(n)::int AS s FROM days")).toEqual([
      { n: 250, s: 31_125 },
    ]);
  });

  test("empties its target once, before the first chunk, when it replaces", async () => {
    await sql("CREATE TABLE fresh AS SELECT 0 AS id");
    const source = pg({ query: "SELECT i AS id FROM generate_series(1, 25) AS i" });
    const config = {
      source,
      target: pg({ table: "fresh" }),
      mode: "replace",
      chunk_size: 10,
      resumable,
    };
    await transfer(config, call("fresh"));
    expect(await sql("SELECT count(*)::int AS n, min(id) AS low FROM fresh")).toEqual([
      { n: 25, low: 1 },
    ]);
  });

  test("refuses an order that could lose rows: equal values where a chunk ends, or none at all", async () => {
    await sql("CREATE TABLE unordered (id int)");
    const into = { target: pg({ table: "unordered" }), chunk_size: 2, resumable };
    const equal = pg({ query: "SELECT * FROM (VALUES (1), (2), (2), (3)) t(id)" });
    expect(await failure({ source: equal, ...into }, call("equal"))).toMatchObject({
      code: "order_not_unique",
    });
    const none = pg({ query: "SELECT * FROM (VALUES (1), (NULL)) t(id)" });
    expect((await failure({ source: none, ...into }, call("null"))).message).toContain("NULL");
    expect(await sql("SELECT count(*)::int AS n FROM unordered")).toEqual([{ n: 0 }]);
  });

  test("says so when its source has lost a column since it began", async () => {
    await sql("CREATE TABLE shrinking AS SELECT i AS id, i AS n FROM generate_series(1, 10) AS i");
    // The column goes away with the first chunk that arrives: while the transfer is on its way.
    await sql("CREATE TABLE shrunk (id int, n int)");
    await sql(`CREATE FUNCTION shrink() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN ALTER TABLE shrinking DROP COLUMN IF EXISTS n; RETURN NULL; END $$`);
    await sql("CREATE TRIGGER shrinks AFTER INSERT ON shrunk EXECUTE FUNCTION shrink()");
    const config = {
      source: pg({ table: "shrinking" }),
      target: pg({ table: "shrunk" }),
      chunk_size: 4,
      resumable,
    };
    const error = await failure(config, call("shrunk"));
    expect(error).toMatchObject({ kind: "transfer", code: "source_changed" });
    expect(await sql("SELECT count(*)::int AS n FROM shrunk")).toEqual([{ n: 4 }]);
  });
});
