// Holds a postgres call to its promises against a real server: results, transactions, sessions.

import { describe, expect, test } from "bun:test";
import { postgresPoolConnectionsMax } from "#core/model/limits";
import { postgresMissing } from "#tests/support/postgres";
import { toolContext } from "#tests/tools/context";
import { failureOf } from "#tests/tools/outcome-of";
import { postgresAvailable, postgresCalls } from "#tests/tools/postgres-calls";
import { postgresTool } from "#worker/tools/postgres";

// Without PostgreSQL's programs there is no server to test against: the skip says how to get it.
if (!postgresAvailable) test.skip(postgresMissing, () => undefined);

// The same reason: no server.
describe.skipIf(!postgresAvailable)("postgres", () => {
  const { context, failure, outcome, rows, run, running, tool, value } = postgresCalls();

  describe("a call", () => {
    test("answers with columns, rows and their count", async () => {
      const data = await run({ query: "select * from (values (1,'a'),(2,null)) t(n, s)" });
      expect(data).toEqual({
        columns: ["n", "s"],
        rows: [
          { n: 1, s: "a" },
          { n: 2, s: null },
        ],
        row_count: 2,
      });
      expect(await run({ query: "select 1 a where false" })).toEqual({
        columns: ["a"],
        rows: [],
        row_count: 0,
      });
    });

    test("answers with lists when objects are not wanted, and keeps equal names apart", async () => {
      const command = "select 1 a, 2 a, 3";
      const lists = await run({ command, as_objects: false });
      expect(lists["rows"]).toEqual([[1, 2, 3]]);
      expect(await rows(command)).toEqual([{ a: 1, a_2: 2, "?column?": 3 }]);
    });

    test("runs all statements in order, and the last one decides", async () => {
      const command = `create table ordered (a int);
        insert into ordered values (1), (2); -- a comment; with a semicolon
        select sum(a) s, 'x;y' t from ordered`;
      expect(await run({ command })).toEqual({
        columns: ["s", "t"],
        rows: [{ s: 3, t: "x;y" }],
        row_count: 1,
        statement_count: 3,
      });
      const commands = ["insert into ordered values (3)", "delete from ordered"];
      expect(await run({ commands })).toEqual({ affected_rows: 3, statement_count: 2 });
    });

    test("returns rows for everything that returns rows", async () => {
      await run({ command: "create table returned (id serial primary key, a text)" });
      expect(await rows("insert into returned(a) values ('x'), ('y') returning id")).toEqual([
        { id: 1 },
        { id: 2 },
      ]);
      expect(await rows("update returned set a = 'z' where id = 1 returning a")).toEqual([
        { a: "z" },
      ]);
      expect((await run({ command: "show server_encoding" }))["rows"]).toEqual([
        { server_encoding: "UTF8" },
      ]);
      expect(await run({ command: "update returned set a = 'w'" })).toEqual({ affected_rows: 2 });
    });

    test("is one transaction: when a statement fails, none of them happened", async () => {
      await run({ command: "create table atomic (a int primary key)" });
      const command = "insert into atomic values (1); insert into atomic values (1)";
      expect((await outcome({ command })).error).toMatchObject({ code: "23505" });
      expect(await rows("select * from atomic")).toEqual([]);
    });

    test("reports what only the commit finds out", async () => {
      await run({
        command: `create table parents (id int primary key);
          create table children (p int references parents deferrable initially deferred)`,
      });
      const output = await outcome({ command: "insert into children values (1)" });
      expect(output.error).toMatchObject({ kind: "pg", code: "23503" });
    });

    test("runs statement by statement when one of them cannot be in a transaction", async () => {
      await run({
        command: `create table alone (a int);
          create procedure fill() language plpgsql
            as $$ begin insert into alone values (1); commit; end $$`,
      });
      const command = "vacuum alone; create index concurrently on alone (a); call fill()";
      expect((await outcome({ command })).status).toBe("ok");
      expect(await rows("select count(*) n from alone")).toEqual([{ n: 1 }]);
    });

    test("may manage its own transaction, but not leave it open", async () => {
      await run({ command: "create table own (a int)" });
      await run({ command: "begin; insert into own values (1); commit" });
      const open = await failure({ command: "begin; insert into own values (2)" });
      expect(open).toMatchObject({ kind: "config" });
      expect(open.message).toContain("COMMIT");
      expect(await rows("select * from own")).toEqual([{ a: 1 }]);
    });

    test("finds its tables in the schema it names, and leaves no trace of it", async () => {
      await run({
        command: 'create schema "odd ""name"; create table "odd ""name".inside (a int)',
      });
      const inside = { command: "select count(*) n from inside" };
      expect((await run({ ...inside, schema: 'odd "name' }))["rows"]).toEqual([{ n: 0 }]);
      expect((await failure(inside)).code).toBe("42P01");
    });

    test("does not meet the session state of the call before", async () => {
      await run({ command: "set timezone = 'Asia/Tokyo'; create temp table leaked (a int)" });
      await run({ command: "select set_config('app.user', 'ada', false)" });
      for (let call = 0; call < postgresPoolConnectionsMax; call++) {
        expect(await value("current_setting('timezone')")).not.toBe("Asia/Tokyo");
        expect(await value("current_setting('app.user', true)")).not.toBe("ada");
        expect((await failure({ command: "select * from leaked" })).code).toBe("42P01");
      }
    });

    test("uses a warm connection again, also after an error of SQL", async () => {
      const first = await value("pg_backend_pid()");
      await outcome({ command: "select nope" });
      expect(await value("pg_backend_pid()")).toBe(first);
    });

    test("waits for a connection when all are busy", async () => {
      const calls = Array.from({ length: postgresPoolConnectionsMax * 3 }, (_, index) =>
        value(`(select ${index} from pg_sleep(0.01))`),
      );
      expect(await Promise.all(calls)).toEqual(calls.map((_, index) => index));
    });

    test("passes the server's notices to the log", async () => {
      const inContext = context();
      await run({ command: "do $$ begin raise notice 'half way'; end $$" }, inContext);
      expect(inContext.lines).toEqual([{ stream: "log", text: "half way" }]);
    });

    test("with a bad field is a config failure that names it", async () => {
      for (const [config, field] of [
        [{}, "command"],
        [{ command: ["select 1", 2] }, "command"],
        [{ command: "/* nothing */ ;" }, "command"],
        [{ command: "copy (select 1) to stdout" }, "command"],
        [{ command: "select 1", params: "x" }, "params"],
        [{ command: "select 1; select $1", params: [1] }, "params"],
        [{ command: "select 1", port: 70_000 }, "port"],
        [{ command: "select 1", ssl_mode: "perhaps" }, "ssl_mode"],
        [{ command: "select 1", connection_string: "mysql//x" }, "connection_string"],
      ] as const) {
        const found = await failure(config);
        expect([found.kind, found.message.split(":")[0]]).toEqual(["config", field]);
      }
      const nobody = await failureOf(tool, { command: "select 1", host: "h" }, toolContext());
      expect(nobody.message).toBe("user: expected a database user, found nothing");
    });

    test("whose rows outgrow the limit is cancelled on the server", async () => {
      const small = postgresTool({ rowBytesMax: 100_000 });
      const config = {
        auth: "pg",
        command: "select repeat('x', 1000), generate_series(1, 100000000) -- outgrow",
      };
      const found = await failureOf(small, config, context());
      await small.close?.();
      expect(found).toMatchObject({ kind: "result", retryable: false });
      expect(await running("outgrow")).toBe(0);
    });

    test("whose caller on the worker wants fewer bytes of rows ends sooner", async () => {
      const command = "select repeat('x', 1000), generate_series(1, 100)";
      expect(await outcome({ command, row_bytes_max: 1_000_000 })).toMatchObject({ status: "ok" });
      const found = await failure({ command, row_bytes_max: 10_000 });
      expect(found).toMatchObject({ kind: "result", retryable: false });
    });
  });
});
