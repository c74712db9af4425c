// What the ducklake tool makes of its fields, what it says without its extension, and a lake at work
// where the extension is there.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { JsonObject } from "#core/model/json";
import { objectData, toolContext } from "#tests/tools/context";
import { failureOf, outcomeOf } from "#tests/tools/outcome-of";
import { ducklakeTool, lakeOf, lakeStatements } from "#worker/tools/ducklake";

let root = "";
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "noetl-ducklake-test-"));
});
afterAll(() => rm(root, { recursive: true }));

const context = () =>
  toolContext({
    policy: { shell: false, fileRoots: [root] },
    credentials: {
      pg: {
        name: "pg",
        type: "postgres",
        data: { db_host: "db", db_user: "lake", db_password: "it's", db_name: "cat" },
      },
      bearer: { name: "bearer", type: "bearer", data: { token: "t" } },
    },
  });
const statements = async (config: JsonObject) => lakeStatements(await lakeOf(config, context()));

describe("a lake", () => {
  test("with its catalog in a file is attached under its name", async () => {
    const config = {
      catalog_connection: "meta.ducklake",
      data_path: "data",
      catalog_name: "trips",
    };
    expect(await statements(config)).toEqual([
      "LOAD ducklake",
      `ATTACH 'ducklake:${root}/meta.ducklake' AS "trips" (DATA_PATH '${root}/data/')`,
    ]);
    expect(await statements({ catalog_connection: "sqlite:meta.db" })).toEqual([
      "LOAD ducklake",
      "LOAD sqlite_scanner",
      `ATTACH 'ducklake:sqlite:${root}/meta.db' AS "lake"`,
    ]);
  });

  test("with its catalog in PostgreSQL takes the credential, which no text shows", async () => {
    const config = { catalog_connection: "postgres:connect_timeout=3", auth: "pg" };
    expect(await statements(config)).toEqual([
      "LOAD ducklake",
      "LOAD postgres_scanner",
      `ATTACH 'ducklake:postgres:connect_timeout=3 host=''db'' user=''lake'' ` +
        `password=''it\\''s'' dbname=''cat''' AS "lake"`,
    ]);
    expect((await lakeOf(config, context())).secrets).toContain("it's");
    const other = { catalog_connection: "postgres:", auth: "bearer" };
    expect(lakeOf(other, context())).rejects.toMatchObject({ failure: { kind: "credential" } });
  });

  test("outside the roots, at an address or under no plain name is refused", async () => {
    const failed = async (config: JsonObject) => {
      const call = { command: "SELECT 1", ...config };
      return (await failureOf(ducklakeTool(), call, context())).kind;
    };
    expect(await failed({ catalog_connection: "/etc/meta" })).toBe("forbidden");
    expect(await failed({ catalog_connection: "meta", data_path: "../x" })).toBe("forbidden");
    expect(await failed({ catalog_connection: "meta", data_path: "s3://b/x" })).toBe("config");
    expect(await failed({ catalog_connection: "mysql:db" })).toBe("config");
    expect(await failed({ catalog_connection: "meta", catalog_name: 'a" --' })).toBe("config");
    expect(await failed({})).toBe("config");
  });

  test("without the extension says which file is missing and how to get it", async () => {
    const call = { command: "SELECT 1", catalog_connection: "meta.ducklake" };
    const error = await failureOf(ducklakeTool({ extensions: root }), call, context());
    expect(error).toMatchObject({ kind: "missing_program", retryable: false });
    expect(error.message).toContain("ducklake.duckdb_extension");
    expect(error.message).toContain("INSTALL ducklake");
    const unset = await failureOf(ducklakeTool(), call, context());
    expect(unset.message).toContain("NOETL_DUCKDB_EXTENSIONS");
  });

  const extensions = process.env["NOETL_DUCKDB_EXTENSIONS"] ?? "";
  // The extension's file is no part of DuckDB's library, and not every machine has it.
  test.skipIf(!existsSync(extensions))(
    "keeps what was written into it (needs NOETL_DUCKDB_EXTENSIONS)",
    async () => {
      const tool = ducklakeTool({ extensions });
      const lake = { catalog_connection: "kept.ducklake", data_path: "kept" };
      const run = async (command: string) => {
        const output = await outcomeOf(tool, { ...lake, command }, context());
        if (output.status === "error") throw new Error(output.error?.message);
        return objectData(output.data);
      };
      await run("CREATE TABLE trips (id INTEGER); INSERT INTO trips VALUES (1), (2)");
      expect((await run("SELECT sum(id)::INTEGER AS n FROM trips"))["rows"]).toEqual([{ n: 3 }]);
    },
  );
});
