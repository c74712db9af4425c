// Cursor loops as playbooks write them, on a real PostgreSQL and on DuckDB files: queues are
// drained, failed rows count, and what can't be claimed says why.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openPostgres } from "#control/store/postgres";
import type { Sql } from "#control/store/sql";
import { type House, type HouseRun, startHouse } from "#tests/support/embedded";
import { type ScratchPostgres, startPostgres } from "#tests/support/postgres";

let postgres: ScratchPostgres;
let sql: Sql;
let house: House;
let files: string;

beforeAll(async () => {
  files = await mkdtemp(join(tmpdir(), "noetl-cursor-"));
  postgres = await startPostgres();
  sql = openPostgres(postgres.url);
  const { host, port, user, database } = postgres;
  house = await startHouse({
    policy: { fileRoots: [files] },
    credentials: [
      { name: "pg", type: "postgres", data: { host, port, user, database, password: "" } },
    ],
  });
});
afterAll(async () => {
  await house?.close();
  await sql?.close();
  await postgres?.stop();
  await rm(files, { recursive: true, force: true });
});

let queues = 0;

/** A queue of its own with so many rows. */
async function queue(rows: number): Promise<string> {
  const table = `jobs_${++queues}`;
  await sql.query(
    `create table ${table} (id int primary key, state text not null default 'new', frame text,
       worked int not null default 0)`,
  );
  await sql.query(`insert into ${table} (id) select generate_series(1, ${rows})`);
  return table;
}

const claim = (table: string): string => `
          WITH c AS (
            SELECT id FROM ${table} WHERE state = 'new' OR frame = '{{ __frame_key }}'
            ORDER BY id FOR UPDATE SKIP LOCKED LIMIT {{ __frame_max_rows }})
          UPDATE ${table} q SET state = 'taken', frame = '{{ __frame_key }}'
          FROM c WHERE q.id = c.id RETURNING q.id, q.worked`;

const done = (table: string, worked = "worked + 1"): string =>
  `UPDATE ${table} SET state = 'done', worked = ${worked}`;

interface Given {
  readonly spec?: string;
  readonly cursor?: string;
  /** The SQL that each row's body runs. */
  readonly body?: string;
  readonly claim?: string;
}

function playbook(name: string, table: string, given: Given = {}): string {
  const body = given.body ?? `${done(table)} WHERE id = {{ row.id }}`;
  return `
apiVersion: noetl.io/v2
kind: Playbook
metadata: {name: ${name}, path: cursor/${name}}
workload: {rows: 7}
workflow:
- step: start
  loop:
    cursor:
      kind: postgres
      auth: pg
      ${given.cursor ?? ""}
      claim: >-
        ${(given.claim ?? claim(table)).trim()}
    iterator: row
    spec: {mode: cursor, ${given.spec ?? ""}}
  tool: {kind: postgres, auth: pg, command: "${body}"}
  next: {arcs: [{step: end, when: "{{ event.name == 'loop.done' }}"}]}
- step: end
  tool: {kind: noop, result: {stats: "{{ start.stats }}", status: "{{ start.status }}", error: "{{ start.error }}"}}
`;
}

async function run(name: string, table: string, given: Given = {}): Promise<HouseRun> {
  await house.register(playbook(name, table, given));
  return house.run(`cursor/${name}`);
}

const states = (table: string): Promise<unknown> =>
  sql.query(
    `select state, worked, count(*)::int as rows from ${table} group by 1, 2 order by 1, 2`,
  );

