// How statements reach the embedded database: values both ways, plans that are kept, and faults
// that tell what is needed and no more.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { type Sql, sqlFault } from "#control/store/sql";
import { Fault } from "#core/model/fault";
import { scratchPglite } from "#tests/contract/pglite-world";

let opened: Sql | undefined;
const sql = (): Sql => {
  if (opened === undefined) throw new Error("the database did not open");
  return opened;
};
beforeAll(async () => {
  opened = await scratchPglite();
}, 60_000);
afterAll(() => opened?.close());

const faultOf = async (work: Promise<unknown>): Promise<Fault> => {
  try {
    await work;
  } catch (thrown) {
    if (thrown instanceof Fault) return thrown;
    throw thrown;
  }
  throw new Error("nothing was thrown");
};

test("values go in and come out as what they are, the first time and with a kept plan", async () => {
  const text = `select $1::text as text, $2::integer as int, $3::boolean as bool, $4::bytea as bytes,
    $5::text as none, 9007199254740993::bigint as big, '{"a":1,"a":-0}'::json as json,
    '' as empty`;
  for (let use = 0; use < 8; use++) {
    const bytes = Uint8Array.of(0, 255, use);
    const said = `'"\\ 😀 $1 ${use}`;
    const [row] = await sql().query(text, [said, use, use % 2 === 0, bytes, null]);
    expect(row).toEqual({
      text: said,
      int: use,
      bool: use % 2 === 0,
      bytes,
      none: null,
      big: "9007199254740993",
      json: '{"a":1,"a":-0}',
      empty: "",
    });
  }
});

test("statements asked for at once are done one after the other, in order", async () => {
  await sql().query("create table line (n integer generated always as identity, said integer)");
  const said = Array.from({ length: 50 }, (_, n) => n);
  await Promise.all(said.map((n) => sql().query("insert into line (said) values ($1)", [n])));
  const rows = await sql().query<{ said: number }>("select said from line order by n");
  expect(rows.map((row) => row.said)).toEqual(said);
});

test("a statement that failed can be asked again once it makes sense", async () => {
  const text = "select n from comes_later";
  for (let use = 0; use < 3; use++) {
    const fault = await faultOf(sql().query(text));
    expect([fault.code, fault.message]).toEqual([
      "internal",
      "the database refused the statement with SQLSTATE 42P01",
    ]);
  }
  await sql().query("create table comes_later as select 1 as n");
  expect(await sql().query(text)).toEqual([{ n: 1 }]);
  expect(await sql().query(text)).toEqual([{ n: 1 }]);
});

test("a kept plan that the schema has outgrown is made anew", async () => {
  await sql().query("create table grows as select 1 as n");
  const text = "select * from grows";
  for (let use = 0; use < 3; use++) expect(await sql().query(text)).toEqual([{ n: 1 }]);
  await sql().query("alter table grows add column m integer default 2");
  expect(await sql().query(text)).toEqual([{ n: 1, m: 2 }]);
});

test("more texts than plans are kept for work as well", async () => {
  for (let n = 0; n < 450; n++) {
    expect(await sql().query(`select ${n % 225} as n`)).toEqual([{ n: n % 225 }]);
  }
});

test("a refused statement says where, and nothing of the data; the next one works", async () => {
  await sql().query("create table strict (name text constraint strict_name unique)");
  const insert = () => sql().query("insert into strict values ($1)", ["secret"]);
  await insert();
  for (let use = 0; use < 3; use++) {
    const fault = await faultOf(insert());
    expect([fault.code, fault.message]).toEqual([
      "internal",
      "the database refused the statement with SQLSTATE 23505 on strict, strict_name",
    ]);
    expect(JSON.stringify([fault, fault.details, fault.cause])).not.toContain("secret");
  }
  expect(await sql().query("select count(*)::integer as n from strict")).toEqual([{ n: 1 }]);
});

test("what may go well the next time is unavailable, the rest is internal", () => {
  const lost = ["08006", "08P01", "53300", "53100", "57P01", "57P03"];
  const passing = [...lost, "40001", "40P01", "55P03", "57014", "25006"];
  for (const sqlState of passing) expect(sqlFault({ sqlState }).code).toBe("unavailable");
  const lasting = ["23505", "22P02", "42P01", "42601", "0A000", "XX000", "40002"];
  for (const sqlState of lasting) expect(sqlFault({ sqlState }).code).toBe("internal");
  expect(sqlFault({}).code).toBe("unavailable");
  expect(sqlFault({ sqlState: "40P01" }).message).toContain("40P01");
});
