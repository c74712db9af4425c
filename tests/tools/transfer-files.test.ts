// Files and web services at either end of a transfer: formats, types, and what is wrong with them.

import { describe, expect, test } from "bun:test";
import { readdir } from "node:fs/promises";

import type { JsonObject } from "#core/model/json";
import { postgresMissing } from "#tests/support/postgres";
import { postgresAvailable, transferCalls } from "#tests/tools/transfer-calls";

// Without PostgreSQL's programs there is no server to test against: the skip says how to get it.
if (!postgresAvailable) test.skip(postgresMissing, () => undefined);

// The same reason: no server.
describe.skipIf(!postgresAvailable)("transfer", () => {
  const { context, duck, failure, file, read, sql, tool, transfer, write } = transferCalls();
  const pg = (fields: JsonObject): JsonObject => ({ type: "postgres", auth: "pg", ...fields });
  const at = (path: string, more: JsonObject = {}): JsonObject => ({ type: "file", path, ...more });
  const into = (table: string): JsonObject => pg({ table, create: true });
  const rows = (table: string) => sql(`SELECT * FROM ${table} ORDER BY 1`);
  const fromCsv = async (
    content: string | Uint8Array,
    more: JsonObject = {},
    top: JsonObject = {},
  ) => {
    await write("in.csv", content);
    return failure({ source: at("in.csv", more), target: into("never"), ...top });
  };

  describe("csv", () => {
    test("goes into the types that a table declares", async () => {
      await sql(
        "CREATE TABLE fares (id bigint, price numeric(10,2), paid boolean, day date, note text)",
      );
      await write(
        "fares.csv",
        '\ufeffid,price,paid,day,note\r\n9007199254740993,"1.50",true,2024-02-29,"a ""b"",\nc"\r\n2,,f,,""\r\n',
      );
      const done = await transfer({ source: at("fares.csv"), target: pg({ table: "fares" }) });
      expect(done).toMatchObject({ direction: "file_to_postgres", rows_transferred: 2 });
      expect(await rows("fares")).toEqual([
        { id: 2, price: null, paid: false, day: null, note: "" },
        { id: "9007199254740993", price: "1.50", paid: true, day: "2024-02-29", note: 'a "b",\nc' },
      ]);
    });

    test("is written with a header, NULL and empty text apart, and read back the same", async () => {
      await sql(
        `CREATE TABLE odd AS SELECT *
          FROM (VALUES (1, 'a,"b"'), (2, NULL), (3, ''), (4, 'x' || chr(10) || 'y')) t(id, v)`,
      );
      await transfer({ source: pg({ table: "odd" }), target: at("odd.csv") });
      expect(await read("odd.csv")).toBe('id,v\n1,"a,""b"""\n2,\n3,""\n4,"x\ny"\n');
      await sql("CREATE TABLE odd_back (LIKE odd)");
      await transfer({ source: at("odd.csv"), target: pg({ table: "odd_back" }) });
      expect(await rows("odd_back")).toEqual(await rows("odd"));
      await transfer({ source: pg({ query: "SELECT 5 AS id, 'z' AS v" }), target: at("odd.csv") });
      expect((await read("odd.csv")).endsWith("5,z\n")).toBe(true);
      const other = { source: pg({ query: "SELECT 1 AS other" }), target: at("odd.csv") };
      expect((await failure(other)).code).toBe("missing_column");
      await transfer({ ...other, mode: "replace" });
      expect(await read("odd.csv")).toBe("other\n1\n");
    });

    test("cut at any byte reads the same", async () => {
      const values = Array.from(
        { length: 40_000 },
        (_, i) => `${i},"grüße ""${i}""\r\n",${i % 3 === 0 ? "" : "日本"}\r\n`,
      );
      await write("long.csv", `id,v,w\r\n${values.join("")}`);
      await transfer({ source: at("long.csv"), target: into("long") });
      expect(
        await sql(`SELECT count(*)::int AS n, count(DISTINCT v)::int AS v, count(w)::int AS w,
        bool_and(v = 'grüße "' || id || E'"\\r\\n') AS same FROM long`),
      ).toEqual([{ n: 40_000, v: 40_000, w: 26_666, same: true }]);
    });

    test("with a row that has too few or too many fields is told by its line, or left out", async () => {
      const ragged = "a,b\n1,2\n3\n\n4,5,6\n7,8\n";
      const error = await fromCsv(ragged);
      expect(error).toMatchObject({ kind: "transfer", code: "bad_row" });
      expect(error.message).toContain("line 3: expected 2 fields, found 1");
      const done = await transfer({
        source: at("in.csv"),
        target: into("ragged"),
        on_bad_row: "skip",
      });
      expect(done).toMatchObject({ rows_transferred: 2, skipped: 2 });
      expect(await rows("ragged")).toEqual([
        { a: "1", b: "2" },
        { a: "7", b: "8" },
      ]);
    });

    test("that is not UTF-8 is told by line and byte; latin1 is read when it is asked for", async () => {
      const latin = Buffer.from("a,b\n1,ok\n2,gr\u00fc\u00dfe\n", "latin1");
      const error = await fromCsv(latin);
      expect(error).toMatchObject({ code: "bad_row" });
      expect(error.message).toContain("line 3: byte 13 of the file is not UTF-8");
      await transfer({ source: at("in.csv", { encoding: "latin1" }), target: into("latin") });
      expect(await rows("latin")).toEqual([
        { a: "1", b: "ok" },
        { a: "2", b: "grüße" },
      ]);
      const skipped = await transfer({
        source: at("in.csv"),
        target: into("utf8"),
        on_bad_row: "skip",
      });
      expect(skipped).toMatchObject({ rows_transferred: 1, skipped: 1 });
    });

    test("whose header is missing, repeats a name or comes again is refused", async () => {
      expect((await fromCsv("")).code).toBe("no_header");
      expect((await fromCsv("a,a\n1,2\n")).message).toContain("a is there twice");
      expect((await fromCsv("a,b\n1,2\na,b\n3,4\n")).message).toContain("the header again");
      expect((await fromCsv('a,b\n1,"open\n')).message).toContain("never closed");
      expect((await fromCsv('a,b\n"1"x,2\n')).message).toContain("after a closing quote");
      expect((await fromCsv(`a\n"${"x".repeat(17 * 1_048_576)}"\n`)).code).toBe("row_too_long");
    });

    test("with a header alone moves nothing, and its columns are known", async () => {
      await write("head.csv", "a,b\n");
      const done = await transfer({ source: at("head.csv"), target: into("head") });
      expect(done).toMatchObject({ rows_transferred: 0, columns: ["a", "b"] });
    });
  });

  describe("json", () => {
    test("lists of objects and one object a line become rows, with types told from their values", async () => {
      const list = [
        { id: 1, ok: true, tags: ["a", 1], note: "x" },
        { id: 2, ok: null, share: 0.5 },
      ];
      await write("in.json", JSON.stringify({ page: { items: list } }));
      await transfer({
        source: at("in.json", { data_path: "page.items" }),
        target: into("from_json"),
      });
      expect(await rows("from_json")).toEqual([
        { id: 1, ok: true, tags: ["a", 1], note: "x", share: null },
        { id: 2, ok: null, tags: null, note: null, share: 0.5 },
      ]);
      await transfer({ source: pg({ table: "from_json" }), target: at("out.ndjson") });
      await transfer({ source: at("out.ndjson"), target: into("from_ndjson") });
      expect(await rows("from_ndjson")).toEqual(await rows("from_json"));
      await transfer({ source: pg({ table: "from_json" }), target: at("out.json") });
      expect(JSON.parse(await read("out.json"))).toEqual(await rows("from_json"));
    });

    test("that is no list, or a line that is no object, is told by its place", async () => {
      await write("no-list.json", '{"a": 1}');
      const target = into("never");
      const noList = await failure({ source: at("no-list.json"), target });
      expect(noList).toMatchObject({ kind: "transfer", code: "no_list" });
      await write("bad.ndjson", '{"a": 1}\nnot json\n{"a": 3}\n');
      const badLine = await failure({ source: at("bad.ndjson"), target });
      expect(badLine).toMatchObject({ code: "bad_row" });
      expect(badLine.message).toContain("line 2");
      const done = await transfer({
        source: at("bad.ndjson"),
        target: into("good"),
        on_bad_row: "skip",
      });
      expect(done).toMatchObject({ rows_transferred: 2, skipped: 1 });
    });
  });

  test("parquet keeps types both ways", async () => {
    await sql(
      `CREATE TABLE kept AS SELECT 1::bigint AS id, 2.50::numeric(9,2) AS price,
        timestamptz '2024-01-02 03:04:05+00' AS at, NULL::text AS note`,
    );
    await transfer({ source: pg({ table: "kept" }), target: at("kept.parquet") });
    await sql("CREATE TABLE kept_back (LIKE kept)");
    await transfer({ source: at("kept.parquet"), target: pg({ table: "kept_back" }) });
    expect(await rows("kept_back")).toEqual(await rows("kept"));
    const again = { source: pg({ table: "kept" }), target: at("kept.parquet") };
    expect((await failure(again)).kind).toBe("config");
    await transfer({ ...again, mode: "replace" });
    await transfer({
      source: at("kept.parquet"),
      target: { type: "duckdb", database: "data.duckdb", table: "kept", create: true },
    });
    expect(await duck("SELECT price FROM kept")).toEqual([{ price: "2.50" }]);
  });

  test("a file is whole or not there, and lies within the roots", async () => {
    const bad = pg({ query: "SELECT 1 / (3 - i) AS v FROM generate_series(1, 5) AS i" });
    expect((await failure({ source: bad, target: at("half.csv") })).kind).toBe("pg");
    expect((await readdir(file("."))).filter((name) => name.startsWith("half"))).toEqual([]);
    const outside = { source: pg({ query: "SELECT 1 AS v" }), target: at("../outside.csv") };
    expect((await failure(outside)).kind).toBe("forbidden");
    expect((await failure({ source: at("none.csv"), target: into("never") })).code).toBe("ENOENT");
    expect((await failure({ source: at("a.xlsx"), target: into("never") })).kind).toBe("config");
  });

  test("a web service answers with rows, and is sent them chunk by chunk under lasting keys", async () => {
    const sent: { key: string | null; rows: unknown }[] = [];
    let status = 200;
    const server = Bun.serve({
      port: 0,
      fetch: async (request) => {
        if (request.method === "GET")
          return Response.json({ data: { rows: [{ n: 1 }, { n: 2 }, { n: 3 }] } });
        const { rows: posted } = (await request.json()) as { rows: unknown };
        sent.push({ key: request.headers.get("idempotency-key"), rows: posted });
        return new Response("{}", { status });
      },
    });
    const url = server.url.href;
    const source = { type: "http", url, data_path: "data.rows" };
    expect(await transfer({ source, target: into("from_http") })).toMatchObject({
      direction: "http_to_postgres",
      rows_transferred: 3,
    });
    const target = { type: "http", url };
    const inContext = context({ idempotencyKey: "call-1" });
    const config = { source: pg({ table: "from_http" }), target, chunk_size: 2 };
    expect(await transfer(config, inContext)).toMatchObject({ chunks_processed: 2 });
    expect(sent).toEqual([
      { key: "call-1:0", rows: [{ n: 1 }, { n: 2 }] },
      { key: "call-1:1", rows: [{ n: 3 }] },
    ]);
    status = 503;
    expect(await failure(config)).toMatchObject({ kind: "http", code: 503, retryable: true });
    await server.stop(true);
  });

  test("what it cannot do is refused before anything is opened", async () => {
    const source = pg({ query: "SELECT 1 AS v" });
    const refused: readonly JsonObject[] = [
      { source: { type: "snowflake" }, target: into("x") },
      { source, target: pg({ query: "INSERT INTO x VALUES (1)" }) },
      { source, target: into("x"), mode: "upsert" },
      { source, target: into("x"), mode: "merge" },
      { source, target: at("x.csv"), resumable: { order_by: "v" } },
      { source, target: into("x"), chunk_size: 0 },
      { source: { query: "SELECT 1" }, target: into("x") },
    ];
    for (const config of refused) expect((await failure(config)).kind).toBe("config");
    expect(tool.kind).toBe("transfer");
  });
});