describe("a queue in PostgreSQL", () => {
  test("is drained frame by frame, each row once", async () => {
    const table = await queue(25);
    const ended = await run("drained", table, { spec: "frame: {max_rows: '{{ workload.rows }}'}" });
    expect(ended.result).toMatchObject({ stats: { total: 25, success: 25, failed: 0, frames: 4 } });
    expect(await states(table)).toEqual([{ state: "done", worked: 1, rows: 25 }]);
    expect(ended.events.filter(({ type }) => type === "cursor.claimed").length).toBe(4);
    expect(ended.events.filter(({ type }) => type === "cursor.drained").length).toBe(1);
  });

  test("is drained by several frames at once, several rows of each at once", async () => {
    const table = await queue(60);
    const spec = "max_in_flight: 3, frame: {max_rows: 5, row_concurrency: 4}";
    const ended = await run("wide", table, { spec });
    expect(ended.result).toMatchObject({ stats: { total: 60, success: 60, failed: 0 } });
    expect(await states(table)).toEqual([{ state: "done", worked: 1, rows: 60 }]);
  });

  test("an empty queue is drained at once", async () => {
    const ended = await run("empty", await queue(0));
    expect(ended.status).toBe("completed");
    expect(ended.result).toMatchObject({ stats: { total: 0, success: 0, failed: 0, frames: 0 } });
  });

  test("a body may run once for a whole frame", async () => {
    const table = await queue(7);
    const ended = await run("whole", table, {
      spec: "frame: {max_rows: 5, process: frame}",
      body:
        `${done(table, "{{ frame.row_count }}")} ` +
        "WHERE id IN ({{ row | map(attribute='id') | join(', ') }})",
    });
    expect(ended.result).toMatchObject({ stats: { total: 7, success: 7, frames: 2 } });
    expect(await states(table)).toEqual([
      { state: "done", worked: 2, rows: 2 },
      { state: "done", worked: 5, rows: 5 },
    ]);
  });

  test("rows that fail are counted, the others are done", async () => {
    const table = await queue(6);
    const ended = await run("failing", table, {
      spec: "frame: {max_rows: 3, max_attempts: 2}",
      body: `${done(table)} WHERE id = {{ row.id }}; SELECT 1 / ({{ row.id }} - 2)`,
    });
    expect(ended.result).toMatchObject({
      status: "error",
      stats: { total: 6, success: 5, failed: 1, frames: 2 },
      error: { kind: "loop" },
    });
    // The frame of the failed row ran twice, as a whole; its own statement was rolled back.
    expect(await states(table)).toEqual([
      { state: "done", worked: 1, rows: 3 },
      { state: "done", worked: 2, rows: 2 },
      { state: "taken", worked: 0, rows: 1 },
    ]);
  });

  test("a queue that grows while it is drained ends when the growth does", async () => {
    const table = await queue(3);
    const ended = await run("growing", table, {
      spec: "frame: {max_rows: 2}",
      body:
        `${done(table)} WHERE id = {{ row.id }}; ` +
        `INSERT INTO ${table} (id) SELECT {{ row.id }} + 3 WHERE {{ row.id }} < 20`,
    });
    expect(ended.result).toMatchObject({ stats: { total: 22, failed: 0 } });
    expect(await states(table)).toEqual([{ state: "done", worked: 1, rows: 22 }]);
  });

  test("a queue that never ends is left at max_iterations", async () => {
    const table = await queue(1);
    const ended = await run("endless", table, {
      cursor: "options: {max_iterations: 5}",
      body:
        `${done(table)} WHERE id = {{ row.id }}; ` +
        `INSERT INTO ${table} (id) SELECT {{ row.id }} + 1`,
    });
    expect(ended.result).toMatchObject({
      status: "error",
      stats: { total: 5 },
      error: { kind: "loop", code: "max_iterations" },
    });
  });

  test("rows too large for the log come back from their store, whole", async () => {
    const table = await queue(4);
    const ended = await run("large", table, {
      spec: "frame: {max_rows: 4}",
      claim: claim(table).replace("q.worked", "q.worked, repeat('x', 60000) AS text"),
      body: `${done(table, "{{ row.text | length }}")} WHERE id = {{ row.id }}`,
    });
    expect(ended.result).toMatchObject({ stats: { total: 4, success: 4 } });
    expect(await states(table)).toEqual([{ state: "done", worked: 60000, rows: 4 }]);
    const claimed = ended.events.find(({ type }) => type === "cursor.claimed");
    expect(claimed).toMatchObject({ row_count: 4, rows_ref: { kind: "result_ref" } });
    expect(JSON.stringify(claimed).length).toBeLessThan(5_000);
  });
});

