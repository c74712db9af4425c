// Holds the duckdb tool to its promises against the real library: exact values, confinement,
// interrupts.

import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { Json, JsonObject } from "#core/model/json";
import { objectData, type TestToolContext, toolContext } from "#tests/tools/context";
import { failureOf, outcomeOf } from "#tests/tools/outcome-of";
import { duckdbTool } from "#worker/tools/duckdb";

const tool = duckdbTool();
let folder = "";
let root = "";
let outside = "";
let contexts: TestToolContext[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "noetl-duckdb-test-"));
  root = join(folder, "root");
  outside = join(folder, "outside");
  await Promise.all([mkdir(root), mkdir(outside)]);
  await writeFile(join(outside, "secret.csv"), "a\n1\n");
});
afterEach(async () => {
  for (const context of contexts) await context.closeResources();
  contexts = [];
});
afterAll(() => rm(folder, { recursive: true }));

/** A context of one command; `withRoot` lets it use files. */
function command(options: { readonly withRoot?: boolean; readonly signal?: AbortSignal } = {}) {
  const fileRoots = options.withRoot === true ? [root] : [];
  const { signal } = options;
  const context = toolContext({
    policy: { shell: false, fileRoots },
    ...(signal === undefined ? {} : { signal }),
  });
  contexts.push(context);
  return context;
}

async function run(config: JsonObject, context = command()): Promise<JsonObject> {
  const output = await outcomeOf(tool, config, context);
  if (output.status === "error") throw new Error(output.error?.message);
  return objectData(output.data);
}

async function value(sql: string, params: readonly Json[] = []): Promise<Json | undefined> {
  const data = await run({ query: `SELECT ${sql} AS v`, params });
  return objectData((data["rows"] as readonly Json[])[0])["v"];
}

