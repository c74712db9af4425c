// A million rows from PostgreSQL to a DuckDB file and back by two transfer steps, next to the same
// way by hand: COPY into a file, the file into DuckDB, and all of it backwards. The ratio of the two
// is the figure, so that the machine's own speed falls out; and the memory that the worker takes.

import { createReadStream, createWriteStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { DuckDBInstance } from "@duckdb/node-api";
import pg from "pg";
import { from as copyFrom, to as copyTo } from "pg-copy-streams";
import type { Measurement } from "#scripts/bench-figure";
import { familyOf, residentBytesMaxOf } from "#scripts/process-usage";
import { type DistributedHouse, startDistributed } from "./bench-house.ts";
import { playbookText } from "./bench-plans.ts";

const rows = 1_000_000;
const quickRows = 10_000;
const mebibyte = 1_024 * 1_024;

const columns = "id bigint, a text, b numeric(18, 4), c timestamptz, d boolean, e double precision";

function roundTrip(folder: string): string {
  const file = join(folder, "transfer.duckdb");
  return playbookText(
    "round",
    `- step: start
  tool:
    kind: transfer
    source: {type: postgres, auth: bench_pg, query: "select * from source_rows"}
    target: {type: duckdb, database: ${file}, table: kept, create: true}
    mode: replace
  next: {arcs: [{step: back}]}
- step: back
  tool:
    kind: transfer
    source: {type: duckdb, database: ${file}, query: "select * from kept"}
    target: {type: postgres, auth: bench_pg, table: target_rows}
    mode: replace`,
  );
}

async function fill({ target }: DistributedHouse, count: number): Promise<void> {
  await target.query(`create table source_rows (${columns})`);
  await target.query(`create table target_rows (${columns})`);
  await target.query(`create table hand_rows (${columns})`);
  await target.query(
    `insert into source_rows select n, 'text of row ' || n, n * 1.0001,
       timestamptz '2026-01-01' + n * interval '1 second', n % 2 = 0, n / 3.0
     from generate_series(1, ${count}) n`,
  );
  await target.query("vacuum analyze source_rows");
}

/** What the rows of a table come to, so that two of them can be held against each other. */
async function sumOf({ target }: DistributedHouse, table: string): Promise<string> {
  const [row] = await target.query<{ sum: string }>(
    `select count(*) || ' ' || sum(hashtextextended(t::text, 0)) as sum from ${table} t`,
  );
  return row?.sum ?? "";
}

async function stepsMs(house: DistributedHouse): Promise<number> {
  const startedAtMs = performance.now();
  await house.run("round");
  return performance.now() - startedAtMs;
}

const duckColumns = columns.replace("numeric", "decimal").replace("double precision", "double");

/** The same way with the same clients, one statement after the other. */
async function byHandMs({ cluster }: DistributedHouse, folder: string): Promise<number> {
  const [out, back] = [join(folder, "out.csv"), join(folder, "back.csv")];
  const client = new pg.Client({
    connectionString: cluster.postgres.url.replace(/\/[^/]*$/, "/bench_pg"),
  });
  const instance = await DuckDBInstance.create(join(folder, "hand.duckdb"));
  const duck = await instance.connect();
  await client.connect();
  try {
    const startedAtMs = performance.now();
    const read = client.query(copyTo("copy source_rows to stdout (format csv)"));
    await pipeline(read, createWriteStream(out));
    await duck.run(`create table kept (${duckColumns})`);
    await duck.run(`copy kept from '${out}' (format csv, header false)`);
    await duck.run(`copy kept to '${back}' (format csv, header false)`);
    const write = client.query(copyFrom("copy hand_rows from stdin (format csv)"));
    await pipeline(createReadStream(back), write);
    return performance.now() - startedAtMs;
  } finally {
    await client.end();
    duck.closeSync();
    instance.closeSync();
  }
}

/** How many times longer the steps take, and the most memory that a process of the worker held. */
async function transferFound(quick: boolean): Promise<readonly number[]> {
  const folder = await mkdtemp(join(tmpdir(), "noetl-bench-"));
  const house = await startDistributed({
    slots: 4,
    workerEnvironment: { NOETL_WORKER_FILE_ROOTS: folder },
  });
  try {
    await fill(house, quick ? quickRows : rows);
    await house.register(roundTrip(folder));
    const ours = await stepsMs(house);
    const pids = house.cluster.workers.flatMap(({ pid }) => familyOf(pid));
    const residentBytes = Math.max(...pids.map(residentBytesMaxOf));
    const theirs = await byHandMs(house, folder);
    const sums = await Promise.all(
      ["source_rows", "target_rows", "hand_rows"].map((table) => sumOf(house, table)),
    );
    if (new Set(sums).size > 1) throw new Error(`expected equal rows, found ${sums.join(", ")}`);
    return [ours / theirs, residentBytes / mebibyte];
  } finally {
    await house.close();
    await rm(folder, { recursive: true, force: true });
  }
}

export const measurements: readonly Measurement[] = [
  {
    targets: [
      {
        metric: "transfer to DuckDB and back, to COPY by hand",
        unit: "×",
        target: 2,
        better: "lower",
      },
      {
        metric: "transfer, memory of the worker at most",
        unit: "MiB",
        target: 400,
        better: "lower",
      },
    ],
    runs: 3,
    take: transferFound,
  },
];
