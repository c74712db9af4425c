// Holds the postgres tool to its promises when things go wrong, against a real server.

import { describe, expect, test } from "bun:test";

import type { Json } from "#core/model/json";
import { postgresPoolConnectionsMax } from "#core/model/limits";
import { postgresMissing } from "#tests/support/postgres";
import { objectData, toolContext } from "#tests/tools/context";
import { outcomeOf } from "#tests/tools/outcome-of";
import { postgresAvailable, postgresCalls } from "#tests/tools/postgres-calls";
import { postgresTool } from "#worker/tools/postgres";

// Without PostgreSQL's programs there is no server to test against: the skip says how to get it.
if (!postgresAvailable) test.skip(postgresMissing, () => undefined);

// The same reason: no server.
describe.skipIf(!postgresAvailable)("postgres", () => {
  const { context, failure, outcome, rows, run, running, server, tool, untilRunning, value } =
    postgresCalls();

  describe("errors", () => {
    test("carry the SQLSTATE and its parts, and whether to try again", async () => {
      await run({ command: "create table constrained (a int primary key, b int not null)" });
      await run({ command: "insert into constrained values (1, 1)" });
      const unique = await outcome({ command: "insert into constrained values (1, 1)" });
      expect(unique).toEqual({
        status: "error",
        error: {
          kind: "pg",
          code: "23505",
          message: 'duplicate key value violates unique constraint "constrained_pkey"',
          retryable: false,
        },
        pg: {
          code: "23505",
          sqlstate: "23505",
          severity: "ERROR",
          detail: "Key (a)=(1) already exists.",
          schema: "public",
          table: "constrained",
          constraint: "constrained_pkey",
        },
      });
      const missing = await outcome({ command: "insert into constrained values (2, null)" });
      expect(missing.pg).toMatchObject({ sqlstate: "23502", column: "b" });
    });

    test("tell the position in the statement as it was written", async () => {
      const plain = await outcome({ command: "select nope" });
      expect(plain.pg).toMatchObject({ sqlstate: "42703", position: 8 });
      const prepared = await outcome({ command: "select nope, $1::int[]", params: [[1]] });
      expect(prepared.pg).toMatchObject({ sqlstate: "42703", position: 8 });
    });

    for (const [code, retryable] of [
      ["40001", true],
      ["40P01", true],
      ["53300", true],
      ["57P01", true],
      ["08006", true],
      ["57014", false],
      ["22012", false],
    ] as const) {
      test(`with SQLSTATE ${code} are ${retryable ? "" : "not "}retryable`, async () => {
        const command = `do $$ begin raise exception 'x' using errcode = '${code}'; end $$`;
        expect((await outcome({ command })).error).toMatchObject({ kind: "pg", code, retryable });
      });
    }

    test("leave the connection fit for the next call", async () => {
      for (let call = 0; call < postgresPoolConnectionsMax * 2; call++) {
        await outcome({ command: "select 1 / 0" });
      }
      expect(await value("1")).toBe(1);
    });

    test("of a connection that the server ends are retryable, and the next call works", async () => {
      const output = await outcome({ command: "select pg_terminate_backend(pg_backend_pid())" });
      expect(output.error).toMatchObject({ kind: "pg", code: "57P01", retryable: true });
      expect(await value("1")).toBe(1);
    });

    test("of idle connections that the server ended are met by no call", async () => {
      const other = postgresTool();
      const one = { auth: "pg", command: "select pg_sleep(0.05)" };
      const fill = Array.from({ length: postgresPoolConnectionsMax }, () =>
        outcomeOf(other, one, context()),
      );
      await Promise.all(fill);
      const command = `select pg_terminate_backend(pid) from pg_stat_activity
        where pid <> pg_backend_pid() and backend_type = 'client backend'`;
      const killed = await run({ command });
      expect(killed["row_count"]).toBeGreaterThanOrEqual(postgresPoolConnectionsMax);
      // The pool may or may not have heard of its loss by now.
      const calls = fill.map(() => outcomeOf(other, one, context()));
      const statuses = (await Promise.all(calls)).map((output) => output.status);
      await other.close?.();
      expect(new Set(statuses)).toEqual(new Set(["ok"]));
    });

    test("of a refused or unresolved host are retryable connection failures", async () => {
      for (const host of ["127.0.0.1", "nowhere.invalid"]) {
        const found = await failure({ command: "select 1", host, port: 1 });
        expect(found).toMatchObject({ kind: "connection", retryable: true });
        expect(found.message).toStartWith(`cannot use postgres at ${host}:1: `);
      }
    });

    test("never hold the password, wherever it came from", async () => {
      const secret = "s3cret/p@ss";
      const encoded = encodeURIComponent(secret);
      const url = `postgres://${encoded}:${encoded}@127.0.0.1:${server().port}/x`;
      const outputs = [
        await outcome({ command: "select 1", database: "absent", password: secret }),
        await outcome({ command: "select 1", port: 1, password: secret }),
        await outcome({ command: `select '${secret}'::int`, password: secret }),
        await outcome({
          command: `do $$ begin raise exception using message = 'x', detail = '${secret}'; end $$`,
          password: secret,
        }),
        await outcomeOf(tool, { command: "select 1", connection_string: url }, toolContext()),
        await outcomeOf(
          tool,
          { command: "select 1", connection_string: `${url} ${secret}` },
          toolContext(),
        ),
      ];
      for (const output of outputs) {
        expect(output.status).toBe("error");
        expect(JSON.stringify(output)).not.toContain(secret);
        expect(JSON.stringify(output)).not.toContain(encodeURIComponent(secret));
      }
    });
  });

  describe("the target", () => {
    test("may be a connection string of either form, whose parts fields override", async () => {
      const { host, port, user } = server();
      const command = "select current_user u, current_database() d";
      const expected = [{ u: "postgres", d: "postgres" }];
      for (const connection_string of [
        server().url,
        `${server().url}?sslmode=disable`,
        `host=${host} port=${port} user=${user} dbname='postgres'`,
        server().url.replace(`:${port}`, ":1"),
      ]) {
        const config = { command, connection_string, port };
        const output = await outcomeOf(tool, config, toolContext());
        expect(objectData(output.data)["rows"]).toEqual(expected);
      }
    });

    test("takes nothing from the worker's environment", async () => {
      const script = `
        import { postgresTool } from "#worker/tools/postgres";
        import { toolContext } from "#tests/tools/context";
        const tool = postgresTool();
        const context = toolContext();
        try { await tool.run({ command: "select 1", port: ${server().port} }, context); }
        catch (error) { process.stdout.write(error.message); }
        const named = { command: "select current_database() d", user: "postgres" };
        const output = await tool.run({ ...named, port: ${server().port} }, context);
        process.stdout.write(" " + (output.data?.rows[0].d ?? output.error.message));
        await tool.close();`;
      const child = Bun.spawn(["bun", "-e", script], {
        env: {
          ...process.env,
          PGUSER: "worker",
          PGPASSWORD: "worker",
          PGHOST: "192.0.2.1",
          PGDATABASE: "worker",
        },
      });
      expect(await new Response(child.stdout).text()).toBe(
        "user: expected a database user, found nothing postgres",
      );
    });

    test("gets no password from the worker's environment either", async () => {
      const passwords: string[] = [];
      const impostor = Bun.listen({
        hostname: "127.0.0.1",
        port: 0,
        socket: {
          data(socket, bytes) {
            // The first byte of a password message is "p", of a startup message its length.
            if (bytes[0] !== 0x70) socket.write(new Uint8Array([0x52, 0, 0, 0, 8, 0, 0, 0, 3]));
            else {
              passwords.push(bytes.subarray(5, -1).toString("utf8"));
              socket.end();
            }
          },
        },
      });
      const script = `
        import { postgresTool } from "#worker/tools/postgres";
        import { toolContext } from "#tests/tools/context";
        const tool = postgresTool();
        const target = { port: ${impostor.port}, host: "127.0.0.1", user: "a" };
        await tool.run({ command: "select 1", ...target }, toolContext());
        await tool.close();`;
      const child = Bun.spawn(["bun", "-e", script], {
        env: { ...process.env, PGPASSWORD: "worker" },
      });
      await child.exited;
      impostor.stop(true);
      expect(passwords).toEqual([""]);
    });
  });

  describe("the end of a call", () => {
    test("at its timeout cancels the statement on the server", async () => {
      const config = { command: "select pg_sleep(60) -- timed", timeout_seconds: 0.3 };
      expect(await failure(config)).toEqual({
        kind: "timeout",
        message: "timed out after 300 ms",
        retryable: true,
      });
      expect(await running("timed")).toBe(0);
    });

    test("by cancellation cancels the statement on the server and undoes the call", async () => {
      await run({ command: "create table undone (a int)" });
      const controller = new AbortController();
      const call = failure(
        { command: "insert into undone values (1); select pg_sleep(60) -- cancelled" },
        context({ signal: controller.signal }),
      );
      await untilRunning("cancelled", 1);
      controller.abort();
      expect(await call).toMatchObject({ kind: "cancelled", retryable: false });
      expect(await running("cancelled")).toBe(0);
      expect(await rows("select * from undone")).toEqual([]);
    });

    test("reaches calls that still wait for a connection", async () => {
      const controller = new AbortController();
      const signal = controller.signal;
      const sleeping = Array.from({ length: postgresPoolConnectionsMax }, () =>
        failure({ command: "select pg_sleep(60) -- full" }, context({ signal })),
      );
      const watcher = postgresTool();
      const count = async () => {
        const command = `select count(*) n from pg_stat_activity
          where query like '%-- full' and state = 'active'`;
        const output = await outcomeOf(watcher, { auth: "pg", command }, context());
        return objectData((objectData(output.data)["rows"] as readonly Json[])[0])["n"];
      };
      while ((await count()) !== postgresPoolConnectionsMax) await Bun.sleep(5);
      expect(await failure({ command: "select 1", timeout: 0.05 })).toMatchObject({
        kind: "timeout",
      });
      controller.abort();
      await Promise.all(sleeping);
      await watcher.close?.();
      expect(await value("1")).toBe(1);
    });

    test("comes even when the server never answers", async () => {
      const silent = Bun.listen({
        hostname: "127.0.0.1",
        port: 0,
        socket: { data: () => undefined },
      });
      const config = { command: "select 1", port: silent.port, timeout: 0.1 };
      expect(await failure(config)).toMatchObject({ kind: "timeout" });
      silent.stop(true);
    });

    test("closing the tool leaves no connection", async () => {
      const own = postgresTool();
      const command = "select pg_backend_pid() p";
      const output = await outcomeOf(own, { auth: "pg", command }, context());
      const pid = objectData((objectData(output.data)["rows"] as readonly Json[])[0])["p"];
      await own.close?.();
      while (
        (await value("(select count(*) from pg_stat_activity where pid = $1)", [pid ?? 0])) !== 0
      ) {
        await Bun.sleep(5);
      }
    });
  });
});