describe("a call", () => {
  test("answers with columns, rows and their count", async () => {
    const data = await run({
      command: "select * from (values (1,'a'),(2,null)) t(n, s) order by n",
    });
    expect(data).toEqual({
      columns: ["n", "s"],
      rows: [
        { n: 1, s: "a" },
        { n: 2, s: null },
      ],
      row_count: 2,
    });
  });

  test("takes its SQL from a script, inline or a file below a root", async () => {
    const inline = { source: { type: "inline", code: "select 41 + 1 as n" } };
    expect((await run({ script: inline }))["rows"]).toEqual([{ n: 42 }]);
    await writeFile(join(root, "query.sql"), "create table t as select 7 as n; select n from t");
    const file = { uri: "query.sql", source: { type: "file" } };
    expect((await run({ script: file }, command({ withRoot: true })))["rows"]).toEqual([{ n: 7 }]);
    await expect(run({ script: file })).rejects.toThrow();
  });

  test("answers with lists when objects are not wanted", async () => {
    const data = await run({ query: "select 1 a, 2 b", as_objects: false });
    expect(data["rows"]).toEqual([[1, 2]]);
  });

  test("runs all statements in order, and the last one decides", async () => {
    const command = "create table t (a int); insert into t values (1), (2); select sum(a) s from t";
    expect(await run({ command })).toMatchObject({ rows: [{ s: 3 }], statement_count: 3 });
    const commands = ["create table t (a int)", "insert into t values (1), (2)"];
    expect(await run({ commands })).toEqual({ affected_rows: 2, statement_count: 2 });
  });

  test("keeps every column when names repeat", async () => {
    const data = await run({ command: "select 1 a, 2 a, 3 a_2, 4 a" });
    expect(data["columns"]).toEqual(["a", "a_3", "a_2", "a_4"]);
    expect(data["rows"]).toEqual([{ a: 1, a_3: 2, a_2: 3, a_4: 4 }]);
  });

  test("returns the rows of INSERT … RETURNING", async () => {
    const command = "create table t (a int); insert into t values (7) returning a * 2 as b";
    expect((await run({ command }))["rows"]).toEqual([{ b: 14 }]);
  });

  test("shares its database with the other tasks of the step and with no other step", async () => {
    const step = command();
    await run({ command: "create temp table t as select 5 a" }, step);
    expect((await run({ command: "select a from t" }, step))["rows"]).toEqual([{ a: 5 }]);
    const failure = await failureOf(tool, { command: "select a from t" }, command());
    expect(failure).toMatchObject({ kind: "duckdb", code: "Catalog Error", retryable: false });
  });

  test("that fails inside its own transaction leaves none behind", async () => {
    const step = command();
    await run({ command: "create table t (a int)" }, step);
    await failureOf(tool, { command: "begin; insert into t values (1); select nope" }, step);
    expect((await run({ command: "select count(*) n from t" }, step))["rows"]).toEqual([{ n: 0 }]);
  });

  test("with a bad field is a config failure that names it", async () => {
    for (const [config, field] of [
      [{}, "command"],
      [{ command: 5 }, "command"],
      [{ command: "-- nothing" }, "command"],
      [{ command: "select 1", params: { a: 1 } }, "params"],
      [{ command: "select $1", params: [] }, "params"],
      [{ command: "select 1", params: [1] }, "params"],
      [{ command: "select 1; select $1", params: [1] }, "params"],
      [{ command: "select 1", as_objects: 3 }, "as_objects"],
    ] as const) {
      const failure = await failureOf(tool, config, command());
      expect([failure.kind, failure.message.split(":")[0]]).toEqual(["config", field]);
    }
  });

  test("whose rows outgrow the limit ends before they are all read", async () => {
    const small = duckdbTool({ rowBytesMax: 100_000 });
    const config = { command: "select repeat('x', 100) v from range(1000000)" };
    expect(await failureOf(small, config, command())).toMatchObject({ kind: "result" });
  });

  test("whose caller on the worker wants fewer bytes of rows ends sooner, never later", async () => {
    const small = duckdbTool({ rowBytesMax: 100_000 });
    const query = { command: "select repeat('x', 100) v from range(500)" };
    expect(await outcomeOf(small, query, command())).toMatchObject({ status: "ok" });
    for (const [bytes, kind] of [
      [10_000, "result"],
      [0, "config"],
    ] as const) {
      const config = { ...query, row_bytes_max: bytes };
      expect(await failureOf(small, config, command())).toMatchObject({ kind });
    }
    const more = {
      command: "select repeat('x', 100) v from range(5000)",
      row_bytes_max: 10_000_000,
    };
    expect(await failureOf(small, more, command())).toMatchObject({ kind: "result" });
  });

  test("has the operator's folder of extensions, and can't choose another", async () => {
    const own = duckdbTool({ extensions: join(folder, "extensions") });
    const context = command();
    const query = { command: "select current_setting('extension_directory') v" };
    const output = await outcomeOf(own, query, context);
    expect(output.data).toMatchObject({ rows: [{ v: join(folder, "extensions") }] });
    const other = { command: "set extension_directory = '/tmp'" };
    expect(await failureOf(own, other, context)).toMatchObject({ kind: "duckdb" });
  });
});

