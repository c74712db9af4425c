// Holds the postgres tool to exact values, both ways, against a real server.

import { describe, expect, test } from "bun:test";

import type { Json } from "#core/model/json";
import { postgresMissing } from "#tests/support/postgres";
import { postgresAvailable, postgresCalls } from "#tests/tools/postgres-calls";

// Without PostgreSQL's programs there is no server to test against: the skip says how to get it.
if (!postgresAvailable) test.skip(postgresMissing, () => undefined);

// The same reason: no server.
describe.skipIf(!postgresAvailable)("postgres", () => {
  const { rows, run, value } = postgresCalls();

  describe("values", () => {
    const cases: readonly (readonly [string, Json])[] = [
      ["true", true],
      ["1::int2", 1],
      ["-2147483648", -2147483648],
      ["9007199254740991", 9007199254740991],
      ["9007199254740993", "9007199254740993"],
      ["1.5::float4", 1.5],
      ["0.1::float8 + 0.2", 0.30000000000000004],
      ["'NaN'::float8", "NaN"],
      ["'-Infinity'::float4", "-Infinity"],
      ["1.10::numeric", "1.10"],
      ["12345678901234567890.123456789::numeric", "12345678901234567890.123456789"],
      ["'NaN'::numeric", "NaN"],
      ["null::int", null],
      ["'it''s'::text", "it's"],
      ["''::varchar", ""],
      ["'a'::char(3)", "a  "],
      ["'name'::name", "name"],
      ["'c'::\"char\"", "c"],
      [
        '\'{"a": [1, null], "big": 12345678901234567890}\'::json',
        { a: [1, null], big: "12345678901234567890" },
      ],
      ["'\"text\"'::jsonb", "text"],
      ["'null'::jsonb", null],
      ["timestamptz '2024-01-02 03:04:05.123456+02'", "2024-01-02T01:04:05.123456Z"],
      ["timestamptz '1969-12-31 23:59:59.999999+00'", "1969-12-31T23:59:59.999999Z"],
      ["timestamptz '2024-01-02 03:04:05+00'", "2024-01-02T03:04:05Z"],
      ["'infinity'::timestamptz", "infinity"],
      ["timestamp '2024-01-02 03:04:05.000001'", "2024-01-02T03:04:05.000001"],
      ["date '2024-02-29'", "2024-02-29"],
      ["time '01:02:03.5'", "01:02:03.5"],
      ["timetz '01:02:03+02'", "01:02:03+02"],
      ["interval '1 month 2 days 3 hours'", "1 mon 2 days 03:00:00"],
      ["'9b2e9f4e-0c0f-4c84-8ad5-1f1f6f4f8b11'::uuid", "9b2e9f4e-0c0f-4c84-8ad5-1f1f6f4f8b11"],
      ["'10.1.2.3/8'::inet", "10.1.2.3/8"],
      ["'10.0.0.0/8'::cidr", "10.0.0.0/8"],
      ["'08:00:2b:01:02:03'::macaddr", "08:00:2b:01:02:03"],
      ["b'101'", "101"],
      ["'12.5'::money", "$12.50"],
      ["'<a/>'::xml", "<a/>"],
      ["to_tsvector('simple', 'a b')", "'a':1 'b':2"],
      ["int4range(1, 5)", "[1,5)"],
      ["point(1, 2)", "(1,2)"],
      ["row(1, 'x y')", '(1,"x y")'],
      ["'\\xdeadbeef'::bytea", "3q2+7w=="],
      ["array[1, null, 3]", [1, null, 3]],
      [
        "'{{1,2},{3,4}}'::int8[]",
        [
          [1, 2],
          [3, 4],
        ],
      ],
      [
        "array['a,b', 'c\"d', 'e\\f', null, 'NULL', '', '{}']",
        ["a,b", 'c"d', "e\\f", null, "NULL", "", "{}"],
      ],
      ["'{}'::text[]", []],
      ["array[1.10, 2]::numeric[]", ["1.10", "2"]],
      ["array[true, false]", [true, false]],
      ["array[9007199254740993]", ["9007199254740993"]],
      ["array['{\"a\": 1}'::jsonb]", [{ a: 1 }]],
      ["array['\\x00'::bytea]", ["AA=="]],
      ["array[timestamptz 'epoch']", ["1970-01-01T00:00:00Z"]],
      ["array[interval '1 day', '2 hours']", ["1 day", "02:00:00"]],
      ["'{(1,1),(0,0);(3,3),(2,2)}'::box[]", ["(1,1),(0,0)", "(3,3),(2,2)"]],
      ["array['10.0.0.1'::inet]", ["10.0.0.1"]],
      ["'1 2 3'::int2vector::text", "1 2 3"],
    ];
    for (const [sql, expected] of cases) {
      test(`${sql} is ${JSON.stringify(expected)}`, async () => {
        expect(await value(sql)).toEqual(expected);
      });
    }

    test("of types made in the same call are read by their base", async () => {
      const command = `create type mood as enum ('sad', 'happy');
        create domain positive as int check (value > 0);
        create domain positives as positive[];
        create type pair as (a int, b mood);
        select 'sad'::mood e, array['happy'::mood] es, 5::positive d, array[5::positive] ds,
          array[6::positive]::positives dd, row(1, 'sad')::pair p, array[row(1, 'sad')::pair] ps`;
      expect((await run({ command }))["rows"]).toEqual([
        { e: "sad", es: ["happy"], d: 5, ds: [5], dd: [6], p: "(1,sad)", ps: ["(1,sad)"] },
      ]);
    });

    test("are the same whatever the server's own output settings are", async () => {
      await run({
        command: `create role odd superuser login;
          alter role odd set datestyle = 'German';
          alter role odd set bytea_output = 'escape'`,
      });
      const command = "select date '2024-02-29' d, timestamptz 'epoch' t, '\\xde'::bytea b";
      expect((await run({ command, user: "odd" }))["rows"]).toEqual([
        { d: "2024-02-29", t: "1970-01-01T00:00:00Z", b: "3g==" },
      ]);
    });
  });

  describe("parameters", () => {
    test("fit the column they are for, whatever kind of JSON they are", async () => {
      await run({
        command: `create table fits (i2 int2, i4 int4, i8 int8, n numeric, f float8, b bool, t text,
          j jsonb, js json, a int[], ta text[], d date, ts timestamptz, u uuid, by bytea)`,
      });
      const params = [
        ...[1, 2, "9007199254740993", 1.5, "NaN", true, 8, { a: [1, { b: null }] }, [1, "x", null]],
        ...[
          [1, null, 3],
          ["a,b", 'c"d', "e\\f", null],
          "2024-02-29",
          "2024-01-01T00:00:00.000001Z",
        ],
        ...["9b2e9f4e-0c0f-4c84-8ad5-1f1f6f4f8b11", "\\xde"],
      ];
      const places = params.map((_, index) => `$${index + 1}`).join(", ");
      const data = await run({
        command: `insert into fits values (${places}) returning *`,
        params,
      });
      expect(data["rows"]).toEqual([
        {
          ...{ i2: 1, i4: 2, i8: "9007199254740993", n: "1.5", f: "NaN", b: true, t: "8" },
          ...{ j: { a: [1, { b: null }] }, js: [1, "x", null], a: [1, null, 3] },
          ...{ ta: ["a,b", 'c"d', "e\\f", null], d: "2024-02-29" },
          ...{ ts: "2024-01-01T00:00:00.000001Z", u: "9b2e9f4e-0c0f-4c84-8ad5-1f1f6f4f8b11" },
          by: "3g==",
        },
      ]);
    });

    test("may all be null", async () => {
      expect(await value("$1::int is null and $2::jsonb is null", [null, null])).toBe(true);
    });

    test("that are JSON are stored as JSON and not as text that holds JSON", async () => {
      expect(await value("jsonb_typeof($1)", [{ a: 1 }])).toBe("object");
      expect(await value("jsonb_typeof($1)", [[1, 2]])).toBe("array");
      expect(await value("jsonb_typeof($1)", ['{"a": 1}'])).toBe("object");
    });

    test("that are lists work with ANY and nest", async () => {
      expect(
        await rows("select x from generate_series(1, 5) x where x = any($1)", [[2, 4]]),
      ).toEqual([{ x: 2 }, { x: 4 }]);
      expect(
        await value("$1::int[]", [
          [
            [1, 2],
            [3, 4],
          ],
        ]),
      ).toEqual([
        [1, 2],
        [3, 4],
      ]);
      expect(await value("$1::jsonb[]", [[{ a: 1 }, { b: [2] }]])).toEqual([{ a: 1 }, { b: [2] }]);
    });

    test("are values and never SQL", async () => {
      expect(await value("$1::text", ["'; drop table x; --"])).toBe("'; drop table x; --");
    });
  });
});
