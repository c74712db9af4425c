// What is left of a transfer that fails: nothing, and a failure that names the end and the place
// but no value and no secret.

import { describe, expect, test } from "bun:test";
import { readdir } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";

import type { JsonObject } from "#core/model/json";
import { postgresMissing } from "#tests/support/postgres";
import { postgresAvailable, transferCalls } from "#tests/tools/transfer-calls";

/** A busy machine may take its time over what waits for other sessions. */
const waitMsMax = 30_000;

// Without PostgreSQL's programs there is no server to test against: the skip says how to get it.
if (!postgresAvailable) test.skip(postgresMissing, () => undefined);

// The same reason: no server.
describe.skipIf(!postgresAvailable)("a transfer", () => {
  const { context, duck, failure, server, sql, transfer, write } = transferCalls();
  const pg = (fields: JsonObject): JsonObject => ({ type: "postgres", auth: "pg", ...fields });
  const db = (fields: JsonObject): JsonObject => ({
    type: "duckdb",
    database: "data.duckdb",
    ...fields,
  });
  const count = (table: string) => sql(`SELECT count(*)::int AS n FROM ${table}`);
  const backends = () =>
    sql(
      `SELECT count(*)::int AS n FROM pg_stat_activity
        WHERE application_name = 'noetl' AND state <> 'idle' AND pid <> pg_backend_pid()`,
    );

  test("that meets a value which does not fit leaves nothing, and says where without the value", async () => {
    await sql("CREATE TABLE narrow (id int, day date)");
    const source = pg({
      query: `SELECT i AS id, CASE WHEN i = 7003 THEN 'a-secret-value' ELSE '2024-01-01' END AS day
          FROM generate_series(1, 9000) AS i`,
    });
    for (const target of [pg({ table: "narrow" }), db({ table: "narrow" })]) {
      await duck("CREATE TABLE IF NOT EXISTS narrow (id INTEGER, day DATE)");
      const error = await failure({ source, target });
      expect(error).toMatchObject({ kind: "transfer", code: "bad_value", retryable: false });
      expect(error.message.toLowerCase()).toBe(
        "row 7003, column day: a value of type text does not fit date",
      );
    }
    expect(await count("narrow")).toEqual([{ n: 0 }]);
    expect(await duck("SELECT count(*)::INTEGER AS n FROM narrow")).toEqual([{ n: 0 }]);
  });

  test(
    "whose source breaks in the middle leaves the target as it was, replaced rows included",
    async () => {
      await sql("CREATE TABLE kept AS SELECT 1 AS v");
      await duck("CREATE TABLE kept AS SELECT 1 AS v");
      const source = pg({
        query: "SELECT 1 / (200000 - i) AS v FROM generate_series(1, 300000) AS i",
      });
      for (const target of [pg({ table: "kept" }), db({ table: "kept" })]) {
        const error = await failure({ source, target, mode: "replace" });
        expect(error).toMatchObject({ kind: "pg", code: "22012" });
        expect(error.message).toStartWith("source: ");
      }
      expect(await sql("SELECT * FROM kept")).toEqual([{ v: 1 }]);
      expect(await duck("SELECT * FROM kept")).toEqual([{ v: 1 }]);
    },
    waitMsMax,
  );

  test(
    "that is cancelled in the middle rolls back on both servers",
    async () => {
      await sql("CREATE TABLE cut_off (v bigint)");
      const cancel = new AbortController();
      const inContext = context({ signal: cancel.signal });
      const source = pg({ query: "SELECT generate_series(1, 1000000000) AS v" });
      const failing = failure({ source, target: pg({ table: "cut_off" }) }, inContext);
      while (JSON.stringify(await backends()) !== '[{"n":2}]') await Bun.sleep(5);
      cancel.abort(new Error("lease lost"));
      expect((await failing).kind).toBe("cancelled");
      while (JSON.stringify(await backends()) !== '[{"n":0}]') await Bun.sleep(5);
      expect(await count("cut_off")).toEqual([{ n: 0 }]);
      const before = await readdir(tmpdir());
      const intoDuck = new AbortController();
      const waiting = failure(
        { source, target: db({ table: "cut_off", create: true }) },
        context({ signal: intoDuck.signal }),
      );
      while (JSON.stringify(await backends()) !== '[{"n":1}]') await Bun.sleep(5);
      intoDuck.abort(new Error("lease lost"));
      expect((await waiting).kind).toBe("cancelled");
      while (JSON.stringify(await backends()) !== '[{"n":0}]') await Bun.sleep(5);
      expect(
        (await readdir(tmpdir())).filter((name) => name.startsWith("noetl-duckdb-")).length,
      ).toBeLessThanOrEqual(before.filter((name) => name.startsWith("noetl-duckdb-")).length + 1);
    },
    waitMsMax,
  );

  test(
    "whose time is over while the server computes ends there and here",
    async () => {
      const source = pg({ query: "SELECT pg_sleep(60)::text AS v" });
      const error = await failure({
        source,
        target: db({ table: "late", create: true }),
        timeout_seconds: 0.3,
      });
      expect(error).toMatchObject({ kind: "timeout", retryable: true });
      while (JSON.stringify(await backends()) !== '[{"n":0}]') await Bun.sleep(5);
    },
    waitMsMax,
  );

  test("to a host that refuses, is silent or lets nobody in says which end it was", async () => {
    const source = pg({ query: "SELECT 1 AS v" });
    const refused = {
      type: "postgres",
      host: "127.0.0.1",
      port: 1,
      user: "u",
      password: "p4ss-w0rd",
      table: "t",
    };
    const away = await failure({ source, target: refused });
    expect(away).toMatchObject({ kind: "connection", retryable: true });
    expect(away.message).toStartWith("target: ");
    const sockets = new Set<Socket>();
    const silent = createServer((socket) => void sockets.add(socket));
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    const address = silent.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const half = { ...refused, port };
    expect(
      await failure({
        source: { ...half, query: "SELECT 1" },
        target: pg({ table: "t" }),
        timeout_seconds: 0.3,
      }),
    ).toMatchObject({
      kind: "timeout",
    });
    for (const socket of sockets) socket.destroy();
    silent.close();
    const { host } = server();
    const nobody = {
      type: "postgres",
      host,
      port: Number(server().port),
      user: "nobody_here",
      password: "p4ss-w0rd",
      database: "postgres",
    };
    const error = await failure({
      source: { ...nobody, query: "SELECT 1 AS v" },
      target: pg({ table: "t" }),
    });
    expect(error).toMatchObject({ kind: "pg", retryable: false });
    expect(error.message).toStartWith("source: ");
    expect(JSON.stringify(error)).not.toContain("p4ss-w0rd");
  });

  test("whose upsert has no unique index, or whose rows break a constraint, has the server's own code", async () => {
    await sql("CREATE TABLE loose (id int)");
    const target = pg({ table: "loose", keys: ["id"] });
    const source = pg({ query: "SELECT 1 AS id" });
    expect(await failure({ source, target, mode: "upsert" })).toMatchObject({
      kind: "pg",
      code: "42P10",
    });
    await sql("CREATE TABLE strict (id int PRIMARY KEY)");
    await transfer({ source, target: pg({ table: "strict" }) });
    expect(await failure({ source, target: pg({ table: "strict" }) })).toMatchObject({
      code: "23505",
    });
  });

  test("reads one snapshot, whatever is written meanwhile, and changes nothing in its source", async () => {
    await sql("CREATE TABLE grown AS SELECT i AS v FROM generate_series(1, 50000) AS i");
    await transfer({ source: pg({ table: "grown" }), target: pg({ table: "grown" }) });
    expect(await count("grown")).toEqual([{ n: 100_000 }]);
    await sql("CREATE SEQUENCE counted");
    const writes = pg({ query: "SELECT nextval('counted') AS v" });
    const error = await failure({ source: writes, target: pg({ table: "grown" }) });
    expect(error).toMatchObject({ kind: "pg", code: "25006" });
  });

  test("from files has the file's place in its failure, and nothing in the table", async () => {
    await sql("CREATE TABLE numbers (a int, b int)");
    const lines = Array.from({ length: 20_000 }, (_, i) => `${i},${i === 15_000 ? "x" : i}`);
    await write("numbers.csv", `a,b\n${lines.join("\n")}\n`);
    const error = await failure({
      source: { type: "file", path: "numbers.csv" },
      target: pg({ table: "numbers" }),
    });
    expect(error.message).toBe("row 15001, column b: a value of type text does not fit integer");
    expect(await count("numbers")).toEqual([{ n: 0 }]);
  });
});