describe("values", () => {
  const cases: readonly (readonly [string, Json])[] = [
    ["true", true],
    ["1::tinyint", 1],
    ["9007199254740991", 9007199254740991],
    ["9007199254740993", "9007199254740993"],
    [
      "-170141183460469231731687303715884105727::hugeint",
      "-170141183460469231731687303715884105727",
    ],
    ["18446744073709551615::ubigint", "18446744073709551615"],
    ["1.10::decimal(10,2)", "1.10"],
    ["12345678901234567890.123456789::decimal(38,9)", "12345678901234567890.123456789"],
    ["1.5::double", 1.5],
    ["'nan'::double", "NaN"],
    ["'-inf'::float", "-Infinity"],
    ["null::int", null],
    ["'x'", "x"],
    ["date '2024-02-29'", "2024-02-29"],
    ["time '01:02:03.000004'", "01:02:03.000004"],
    ["timestamp '2024-01-02 03:04:05.123456'", "2024-01-02T03:04:05.123456"],
    ["timestamp_ns '2024-01-02 03:04:05.123456789'", "2024-01-02T03:04:05.123456789"],
    ["timestamptz '2024-01-02 03:04:05.123456+02'", "2024-01-02T01:04:05.123456Z"],
    ["timestamptz '1969-12-31 23:59:59.999999+00'", "1969-12-31T23:59:59.999999Z"],
    ["'infinity'::timestamptz", "infinity"],
    ["interval '1 month 2 days 3 hours'", "1 month 2 days 03:00:00"],
    ["'\\xAA\\x00'::blob", "qgA="],
    ["'101'::bit", "101"],
    ["'b'::enum('a', 'b')", "b"],
    ["'9b2e9f4e-0c0f-4c84-8ad5-1f1f6f4f8b11'::uuid", "9b2e9f4e-0c0f-4c84-8ad5-1f1f6f4f8b11"],
    ["[1, null, 3]", [1, null, 3]],
    ["[[1.10::decimal(4,2)], []]", [["1.10"], []]],
    ["array_value(1, 2)", [1, 2]],
    ["{'a': 1, 'b': {'c': [9007199254740993]}}", { a: 1, b: { c: ["9007199254740993"] } }],
    ["map {'a': 1}", { a: 1 }],
    ["map {1: 'a'}", [{ key: 1, value: "a" }]],
    ["'null'::json", null],
    ["union_value(k := 5)", { tag: "k", value: 5 }],
    ["'{\"a\": [1, 12345678901234567890]}'::json", { a: [1, "12345678901234567890"] }],
  ];
  for (const [sql, expected] of cases) {
    test(`${sql} is ${JSON.stringify(expected)}`, async () => {
      expect(await value(sql)).toEqual(expected);
    });
  }

  test("a struct whose values would be lost is refused", async () => {
    const failure = await failureOf(tool, { command: "select row(1, 2)" }, command());
    expect(failure.message).toContain("unnamed fields");
  });

  test("parameters of every kind of JSON are bound", async () => {
    expect(await value("$1 + 1", [41])).toBe(42);
    expect(await value("$1::bigint", [9007199254740991])).toBe(9007199254740991);
    expect(await value("$1", [1.5])).toBe(1.5);
    expect(await value("$1", ["it's"])).toBe("it's");
    expect(await value("$1", [true])).toBe(true);
    expect(await value("$1::int", [null])).toBe(null);
    expect(await value("list_sum($1)", [[1, 2, 3]])).toBe(6);
    expect(await value("$1::json", [{ a: [1, { b: null }] }])).toEqual({ a: [1, { b: null }] });
    expect(await value("$1::json", [[1, "a", null]])).toEqual([1, "a", null]);
  });
});

describe("files", () => {
  test("hold a database over steps, in folders made as needed", async () => {
    const database = "reports/day.duckdb";
    const first = command({ withRoot: true });
    await run({ database, command: "create table t as select 5 a" }, first);
    await first.closeResources();
    const second = command({ withRoot: true });
    expect(
      (await run({ db_path: join(root, database), command: "from t" }, second))["rows"],
    ).toEqual([{ a: 5 }]);
  });

  test("are open once, so that two steps see one database", async () => {
    const [first, second] = [command({ withRoot: true }), command({ withRoot: true })];
    const database = "shared.duckdb";
    await run({ database, command: "create table t (a int)" }, first);
    expect((await run({ database, command: "from t" }, second))["row_count"]).toBe(0);
    await run({ database, command: "insert into t values (1)" }, first);
    await first.closeResources();
    expect((await run({ database, command: "from t" }, second))["row_count"]).toBe(1);
  });

  test("outside the roots are refused, also through links and dots", async () => {
    await symlink(outside, join(root, "link"));
    for (const database of [
      join(outside, "x.duckdb"),
      "../outside/x.duckdb",
      "link/x.duckdb",
      "link/new/x.duckdb",
      `${root}-sibling.duckdb`,
    ]) {
      const config = { database, command: "select 1" };
      const failure = await failureOf(tool, config, command({ withRoot: true }));
      expect({ database, kind: failure.kind }).toEqual({ database, kind: "forbidden" });
    }
    expect(existsSync(join(outside, "x.duckdb"))).toBe(false);
  });

  test("are refused altogether on a worker without roots", async () => {
    const config = { database: join(root, "y.duckdb"), command: "select 1" };
    expect((await failureOf(tool, config, command())).kind).toBe("forbidden");
  });

  test("within the roots can be read and written by SQL", async () => {
    const file = join(root, "out.csv");
    const context = command({ withRoot: true });
    await run({ command: `copy (select 1 a) to '${file}'` }, context);
    expect((await run({ command: `from '${file}'` }, context))["rows"]).toEqual([{ a: 1 }]);
  });
});

