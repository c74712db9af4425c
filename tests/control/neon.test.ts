// What the drivers of Neon promise beyond the stores' contracts: which error means what, that a
// lost reply leaves the outcome open, and that a lost connection is made anew.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { driverFor } from "#control/store/database";
import type { Sql } from "#control/store/sql";
import { Fault } from "#core/model/fault";
import { type NeonDatabase, neonWays, neonWorld } from "#tests/support/neon";

const world = neonWorld();

const faultOf = (asked: Promise<unknown>): Promise<unknown> =>
  asked.then(
    () => undefined,
    (thrown: unknown) => (thrown instanceof Fault ? [thrown.code, thrown.message] : thrown),
  );

const unknownOutcome = ["unavailable", "the database did not answer, the outcome is unknown"];

for (const way of neonWays) {
  describe(way.name, () => {
    let database: NeonDatabase | undefined;
    let sql: Sql | undefined;
    const present = <Value>(value: Value | undefined): Value => {
      if (value === undefined) throw new Error("expected the hooks to have run");
      return value;
    };
    beforeAll(async () => {
      database = await world.newDatabase();
      sql = way.open(database);
      await sql.query("create table t (id integer primary key, bytes bytea)");
    }, 60_000);
    afterAll(() => sql?.close());

    test("values come back as the stores expect them", async () => {
      const [row] = await present(sql).query(
        `select 9007199254740993::bigint as big, '{"a": 1}'::json as json, 1.5::float8 as float,
          7 as int, true as yes, null as nothing, $1::bytea as bytes, $2::text as text,
          '2024-02-03T04:05:06.789123Z'::timestamptz at time zone 'utc' as time,
          array['a', 'b'] as list, $3::integer as number, $4::boolean as no`,
        [new Uint8Array([0, 92, 255]), "ü\\x", 12, false],
      );
      expect(row).toEqual({
        big: "9007199254740993",
        json: '{"a": 1}',
        float: 1.5,
        int: 7,
        yes: true,
        nothing: null,
        bytes: new Uint8Array([0, 92, 255]),
        text: "ü\\x",
        time: "2024-02-03 04:05:06.789123",
        list: ["a", "b"],
        number: 12,
        no: false,
      });
    });

    test("a refusal names its SQLSTATE and where, never what was refused", async () => {
      await present(sql).query("insert into t (id) values (77001)");
      expect(await faultOf(present(sql).query("insert into t (id) values (77001)"))).toEqual([
        "internal",
        "the database refused the statement with SQLSTATE 23505 on t, t_pkey",
      ]);
      expect(await present(sql).query("select 1 as one")).toEqual([{ one: 1 }]);
    });

    test("a statement that may go well the next time is unavailable", async () => {
      const text = "do $$ begin raise exception 'x' using errcode = '40001'; end $$";
      expect(await faultOf(present(sql).query(text))).toEqual([
        "unavailable",
        "the database gave up the statement with SQLSTATE 40001",
      ]);
    });

    test("a statement whose reply is lost was done, and its caller can't know", async () => {
      present(database).proxy.loseReplyOnce("insert into t ");
      const lost = present(sql).query("insert into t (id) values (1), (2)");
      expect(await faultOf(lost)).toEqual(unknownOutcome);
      expect(await present(sql).query("select count(*)::integer as n from t where id < 3")).toEqual(
        [{ n: 2 }],
      );
    });

    test("connections that are cut are made anew by the next statements", async () => {
      const several = () =>
        Promise.all(Array.from({ length: 4 }, () => present(sql).query("select pg_sleep(0.01)")));
      await several();
      present(database).proxy.cut();
      // A connection whose end isn't known yet may cost one statement each.
      for (let tries = 0; tries < 8; tries++) if ((await faultOf(several())) === undefined) break;
      expect(await faultOf(several())).toBeUndefined();
    });

    test("a database that stays silent is given up, and the outcome is open", async () => {
      const impatient = way.open(present(database), 100);
      expect(await faultOf(impatient.query("select pg_sleep(30)"))).toEqual(unknownOutcome);
      expect(await impatient.query("select 1 as one")).toEqual([{ one: 1 }]);
      await impatient.close();
    });

    test("a database that isn't there, or can't be reached, is no answer to a statement", async () => {
      const { url, proxy } = present(database);
      const missing = way.open({ url: url.replace(/[^/]+$/, "missing"), proxy });
      expect(await faultOf(missing.query("select 1"))).toEqual([
        "internal",
        "the database refused the statement with SQLSTATE 3D000",
      ]);
      await missing.close();
      const nobody = {
        ...proxy,
        fetchEndpoint: "http://127.0.0.1:1/sql",
        wsProxy: "127.0.0.1:1/v1",
      };
      const away = way.open({ url: "postgres://u:p@127.0.0.1:2/none", proxy: nobody });
      expect(await faultOf(away.query("select 1"))).toEqual(unknownOutcome);
      await away.close();
    });

    test("a closed database answers nothing", async () => {
      const closed = way.open(present(database));
      await closed.close();
      await closed.close();
      expect(await faultOf(closed.query("select 1"))).toEqual(unknownOutcome);
    });

    test("megabytes pass in both directions", async () => {
      const bytes = new Uint8Array(3_000_000).map((_, at) => (at * 7) % 251);
      const [row] = await present(sql).query<{ bytes: Uint8Array; n: number }>(
        "select $1::bytea as bytes, octet_length($1::bytea) as n",
        [bytes],
      );
      expect(row?.n).toBe(bytes.length);
      expect(Bun.SHA256.hash(row?.bytes ?? "")).toEqual(Bun.SHA256.hash(bytes));
    });
  });
}

test("a driver is chosen by the host of the address", () => {
  expect(driverFor("postgres://u:p@ep-cool-1.eu-central-1.aws.neon.tech/db")).toBe(
    "neon-websocket",
  );
  expect(driverFor("postgres://u:p@localhost:5432/db")).toBe("postgres");
  expect(driverFor("postgres://u:p@neon.tech.example.com/db")).toBe("postgres");
});
