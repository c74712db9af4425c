// The snowflake tool with the service's own client against a stand-in for the service.

import { afterAll, describe, expect, test } from "bun:test";
import { generateKeyPairSync } from "node:crypto";
import type { JsonObject } from "#core/model/json";
import { callsOf } from "#tests/tools/context";
import { startSnowflake } from "#tests/tools/snowflake-server";
import { snowflakeTool } from "#worker/tools/snowflake";
import { snowflakeStatements } from "#worker/tools/snowflake-text";
import { snowflakeValue } from "#worker/tools/snowflake-values";

const server = startSnowflake({ password: "s3cret" });
const { run, data, error } = callsOf(snowflakeTool());
afterAll(() => server.stop());

const account: JsonObject = { account: "acme", user: "etl", password: "s3cret", host: server.url };
const queries = (): readonly unknown[] =>
  server.seen
    .filter(({ path }) => path.startsWith("/queries/v1/query"))
    .map(({ body }) => body["sqlText"]);

const orders = {
  status: "success",
  columns: [
    "ID",
    "PRICE",
    "RATIO",
    "TAGS",
    "DAY",
    "AT",
    "OK",
    "NOTE",
    "NOTE_2",
    "RAW",
    "OBJ",
    "ARR",
  ],
  row_count: 2,
  result: [
    {
      ID: 1,
      PRICE: 12.5,
      RATIO: 1.5,
      TAGS: { a: [1, 2] },
      DAY: "2022-01-08",
      AT: "2023-11-14 22:13:20.123",
      OK: true,
      NOTE: "x",
      NOTE_2: "y",
      RAW: "ABCD",
      OBJ: {},
      ARR: [1],
    },
    {
      ID: "12345678901234567890",
      PRICE: "12345678901234567.89",
      RATIO: "NaN",
      TAGS: "Function('return 1')()",
      DAY: null,
      AT: null,
      OK: false,
      NOTE: null,
      NOTE_2: "",
      RAW: null,
      OBJ: "Function('return 1')()",
      ARR: "Function('return 1')()",
    },
  ],
};

describe("a statement", () => {
  test("gives its rows as maps: no digit is lost, and what is no JSON is text", async () => {
    expect(await data({ ...account, command: "select * from orders" })).toEqual(orders);
    expect(server.open()).toBe(0);
  });

  test("is the last of several, which run in order in one session", async () => {
    server.seen.length = 0;
    const command = "insert into a values (';'); -- one; two\nselect 1;\n";
    expect(await data({ ...account, command })).toMatchObject({ row_count: 2, statement_count: 2 });
    expect(queries()).toEqual(["insert into a values (';')", "-- one; two\nselect 1"]);
    expect(server.seen.filter(({ path }) => path.endsWith("login-request"))).toHaveLength(1);
  });

  test("may be an item of a list, and is then taken as it is", async () => {
    server.seen.length = 0;
    const block = "begin insert into a values (1); end";
    expect(await data({ ...account, commands: [block] })).toMatchObject({
      affected_rows: 3,
      result: [{ "number of rows inserted": 3 }],
    });
    expect(queries()).toEqual([block]);
  });

  test("may come in base64, with parameters by position", async () => {
    server.seen.length = 0;
    const encoded = Buffer.from("select ?, ?").toString("base64");
    await data({ ...account, command_b64: encoded, params: ["a", 1] });
    expect(server.seen.find(({ path }) => path.startsWith("/queries"))?.body).toMatchObject({
      sqlText: "select ?, ?",
      bindings: { 1: { type: "TEXT", value: "a" }, 2: { type: "FIXED", value: "1" } },
    });
    expect(await error({ ...account, command_b64: "§§" })).toMatchObject({ kind: "config" });
  });

  test("never reaches for files of the worker", async () => {
    for (const text of [
      "PUT file:///etc/passwd @stage",
      "get @stage file:///tmp",
      "-- hello\n/* and */ put file:///etc/passwd @stage",
    ]) {
      for (const config of [{ command: text }, { commands: [text] }]) {
        expect(await error({ ...account, ...config })).toMatchObject({ kind: "forbidden" });
      }
    }
  });
});

