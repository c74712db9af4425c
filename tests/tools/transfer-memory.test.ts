// Far more rows than the memory a transfer may take go through it: nothing gathers on the way.

import { expect, test } from "bun:test";
import { createWriteStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openPostgres } from "#control/store/postgres";
import type { JsonObject } from "#core/model/json";
import { repositoryRoot } from "#scripts/install";
import { postgresMissing, startPostgres } from "#tests/support/postgres";
import { postgresAvailable } from "#tests/tools/postgres-calls";

const mebibyte = 1_048_576;
const fileBytes = 200 * mebibyte;
const msMax = 120_000;

// Without PostgreSQL's programs there is no server to test against: the skip says how to get it.
if (!postgresAvailable) test.skip(postgresMissing, () => undefined);

async function largeCsv(path: string): Promise<number> {
  const stream = createWriteStream(path);
  stream.write("id,name,note\n");
  const note = 'grüße, with ""quotes"" and text '.repeat(3);
  let rows = 0;
  for (let bytes = 0; bytes < fileBytes; ) {
    const lines = Array.from({ length: 1_000 }, () => `${++rows},name ${rows},"${note}"\n`).join(
      "",
    );
    bytes += Buffer.byteLength(lines);
    if (!stream.write(lines)) await new Promise((resolve) => stream.once("drain", resolve));
  }
  await new Promise<void>((resolve) => stream.end(resolve));
  return rows;
}

/** Makes these transfers in a process of its own. @returns the most memory that it had. */
async function residentMax(
  root: string,
  rows: number,
  configs: readonly JsonObject[],
): Promise<number> {
  const program = new URL("./transfer-process.ts", import.meta.url).pathname;
  const child = Bun.spawn([process.execPath, program, root, JSON.stringify(configs)], {
    cwd: repositoryRoot,
    stdout: "pipe",
    stderr: "inherit",
  });
  const told: unknown = JSON.parse(await new Response(child.stdout).text());
  expect(told).toMatchObject({ rows: configs.map(() => rows), error: null });
  return (told as { readonly maxRssBytes: number }).maxRssBytes;
}

async function inFolder(work: (root: string) => Promise<void>): Promise<void> {
  const root = await mkdtemp(join(tmpdir(), "noetl-transfer-memory-"));
  try {
    await work(root);
  } finally {
    await rm(root, { recursive: true });
  }
}

test(
  "200 MB of csv go into DuckDB within 400 MB of memory",
  () =>
    inFolder(async (root) => {
      const rows = await largeCsv(join(root, "large.csv"));
      const bytes = await residentMax(root, rows, [
        {
          source: { type: "file", path: "large.csv" },
          target: { type: "duckdb", database: "large.duckdb", table: "large", create: true },
        },
      ]);
      expect(bytes).toBeLessThan(400 * mebibyte);
    }),
  msMax,
);

// The same reason: no server.
test.skipIf(!postgresAvailable)(
  "350 MB of rows with lists leave PostgreSQL for a file within 300 MB, by DuckDB within 700 MB",
  () =>
    inFolder(async (root) => {
      const rows = 400_000;
      const postgres = await startPostgres();
      try {
        const sql = openPostgres(postgres.url, { connections: 1 });
        await sql.query(
          `create table wide as select n as id, array_fill('tag ' || n, array[40]) as tags,
             array_fill(n::bigint, array[20]) as numbers from generate_series(1, ${rows}) n`,
        );
        await sql.close();
        const { host, port, user, database } = postgres;
        const source = {
          ...{ type: "postgres", host, port, user, database, password: "" },
          query: "SELECT * FROM wide",
        };
        const duckdb = { type: "duckdb", database: "wide.duckdb" };
        const direct = [{ source, target: { type: "file", path: "direct.csv" } }];
        expect(await residentMax(root, rows, direct)).toBeLessThan(300 * mebibyte);
        const kept = { ...duckdb, query: "SELECT * FROM wide" };
        const around = [
          { source, target: { ...duckdb, table: "wide", create: true } },
          { source: kept, target: { type: "file", path: "around.ndjson" } },
          { source: kept, target: { type: "file", path: "around.parquet" } },
        ];
        expect(await residentMax(root, rows, around)).toBeLessThan(700 * mebibyte);
      } finally {
        await postgres.stop();
      }
    }),
  2 * msMax,
);
