// Holds transfers between databases to their promises: values exact by type in every direction,
// whole or not at all, and what each mode does to the rows that are there.

import { describe, expect, test } from "bun:test";

import type { JsonObject } from "#core/model/json";
import { postgresMissing } from "#tests/support/postgres";
import { postgresAvailable, transferCalls } from "#tests/tools/transfer-calls";

// Without PostgreSQL's programs there is no server to test against: the skip says how to get it.
if (!postgresAvailable) test.skip(postgresMissing, () => undefined);

const rowsOfAllTypes = 100_000;
const goldenMsMax = 60_000;

const columnsOf = (table: string): string => `
  SELECT column_name AS c, data_type AS t FROM information_schema.columns
   WHERE table_name = '${table}' ORDER BY ordinal_position`;

/** Rows whose values are the awkward ones of every type, NULL among them. */
const allTypes = `
  SELECT i AS id,
    CASE WHEN i % 11 = 0 THEN NULL ELSE i % 2 = 0 END AS flag,
    (i % 60000 - 30000)::smallint AS small,
    CASE i % 5 WHEN 0 THEN 9223372036854775807 WHEN 1 THEN -9223372036854775808 ELSE i END AS wide,
    (i / 3.0)::double precision AS double,
    (i / 7.0)::real AS single,
    (i::numeric(20,4) / 3)::numeric(20,4) AS money,
    CASE WHEN i % 7 = 0 THEN NULL ELSE i::numeric / 3 END AS exact,
    CASE i % 10 WHEN 0 THEN '' WHEN 1 THEN NULL WHEN 2 THEN '\\N' WHEN 3 THEN '"quoted", and' || chr(10) || 'broken'
      WHEN 4 THEN '  spaced ' WHEN 5 THEN 'grüße 日本 🚲' WHEN 6 THEN '\\.' WHEN 7 THEN 'NULL' WHEN 8 THEN chr(13)
      ELSE 'row ' || i END AS name,
    decode(lpad(to_hex(i), 8, '0'), 'hex') AS raw,
    date '2024-02-29' + i % 4000 AS day,
    time '23:59:59.999999' - (i % 86400) * interval '1 s' AS clock,
    timestamp '1999-12-31 23:59:59.123456' + i * interval '1 min' AS local,
    timestamptz '2024-07-01 12:00:00.5+05:30' + i * interval '1 s' AS moment,
    jsonb_build_object('i', i, 'text', 'a"b\\c', 'list', jsonb_build_array(i, NULL)) AS doc,
    ('00000000-0000-4000-8000-' || lpad(to_hex(i), 12, '0'))::uuid AS key,
    CASE WHEN i % 9 = 0 THEN NULL ELSE ARRAY[i, NULL, -i] END AS numbers,
    ARRAY['a,b', '"q"', '', NULL, 'back\\slash', '{x}'] AS words
  FROM generate_series(1, ROWS) AS i`;