describe("the account", () => {
  test("is the credential's, where the step says nothing else", async () => {
    const fields = { sf_account: "acme", sf_user: "etl", sf_password: "s3cret", sf_role: "LOADER" };
    const sf = { name: "sf", type: "snowflake", data: { ...fields, sf_warehouse: "SMALL" } };
    server.seen.length = 0;
    const config = { host: server.url, auth: "sf", role: "READER", command: "select 1" };
    expect((await run(config, { credentials: { sf } })).status).toBe("ok");
    const login = server.seen.find(({ path }) => path.endsWith("login-request"));
    expect(login?.body).toMatchObject({ data: { ACCOUNT_NAME: "acme", LOGIN_NAME: "etl" } });
    const pg = { name: "pg", type: "postgres", data: {} };
    expect(await error({ auth: "pg", command: "select 1" }, { credentials: { pg } })).toMatchObject(
      { kind: "credential" },
    );
  });

  test("may be shown by a key, locked or not", async () => {
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2_048 });
    const lock = { cipher: "aes-256-cbc", passphrase: "l0ck" } as const;
    const locked = String(privateKey.export({ type: "pkcs8", format: "pem", ...lock }));
    const config = { account: "acme", user: "etl", host: server.url, command: "select 1" };
    const keyed = { ...config, private_key: locked, private_key_passphrase: "l0ck" };
    expect((await run(keyed)).status).toBe("ok");
    const failed = await error({ ...config, private_key: locked, private_key_passphrase: "bad" });
    expect(failed).toMatchObject({
      kind: "config",
      message: expect.stringMatching(/^private_key/),
    });
  });

  test("with a wrong password is the server's refusal, and not shown", async () => {
    const failed = await error({ ...account, password: "wr0ng", command: "select 1" });
    expect(failed).toMatchObject({ kind: "snowflake", code: "390100", retryable: false });
    expect(JSON.stringify(failed)).not.toContain("wr0ng");
  });

  test("needs a name, a user and something to show", async () => {
    const command = "select 1";
    expect(await error({ command })).toMatchObject({ kind: "config" });
    expect(await error({ command, account: "a" })).toMatchObject({ kind: "config" });
    expect(await error({ command, account: "a", user: "u" })).toMatchObject({ kind: "config" });
    expect(await error(account)).toMatchObject({ kind: "config" });
  });
});

describe("a failure", () => {
  test("of a statement has the server's code and ends the session", async () => {
    expect(await error({ ...account, command: "select * from broken; select 1" })).toEqual({
      kind: "snowflake",
      code: "002003",
      message: "Object 'BROKEN' does not exist",
      retryable: false,
      details: { sqlstate: "02000" },
    });
    expect(server.open()).toBe(0);
  });

  test("is the call's own end, which is told to the server", async () => {
    server.seen.length = 0;
    const failed = await error({ ...account, command: "select hangs", timeout: 0.5 });
    expect(failed).toMatchObject({ kind: "timeout", retryable: true });
    expect(server.seen.some(({ path }) => path.endsWith("abort-request"))).toBe(true);
  });

  test("is a timeout where the service never says anything", async () => {
    const silent = Bun.serve({ port: 0, fetch: () => new Promise<Response>(() => undefined) });
    const host = `http://127.0.0.1:${silent.port}`;
    const failed = await error({ ...account, host, command: "select 1", timeout: 0.2 });
    expect(failed).toMatchObject({ kind: "timeout", retryable: true });
    await silent.stop(true);
  });

  test("is that nobody is there", async () => {
    const gone = { ...account, host: "http://127.0.0.1:1", command: "select 1", timeout: 5 };
    expect(await error(gone)).toMatchObject({ retryable: true });
  });
});

test("values that the client has read by types of their own are JSON all the same", () => {
  expect(snowflakeValue({ a: [1], at: new Date(0) }, "json")).toEqual({
    a: [1],
    at: "1970-01-01T00:00:00.000Z",
  });
  expect(snowflakeValue(new Date(0), "other")).toBe("1970-01-01T00:00:00.000Z");
});

test("texts are split at semicolons outside of strings, names, dollar quotes and comments", () => {
  for (const [text, statements] of [
    ["", []],
    [" ; -- nothing\n; // nor here\n; /* ; */", []],
    ["a;b", ["a", "b"]],
    ["select 'it\\'s; ok'; b", ["select 'it\\'s; ok'", "b"]],
    ["select 'it''s; ok'; b", ["select 'it''s; ok'", "b"]],
    ['select ";" ; b', ['select ";"', "b"]],
    ["create f as $$ begin; end; $$; b", ["create f as $$ begin; end; $$", "b"]],
    ["a // one; two\n + 1; b", ["a // one; two\n + 1", "b"]],
    ["a 'never closed; b", ["a 'never closed; b"]],
  ] as const) {
    expect(snowflakeStatements(text)).toEqual([...statements]);
  }
});
