// What `noetl query` asks for, and the forms in which it shows what came back.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { runHere } from "./in-process.ts";
import { workplace } from "./noetl.ts";

const place = workplace();
const rows = [
  { id: 1, name: 'a "b", c', at: null, tags: ["x"] },
  { id: -2, name: "=1+1", extra: "\u001b[2J" },
];
let asked: unknown;
let answer: unknown;
const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  fetch: async (request) => {
    asked = await request.json();
    return Response.json(answer);
  },
});
beforeAll(() => {
  answer = { status: "ok", result: rows };
});
afterAll(async () => {
  await server.stop(true);
  place.remove();
});
const query = (...argv: readonly string[]) =>
  runHere(["query", ...argv], {
    ...{ NOETL_CONFIG_HOME: place.folder, NOETL_DIRECTORY: place.path("noetl") },
    NOETL_SERVER_URL: `http://127.0.0.1:${server.port}`,
  });

test("a statement goes with its values, its schema and its credential", async () => {
  await query("select $1", "--parameters", "[7, null]", "-s", "etl", "--credential", "warehouse");
  expect(asked).toEqual({
    query: "select $1",
    parameters: [7, null],
    schema: "etl",
    credential: "warehouse",
  });
  expect((await query("select 1", "--parameters", "7")).exitCode).toBe(2);
  expect((await query("select 1", "-f", "xml")).exitCode).toBe(2);
});

test("rows are a table, JSON, or CSV in which nothing is a formula", async () => {
  const table = await query("select 1");
  expect(table.out.split("\n")[0]).toMatch(/^id +name +at +tags +extra$/);
  expect(table.out).not.toContain("\u001b");
  expect(JSON.parse((await query("select 1", "-f", "json")).out)).toEqual({ rows });
  expect((await query("select 1", "-f", "csv")).out.split("\n").slice(0, 3)).toEqual([
    "id,name,at,tags,extra",
    '1,"a ""b"", c",,"[""x""]",',
    "-2,'=1+1,,,\u001b[2J",
  ]);
});

test("what the database refuses ends with 1 and says why", async () => {
  answer = { status: "error", error: "42P01: relation does not exist" };
  const { exitCode, out, err } = await query("select * from nothing");
  answer = { status: "ok", result: [] };
  expect([exitCode, out, err]).toEqual([1, "", "noetl: 42P01: relation does not exist\n"]);
  expect((await query("select 1 where false")).out).toBe("no rows\n");
});