describe("a claim that can't be made", () => {
  let silent: Server;
  const guests = new Set<Socket>();
  let silentPort: number;
  beforeAll(async () => {
    silent = createServer((guest) => void guests.add(guest)).listen(0, "127.0.0.1");
    await new Promise((resolve) => silent.once("listening", resolve));
    const address = silent.address();
    silentPort = typeof address === "object" && address !== null ? address.port : 0;
  });
  afterAll(() => {
    for (const guest of guests) guest.destroy();
    silent.close();
  });

  const failedWith = async (name: string, given: Given): Promise<unknown> => {
    const ended = await run(name, "nowhere", given);
    expect(ended.result).toMatchObject({ status: "error", stats: { total: 0 } });
    return (ended.result as { error: unknown }).error;
  };

  test("SQL that is wrong", async () => {
    expect(await failedWith("wrong_sql", {})).toMatchObject({ code: "42P01" });
  });
  test("SQL that gives no rows", async () => {
    const table = await queue(1);
    const given = { claim: `UPDATE ${table} SET state = 'taken'` };
    expect(await failedWith("no_rows", given)).toMatchObject({
      kind: "config",
      message: "the claim returns no rows: end it with RETURNING",
    });
  });
  test("a credential that nobody has", async () => {
    const text = playbook("no_credential", "nowhere").replaceAll("auth: pg", "auth: nobody");
    await house.register(text);
    const ended = await house.run("cursor/no_credential");
    expect(ended.result).toMatchObject({ error: { kind: "credential" } });
  });
  test("a user whom the server does not let in", async () => {
    const cursor = `connection_string: "postgres://nobody:hush@127.0.0.1:${postgres.port}/postgres"`;
    await house.register(playbook("no_user", "nowhere", { cursor }).replace("auth: pg", ""));
    const ended = await house.run("cursor/no_user");
    expect(ended.result).toMatchObject({ error: { code: "28000" }, stats: { total: 0 } });
    const [, ...after] = ended.events.filter(({ type }) => type === "call.error");
    expect(after).toEqual([]);
    const said = ended.events.filter(({ type }) => type !== "command.issued");
    expect(JSON.stringify(said)).not.toContain("hush");
  });
  test("a server that says nothing: the claim ends at max_seconds", async () => {
    const cursor = `connection_string: "postgres://u:secret@127.0.0.1:${silentPort}/d"`;
    const spec = "frame: {max_seconds: 1, max_attempts: 2}";
    const text = playbook("silent", "nowhere", { cursor, spec }).replace("auth: pg", "");
    await house.register(text);
    const ended = await house.run("cursor/silent");
    expect(ended.result).toMatchObject({ error: { kind: "timeout" } });
    expect(JSON.stringify(ended.events)).not.toContain("secret@");
  });
  test("rows that weigh more than max_bytes: the claim is rolled back", async () => {
    const table = await queue(3);
    const heavy = claim(table).replace("q.worked", "repeat('x', 600) AS text");
    const given = { spec: "frame: {max_rows: 3, max_bytes: 1500}", claim: heavy };
    expect(await failedWith("too_heavy", given)).toMatchObject({ kind: "result" });
    expect(await states(table)).toEqual([{ state: "new", worked: 0, rows: 3 }]);
  });
});

test("a queue in a DuckDB file is drained", async () => {
  const database = join(files, "queue.duckdb");
  await house.register(`
apiVersion: noetl.io/v2
kind: Playbook
metadata: {name: duck, path: cursor/duck}
workflow:
- step: start
  tool:
    kind: duckdb
    database: ${database}
    command: "CREATE TABLE jobs AS SELECT range AS id, 'new' AS state FROM range(9)"
  next: {arcs: [{step: drain}]}
- step: drain
  loop:
    cursor:
      kind: duckdb
      database: ${database}
      claim: >-
        UPDATE jobs SET state = '{{ __frame_key }}' WHERE id IN (SELECT id FROM jobs
        WHERE state IN ('new', '{{ __frame_key }}') LIMIT {{ __frame_max_rows }}) RETURNING id
    iterator: job
    spec: {mode: cursor, frame: {max_rows: 4}}
  tool: {kind: duckdb, database: ${database}, command: "UPDATE jobs SET state = 'done' WHERE id = {{ job.id }}"}
  next: {arcs: [{step: end}]}
- step: end
  tool: {kind: duckdb, database: ${database}, command: "SELECT state, count(*) AS n FROM jobs GROUP BY state"}
`);
  const ended = await house.run("cursor/duck");
  expect(ended.error).toBeUndefined();
  expect(ended.result).toMatchObject({ rows: [{ state: "done", n: 9 }] });
});
