// SQL over the API: whose database, values as parameters alone, bounds, and the audit of it.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { openAccess } from "#control/access/admission";
import { type Control, startControl } from "#control/control";
import { vaultCredentials } from "#control/secrets/source";
import { postgresOutside } from "#control/store/postgres-outside";
import { apiClient } from "#core/adapters/api-client";
import { memoryBus } from "#core/adapters/memory-bus";
import { memoryStores } from "#core/adapters/memory-stores";
import { snowflakeMint, systemClock } from "#core/adapters/system-clock";
import { localAdmin, type Principal, type Role } from "#core/model/access";
import { outsideSqlRowsMax } from "#core/model/secret-limits";
import type { Stores } from "#core/ports/stores";
import { sha256, testSeals } from "#tests/support/control";
import { postgresMissing, type ScratchPostgres, startPostgres } from "#tests/support/postgres";
import { postgresAvailable } from "#tests/tools/postgres-calls";

// Without PostgreSQL's programs there is no server to test against: the skip says how to get it.
if (!postgresAvailable) test.skip(postgresMissing, () => undefined);

const person = (role: Role, tenant = "east"): Principal => ({
  kind: "person",
  subject: `${role}@${tenant}`,
  tenant,
  role,
});

// The same reason: no server.
describe.skipIf(!postgresAvailable)("postgres/execute", () => {
  let server: ScratchPostgres;
  let stores: Stores;
  let control: Control;
  const as = (who: Principal) =>
    apiClient({ fetch: control.fetchAs(who), baseUrl: "http://control" });
  const run = (
    body: Parameters<ReturnType<typeof as>["executeSql"]>[0]["body"],
    who = person("admin"),
  ) => as(who).executeSql({ body: { credential: "db", ...body } });

  beforeAll(async () => {
    server = await startPostgres();
    const clock = systemClock();
    stores = memoryStores(clock);
    control = startControl(
      {
        ...{ ...stores, clock, sha256, seals: testSeals, bus: memoryBus() },
        ids: snowflakeMint(clock, 7),
        credentials: vaultCredentials({
          ...{ vault: stores.vault, seals: testSeals, nowMs: () => clock.nowMs() },
          next: async () => undefined,
        }),
        outsideSql: postgresOutside(undefined),
        engineVersion: "0.0.0-test",
      },
      { access: openAccess(), report: () => {} },
    );
    const { host, port, user, database } = server;
    const data = { host, port, user, database, password: "pa55-w0rd" };
    await as(person("admin")).putCredential({ body: { name: "db", type: "postgres", data } });
    await run({
      query:
        'create schema "we""ird, x"; create table "we""ird, x".t (a int); ' +
        "create table public.t (a int); create table log (what text); " +
        "create procedure note(what text) language sql as 'insert into public.log values (what)'",
    });
  }, 60_000);
  afterAll(async () => {
    await control.stop();
    await server.stop();
  }, 60_000);

  /** Resolves once nothing at the server runs a statement with this text any more. */
  const gone = async (part: string): Promise<void> => {
    const text =
      "select 1 from pg_stat_activity where query like '%' || $1 || '%' " +
      "and state = 'active' and pid <> pg_backend_pid()";
    const call = { text, values: [part], rowsMax: 10, bytesMax: 1_000, timeoutMs: 5_000 };
    for (;;) {
      const answer = await postgresOutside(server.url).run(undefined, call);
      if ("rows" in answer && answer.rows.length === 0) return;
    }
  };

  test("a statement runs with parameters, and rows come as JSON", async () => {
    const query =
      "select $1::int + 1 as n, $2::text as t, $3::jsonb as j, now() is not null as yes, null as no, " +
      "9223372036854775807::bigint as big, 'NaN'::float8 as nan, '\\x01ff'::bytea as bytes, array[1,2] as list";
    const hostile = "'; drop table log; --";
    expect(await run({ query, parameters: [41, hostile, { a: [1] }] })).toEqual({
      status: "ok",
      result: [
        {
          ...{ n: 42, t: hostile, j: { a: [1] }, yes: true, no: null, nan: "NaN" },
          ...{ big: "9223372036854775807", bytes: "\\x01ff", list: [1, 2] },
        },
      ],
    });
    const query_base64 = btoa("select 1 as one");
    expect(await run({ query_base64 })).toMatchObject({ result: [{ one: 1 }] });
    const changed = "with made as (insert into public.t values (7) returning a) select a from made";
    expect(await run({ query: changed })).toEqual({ status: "ok", result: [{ a: 7 }] });
    expect(await run({ query: "update public.t set a = 8" })).toEqual({ status: "ok", result: [] });
    expect(await run({ query: "select a from public.t;" })).toMatchObject({ result: [{ a: 8 }] });
  });

  test("a schema is one name, whatever is in it", async () => {
    await run({ query: "insert into t values (1), (2)", schema: 'we"ird, x' });
    const count = await run({ query: "select count(*)::int as n from t", db_schema: 'we"ird, x' });
    expect(count).toMatchObject({ result: [{ n: 2 }] });
    const hostile = await run({
      query: "select a from t",
      schema: "public, pg_catalog; drop table log",
    });
    expect(hostile).toMatchObject({ status: "error", error: expect.stringContaining("42P01") });
  });

  test("a procedure is called by its name, with parameters", async () => {
    const what = "it's; $1 --";
    for (const procedure of ["note", "call public.note()", "NOTE;"]) {
      expect(await run({ procedure, parameters: [what] })).toEqual({ status: "ok", result: [] });
    }
    const { result } = await run({ query: "select what from log" });
    expect(result).toEqual([{ what }, { what }, { what }]);
  });

  test("a refusal by the database is an answer, and undoes what went before it", async () => {
    expect(await run({ query: "selec 1" })).toEqual({
      status: "error",
      error: '42601: syntax error at or near "selec"',
    });
    const query = "insert into log values ('lost'); select 1 / 0";
    expect(await run({ query })).toMatchObject({ status: "error" });
    const { result } = await run({ query: "select 1 from log where what = 'lost'" });
    expect(result).toEqual([]);
  });

  test("rows beyond the limit are refused, and those at it are not", async () => {
    const rows = (count: number) => run({ query: `select from generate_series(1, ${count})` });
    expect((await rows(outsideSqlRowsMax)).result).toHaveLength(outsideSqlRowsMax);
    await expect(rows(outsideSqlRowsMax + 1)).rejects.toMatchObject({ code: "too_large" });
    const wide = run({ query: "select repeat('x', 1000000) from generate_series(1, 100)" });
    await expect(wide).rejects.toMatchObject({ code: "too_large" });
  });

  test("a statement that takes too long is cancelled at the server", async () => {
    const outside = postgresOutside(server.url);
    const call = { values: [], rowsMax: 10, bytesMax: 1_000, timeoutMs: 200 };
    const text = "select pg_sleep(31), 'sleeper' as me";
    await expect(outside.run(undefined, { ...call, text })).rejects.toMatchObject({
      code: "timeout",
    });
    await gone("sleeper");
  });

  test("the time of a statement is bounded even where it lifts its own limit", async () => {
    const outside = postgresOutside(server.url);
    const call = { values: [], rowsMax: 10, bytesMax: 1_000, timeoutMs: 200 };
    const text = "set statement_timeout = 0; select pg_sleep(31), 'unbounded' as me";
    await expect(outside.run(undefined, { ...call, text })).rejects.toMatchObject({
      code: "timeout",
    });
    await gone("unbounded");
  });

  test("another tenant's administrator doesn't reach it, nor one of less than an administrator", async () => {
    const asked = run({ query: "select 1" }, person("admin", "west"));
    await expect(asked).rejects.toMatchObject({ code: "not_found" });
    const named = run({ query: "select 1", tenant: "east" }, person("admin", "west"));
    await expect(named).rejects.toMatchObject({ code: "forbidden" });
    for (const role of ["viewer", "operator", "editor"] as const) {
      await expect(run({ query: "select 1" }, person(role))).rejects.toMatchObject({
        code: "forbidden",
      });
    }
  });

  test("without a credential it is for whoever runs the installation", async () => {
    const { url } = server;
    const bodies = [{ query: "select 1" }, { query: "select 1", connection_string: url }];
    for (const body of bodies) {
      const asked = as(person("admin")).executeSql({ body });
      await expect(asked).rejects.toMatchObject({ code: "forbidden" });
    }
    const root = as(localAdmin);
    expect(
      await root.executeSql({ body: { query: "select 1 as one", connection_string: url } }),
    ).toEqual({ status: "ok", result: [{ one: 1 }] });
    const none = root.executeSql({ body: { query: "select 1" } });
    await expect(none).rejects.toMatchObject({ code: "unavailable" });
    const entries = await stores.audit.list({ action: "sql.execute", limit: 50 });
    const refused = entries.filter(({ outcome }) => outcome === "refused");
    expect(refused).toHaveLength(2);
  });

  test("each run stands in the audit log by its digest and its beginning", async () => {
    const query = `select ${"1".repeat(300)} is not null as ok`;
    await run({ query });
    const [entry] = await stores.audit.list({ action: "sql.execute", tenant: "east", limit: 1 });
    expect(entry).toMatchObject({
      actor: "admin@east",
      object: "credential/db",
      outcome: "done",
      about: { sha256: sha256(query), text: query.slice(0, 200) },
    });
  });

  test("an address that nobody is at says so, without its password", async () => {
    const data = { host: "127.0.0.1", port: 1, user: "u", password: "hunter2", database: "d" };
    const ada = as(person("admin"));
    await ada.putCredential({ body: { name: "away", type: "postgres", data } });
    const asked = run({ query: "select 1", credential: "away" });
    await expect(asked).rejects.toMatchObject({
      code: "unavailable",
      message: "the database could not be reached, or did not answer",
    });
    await ada.putCredential({ body: { name: "api", type: "bearer", data: { token: "hunter2" } } });
    await expect(run({ query: "select 1", credential: "api" })).rejects.toMatchObject({
      code: "invalid",
      message: "credential api: expected type postgres, found bearer",
    });
  });
});