describe("hostile SQL", () => {
  const attacks = () => [
    "select * from read_text('/etc/passwd')",
    "select * from read_blob('/proc/self/environ')",
    "select * from glob('/etc/*')",
    `select * from '${outside}/secret.csv'`,
    `select * from read_csv('${root}/../outside/secret.csv')`,
    "copy (select 1) to '/etc/noetl-test'",
    `copy (select 1) to '${outside}/new.csv'`,
    `attach '${outside}/new.duckdb' as other`,
    `export database '${outside}/export'`,
    "set enable_external_access = true",
    "set lock_configuration = false",
    "reset allowed_directories",
    "set allowed_directories = ['/']",
    "set memory_limit = '1TB'",
    "set temp_directory = '/etc'",
    "pragma enable_profiling = 'json'",
    "install httpfs",
    "load httpfs",
    "load '/tmp/evil.duckdb_extension'",
    "from read_csv('http://127.0.0.1:1/x.csv')",
    "create persistent secret s (type http)",
  ];

  for (const withRoot of [false, true]) {
    test(`reaches nothing ${withRoot ? "beyond the roots" : "without roots"}`, async () => {
      const context = command({ withRoot });
      const succeeded: string[] = [];
      for (const sql of attacks()) {
        const output = await outcomeOf(tool, { command: sql }, context);
        if (output.status === "ok") succeeded.push(sql);
      }
      expect(succeeded).toEqual([]);
      expect(existsSync(join(outside, "new.csv"))).toBe(false);
      expect(existsSync(join(outside, "new.duckdb"))).toBe(false);
    });
  }

  test("may not keep secrets on the worker's disk", async () => {
    expect(await value("current_setting('allow_persistent_secrets')")).toBe(false);
  });

  test("cannot use more memory than the worker gives it", async () => {
    const small = duckdbTool({ memoryBytesMax: 64 * 1_048_576 });
    const config = {
      command: "select list(repeat('x', 1000) || i::text) from range(1000000) r(i)",
    };
    const failure = await failureOf(small, config, command());
    expect(failure).toMatchObject({ kind: "duckdb", code: "Out of Memory Error" });
  });
});

describe("the end of a call", () => {
  const endless = "select count(*) from range(1000000000000) r(i) where hash(i) = 0";

  test("at its timeout interrupts the statement, and the database goes on", async () => {
    const context = command();
    expect(await failureOf(tool, { command: endless, timeout: 0.1 }, context)).toEqual({
      kind: "timeout",
      message: "timed out after 100 ms",
      retryable: true,
    });
    expect((await run({ command: "select 1 a" }, context))["rows"]).toEqual([{ a: 1 }]);
  });

  test("reaches statements that have not started when it comes", async () => {
    const open = Array.from({ length: 12 }, () => command());
    await Promise.all(open.map((context) => run({ command: "select 1" }, context)));
    // More than there are threads for: the last ones are interrupted while they still wait.
    const calls = open.map((context, index) =>
      failureOf(tool, { command: endless, timeout: index < 4 ? 0.4 : 0.05 }, context),
    );
    const kinds = (await Promise.all(calls)).map((failure) => failure.kind);
    expect(new Set(kinds)).toEqual(new Set(["timeout"]));
  });

  test("by cancellation interrupts the statement", async () => {
    const controller = new AbortController();
    const context = command({ signal: controller.signal });
    const running = failureOf(tool, { command: endless }, context);
    controller.abort();
    expect(await running).toMatchObject({ kind: "cancelled", retryable: false });
  });

  test("never passes off the rows so far as the whole result", async () => {
    const endlessRows = { command: "select i from range(1000000000000) r(i)", timeout: 0.2 };
    expect(await failureOf(tool, endlessRows, command())).toMatchObject({ kind: "timeout" });
    const broken = "select if(i = 5000000, error('boom')::int, i) v from range(6000000) r(i)";
    const failure = await failureOf(tool, { command: broken }, command());
    expect(failure).toMatchObject({ kind: "duckdb", message: "Invalid Input Error: boom" });
  });
});

test("the clients are loaded by the first call and not before", async () => {
  const script = `
    const { duckdbTool } = await import("#worker/tools/duckdb");
    const { postgresTool } = await import("#worker/tools/postgres");
    duckdbTool();
    postgresTool();
    const paths = Object.keys(require.cache);
    const loaded = paths.filter((path) => /@duckdb|node_modules.pg/.test(path));
    process.stdout.write(JSON.stringify(loaded));`;
  const child = Bun.spawn(["bun", "-e", script], { stdout: "pipe" });
  expect(await new Response(child.stdout).text()).toBe("[]");
});
