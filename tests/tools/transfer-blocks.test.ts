// What leaves PostgreSQL comes in blocks that are bounded by bytes, however wide the rows are, and
// nothing of a block stays once it has been handed on.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import pg from "pg";
import { postgresMissing, type ScratchPostgres, startPostgres } from "#tests/support/postgres";
import { postgresAvailable } from "#tests/tools/postgres-calls";
import { cutShort } from "#worker/tools/cut-short";
import { copyOut } from "#worker/tools/postgres-copy";
import { decodedRows } from "#worker/tools/transfer-rows";

// Without PostgreSQL's programs there is no server to test against: the skip says how to get it.
if (!postgresAvailable) test.skip(postgresMissing, () => undefined);

// The same reason: no server.
describe.skipIf(!postgresAvailable)("rows out of PostgreSQL", () => {
  let server: ScratchPostgres;
  let pool: pg.Pool;
  beforeAll(async () => {
    server = await startPostgres();
    const { host, port, user, database } = server;
    pool = new pg.Pool({ host, port, user, database, max: 1 });
  }, 60_000);
  afterAll(async () => {
    await pool?.end();
    await server?.stop();
  });

  test.each([
    ["narrow", "n::text", 200_000],
    ["with lists of any length", "array_to_json(array_fill(n, array[n % 4000]))", 2_000],
    ["almost as wide as a block", "repeat('x', 60000)", 100],
  ])("that are %s come in blocks of so many bytes at most, all of them", async (_, value, rows) => {
    const blockBytes = 65_536;
    const client = await pool.connect();
    const sql = `COPY (SELECT n, ${value} FROM generate_series(1, ${rows}) n) TO STDOUT (FORMAT csv)`;
    const ids: number[] = [];
    for await (const block of copyOut(client, sql, blockBytes)) {
      expect(block.bytes.length).toBeLessThanOrEqual(blockBytes);
      // What is held is what is there: no block hides a larger buffer.
      expect(block.bytes.buffer.byteLength).toBeLessThanOrEqual(blockBytes);
      const decoded = [...decodedRows(block)];
      expect(decoded).toHaveLength(block.rows);
      ids.push(...decoded.map(([id]) => Number(id)));
    }
    client.release();
    expect(ids).toEqual(Array.from({ length: rows }, (_, index) => index + 1));
  });

  test("that are wider than a block are blocks of their own", async () => {
    const client = await pool.connect();
    const widths = "unnest(array[10, 100000, 20, 30, 70000, 40]) AS width";
    const sql = `COPY (SELECT repeat('x', width) FROM ${widths}) TO STDOUT (FORMAT csv)`;
    const blocks: (readonly [number, number])[] = [];
    for await (const { rows, bytes } of copyOut(client, sql, 65_536)) {
      blocks.push([rows, bytes.length]);
    }
    client.release();
    expect(blocks).toEqual([
      [1, 11],
      [1, 100_001],
      [2, 52],
      [1, 70_001],
      [1, 41],
    ]);
  });
});

describe("waits that one late event may end", () => {
  test("come to what the work comes to, until they are cut", async () => {
    const { bounded, cut } = cutShort();
    expect(await bounded(Promise.resolve(1))).toBe(1);
    await expect(bounded(Promise.reject(new Error("own")))).rejects.toThrow("own");
    const never = bounded(new Promise(() => undefined));
    cut(new Error("late"));
    cut(new Error("later"));
    await expect(never).rejects.toThrow("late");
    await expect(bounded(new Promise(() => undefined))).rejects.toThrow("late");
    expect(await bounded(Promise.resolve(2))).toBe(2);
  });

  test("keep nothing of what is over", async () => {
    const { bounded } = cutShort();
    const kept: WeakRef<object>[] = [];
    for (let n = 0; n < 100; n++) {
      const value = await bounded(Promise.resolve({ bytes: new Uint8Array(1_000) }));
      kept.push(new WeakRef(value));
    }
    await Bun.sleep(0);
    Bun.gc(true);
    // The engine may still have the last ones on its stack.
    expect(kept.filter((one) => one.deref() !== undefined).length).toBeLessThan(20);
  });
});
