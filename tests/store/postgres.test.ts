// What the stores' way to PostgreSQL does when the server or the network fails: it says that the
// outcome is unknown, and goes on by itself once there is a server again.
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { migrate, migrations } from "#control/store/migrate";
import { openPostgres } from "#control/store/postgres";
import type { Sql } from "#control/store/sql";
import { Fault } from "#core/model/fault";
import { cutProxy } from "#tests/support/cut-proxy";
import { type ScratchPostgres, startPostgres } from "#tests/support/postgres";

let server: ScratchPostgres;
beforeAll(async () => {
  server = await startPostgres();
}, 60_000);
afterAll(() => server.stop());

const opened: Sql[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((sql) => sql.close()));
});
const open = (...asked: Parameters<typeof openPostgres>): Sql => {
  const sql = openPostgres(...asked);
  opened.push(sql);
  return sql;
};

/** The fault that the call ends with. */
async function faultOf(call: Promise<unknown>): Promise<Fault> {
  const thrown = await call.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (thrown instanceof Fault) return thrown;
  throw new Error(`expected a Fault, found ${String(thrown)}`);
}

/** Asks until it is answered. */
async function answered(sql: Sql): Promise<void> {
  for (;;) {
    const answer = await sql.query("select 1").catch(() => undefined);
    if (answer !== undefined) return;
    await Bun.sleep(20);
  }
}

describe("a PostgreSQL server", () => {
  test("that nobody has started is unavailable", async () => {
    const proxy = await cutProxy(server);
    const url = `postgres://postgres@127.0.0.1:${proxy.port}/postgres`;
    await proxy.close();

    expect((await faultOf(open(url).query("select 1"))).code).toBe("unavailable");
  });

  test("that is killed under a statement leaves its outcome unknown, and serves again after its restart", async () => {
    const sql = open(server.url);
    const sleeping = faultOf(sql.query("select pg_sleep(60)"));
    await sql.query("select 1");
    await server.kill();

    expect((await sleeping).code).toBe("unavailable");
    expect((await faultOf(sql.query("select 1"))).code).toBe("unavailable");
    await server.restart();
    await answered(sql);
  }, 60_000);

  test("whose session is ended by an administrator serves the next statement", async () => {
    const sql = open(server.url, { connections: 1 });
    const other = open(server.url, { connections: 1 });
    const [mine] = await sql.query<{ pid: number }>("select pg_backend_pid() as pid");
    await other.query("select pg_terminate_backend($1::integer)", [mine?.pid ?? 0]);
    await sql.query("select 1").catch(() => undefined);

    await answered(sql);
  });

  test("behind a line that went silent is given up, and reached by a new connection", async () => {
    const proxy = await cutProxy(server);
    const url = `postgres://postgres@127.0.0.1:${proxy.port}/postgres`;
    const sql = open(url, { connections: 2, silenceMs: 200 });
    await sql.query("select 1");
    proxy.silence();

    expect((await faultOf(sql.query("select 1"))).code).toBe("unavailable");
    proxy.heal();
    await answered(sql);
    await proxy.close();
  });

  test("that may not write says so as something that passes", async () => {
    const database = open(server.url, { connections: 1 });
    await database.query("create database read_only");
    const url = server.url.replace(/\/[^/]*$/, "/read_only");
    await migrate(open(url));
    await database.query("alter database read_only set default_transaction_read_only = on");
    const refused = await faultOf(
      open(url).query("insert into noetl.quarantine (execution_id, reason) values (1, 'x')"),
    );

    expect(refused).toMatchObject({ code: "unavailable", retryable: true });
  });

  test("refuses a bad statement for good, and its message quotes no data", async () => {
    const fault = await faultOf(open(server.url).query("select 'hunter2'::integer"));

    expect(fault.code).toBe("internal");
    expect(fault.message).toContain("22P02");
    expect(fault.message).not.toContain("hunter2");
  });

  test("hands out the types that the stores rely on", async () => {
    const [row] = await open(server.url).query(
      "select $1::bytea as bytes, $2::float8 as number, $3::boolean as truth, $4::text as nothing",
      [new Uint8Array([0, 255]), 1.5, true, null],
    );

    expect(row).toEqual({
      bytes: expect.any(Uint8Array),
      number: 1.5,
      truth: true,
      nothing: null,
    });
    expect([...((row as { bytes: Uint8Array }).bytes ?? [])]).toEqual([0, 255]);
  });

  test("is migrated once by many that start together", async () => {
    const database = open(server.url, { connections: 1 });
    await database.query("create database together");
    const url = server.url.replace(/\/[^/]*$/, "/together");
    const replicas = Array.from({ length: 8 }, () => open(url, { connections: 1 }));
    await Promise.all(replicas.map((sql) => migrate(sql)));
    const [sql] = replicas;
    const applied = await sql?.query<{ version: number }>(
      "select version from noetl.migration order by version",
    );

    expect(applied?.map(({ version }) => version)).toEqual(migrations.map((m) => m.version));
  }, 30_000);
});