// The same reason: no server.
describe.skipIf(!postgresAvailable)("transfer", () => {
  const { context, duck, failure, sql, transfer } = transferCalls();
  const pg = (fields: JsonObject): JsonObject => ({ type: "postgres", auth: "pg", ...fields });
  const db = (fields: JsonObject): JsonObject => ({
    type: "duckdb",
    database: "data.duckdb",
    ...fields,
  });
  const lines = async (table: string): Promise<unknown> => sql(`SELECT * FROM ${table} ORDER BY 1`);

  test(
    "a hundred thousand rows of all types go to DuckDB and back without any difference",
    async () => {
      await sql(`CREATE TABLE golden AS ${allTypes.replace("ROWS", String(rowsOfAllTypes))}`);
      const there = await transfer({
        source: pg({ query: "SELECT * FROM golden" }),
        target: db({ table: "golden", create: true }),
      });
      expect(there).toMatchObject({
        direction: "postgres_to_duckdb",
        source_type: "postgres",
        target_type: "duckdb",
        mode: "append",
        rows_transferred: rowsOfAllTypes,
        chunks_processed: 20,
        target_table: "golden",
      });
      await sql("CREATE TABLE back (LIKE golden)");
      const back = await transfer({
        source: db({ table: "golden" }),
        target: pg({ table: "back" }),
      });
      expect(back["rows_transferred"]).toBe(rowsOfAllTypes);
      expect(await sql("SELECT count(*)::int AS n FROM back")).toEqual([{ n: rowsOfAllTypes }]);
      expect(await sql("(TABLE golden EXCEPT ALL TABLE back) LIMIT 3")).toEqual([]);
      expect(await sql("(TABLE back EXCEPT ALL TABLE golden) LIMIT 3")).toEqual([]);
    },
    goldenMsMax,
  );

  test("types keep their names in tables that are made", async () => {
    await sql(
      `CREATE TABLE typed AS SELECT true b, 1 i, 1.5::float8 f, 2.50::numeric(9,2) d,
        'x'::text t, '\\x00'::bytea y, ARRAY[1.5::numeric] l`,
    );
    await transfer({
      source: pg({ table: "typed" }),
      target: db({ table: "typed", create: true }),
    });
    expect(await duck(columnsOf("typed"))).toEqual([
      { c: "b", t: "BOOLEAN" },
      { c: "i", t: "BIGINT" },
      { c: "f", t: "DOUBLE" },
      { c: "d", t: "DECIMAL(9,2)" },
      { c: "t", t: "VARCHAR" },
      { c: "y", t: "BLOB" },
      { c: "l", t: "VARCHAR[]" },
    ]);
    await transfer({
      source: db({ table: "typed" }),
      target: pg({ table: "retyped", create: true }),
    });
    expect(await sql(columnsOf("retyped"))).toEqual([
      { c: "b", t: "boolean" },
      { c: "i", t: "bigint" },
      { c: "f", t: "double precision" },
      { c: "d", t: "numeric" },
      { c: "t", t: "text" },
      { c: "y", t: "bytea" },
      { c: "l", t: "ARRAY" },
    ]);
  });

  test("append adds, replace begins anew, upsert writes over what has the same keys", async () => {
    await sql("CREATE TABLE modes (id int PRIMARY KEY, v text)");
    await sql("INSERT INTO modes VALUES (1, 'old'), (2, 'old')");
    const from = (query: string) => pg({ query });
    const target = pg({ table: "modes", keys: ["id"] });
    await transfer({ source: from("SELECT 3 AS id, 'new' AS v"), target });
    await transfer({
      source: from("VALUES (2, 'new'), (4, 'new')"),
      target: { ...target, mapping: { id: "column1", v: "column2" } },
      mode: "upsert",
    });
    expect(await lines("modes")).toEqual([
      { id: 1, v: "old" },
      { id: 2, v: "new" },
      { id: 3, v: "new" },
      { id: 4, v: "new" },
    ]);
    await transfer({ source: from("SELECT 9 AS id, 'last' AS v"), target, mode: "replace" });
    expect(await lines("modes")).toEqual([{ id: 9, v: "last" }]);
    await duck(
      "CREATE TABLE modes (id INTEGER PRIMARY KEY, v VARCHAR); INSERT INTO modes VALUES (9, 'old'), (8, 'old')",
    );
    const into = db({ table: "modes", keys: ["id"] });
    await transfer({ source: pg({ table: "modes" }), target: into, mode: "upsert" });
    expect(await duck("SELECT * FROM modes ORDER BY id")).toEqual([
      { id: 8, v: "old" },
      { id: 9, v: "last" },
    ]);
    await transfer({ source: pg({ table: "modes" }), target: into, mode: "replace" });
    expect(await duck("SELECT * FROM modes")).toEqual([{ id: 9, v: "last" }]);
  });

  test("a mapping names the columns wanted; one that is missing on either side is an error", async () => {
    await sql("CREATE TABLE mapped (code text, amount int)");
    const source = pg({ query: "SELECT 'a' AS x, 5 AS y, 1 AS z" });
    const done = await transfer({
      source,
      target: pg({ table: "mapped", mapping: { code: "x", amount: "y" } }),
    });
    expect(done["columns"]).toEqual(["code", "amount"]);
    expect(await lines("mapped")).toEqual([{ code: "a", amount: 5 }]);
    const unknown = await failure({
      source,
      target: pg({ table: "mapped", mapping: { code: "w" } }),
    });
    expect(unknown).toMatchObject({ kind: "transfer", code: "missing_column" });
    const unmapped = await failure({ source, target: pg({ table: "mapped" }) });
    expect(unmapped).toMatchObject({ kind: "transfer", code: "missing_column" });
    expect(unmapped.message).toContain("x, y, z");
    expect(await failure({ source, target: pg({ table: "nowhere" }) })).toMatchObject({
      code: "no_table",
    });
    expect(await failure({ source, target: db({ table: "nowhere" }) })).toMatchObject({
      code: "no_table",
    });
  });

  test("names that differ in capitals alone meet, and quoted names keep theirs", async () => {
    await sql('CREATE TABLE "Mixed Case" ("Id" int, v text)');
    const source = pg({ query: `SELECT 1 AS id, 'x' AS "V"` });
    await transfer({ source, target: pg({ table: 'public."Mixed Case"' }) });
    expect(await sql('SELECT * FROM "Mixed Case"')).toEqual([{ Id: 1, v: "x" }]);
  });

  test("a long transfer says how far it is", async () => {
    await sql("CREATE TABLE slow (i int, pause text)");
    const inContext = context();
    const query = "SELECT i, pg_sleep(0.3)::text AS pause FROM generate_series(1, 4) AS i";
    await transfer({ source: pg({ query }), target: pg({ table: "slow" }) }, inContext);
    expect(inContext.lines.map(({ text }) => text)).toEqual(["transferred 4 rows, 1 chunks"]);
  });

  test("an empty source moves nothing, and its columns are known", async () => {
    const source = pg({ query: "SELECT 1 AS id, 'x'::text AS v WHERE false" });
    const done = await transfer({ source, target: db({ table: "empty", create: true }) });
    expect(done).toMatchObject({ rows_transferred: 0, chunks_processed: 0, columns: ["id", "v"] });
    expect(await duck("SELECT * FROM empty")).toEqual([]);
  });

  test("the tasks of one step share the database in memory that rows are put into", async () => {
    const inContext = context();
    const memory = { type: "duckdb" };
    await transfer(
      { source: pg({ query: "SELECT 7 AS n" }), target: { ...memory, table: "m", create: true } },
      inContext,
    );
    await transfer(
      {
        source: { ...memory, query: "SELECT n + 1 AS n FROM m" },
        target: { ...memory, table: "m" },
      },
      inContext,
    );
    await sql("CREATE TABLE from_memory (n int)");
    await transfer(
      {
        source: { ...memory, query: "SELECT sum(n)::INTEGER AS n FROM m" },
        target: pg({ table: "from_memory" }),
      },
      inContext,
    );
    expect(await lines("from_memory")).toEqual([{ n: 15 }]);
  });

  test("lists and documents find their way between servers", async () => {
    await sql("CREATE TABLE nested (id int, grid int[][], tags text[], doc jsonb)");
    await sql(
      `INSERT INTO nested VALUES (1, '{{1,2},{3,NULL}}', '{a,"b c",NULL}', '{"k": [1, "x"]}'), (2, NULL, '{}', 'null')`,
    );
    await sql("CREATE TABLE nested_copy (LIKE nested)");
    await transfer({ source: pg({ table: "nested" }), target: pg({ table: "nested_copy" }) });
    expect(await lines("nested_copy")).toEqual(await lines("nested"));
  });
});
