// Backups: what goes in comes out again and goes on, and what was damaged on the way is refused
// before anything is written.

import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { checkBackup } from "#control/backup/read";
import { restoreBackup } from "#control/backup/restore";
import { backedUpTables, leftOutTables } from "#control/backup/tables";
import { writeBackup } from "#control/backup/write";
import { openPglite } from "#control/store/pglite";
import type { Sql } from "#control/store/sql";
import { sqlStores } from "#control/store/stores";
import { preparedForTests, scratchPglite } from "#tests/contract/pglite-world";
import { onPglite, type Shelf, type World } from "#tests/support/control";
import { done, failed, handWorker } from "#tests/support/hand-worker";
import { workplace } from "./noetl.ts";
import { worldOver } from "./world.ts";

setDefaultTimeout(60_000);
const place = workplace();
afterAll(() => place.remove());

const options = (file: string) => ({
  ...{ file, version: "1.2.3", replaces: false, logs: true },
  at: new Date().toISOString(),
});

test("every table of the schema is in a backup, or it is said why not", async () => {
  const sql = await scratchPglite();
  const rows = await sql.query<{ name: string }>(
    `select relname::text as name from pg_class where relnamespace = 'noetl'::regnamespace
      and relkind in ('r', 'p') and not relispartition order by 1`,
  );
  await sql.close();
  const known = [...backedUpTables.map(({ name }) => name), ...Object.keys(leftOutTables)];
  expect(rows.map(({ name }) => name)).toEqual(known.toSorted());
});

const two = (name: string) => `apiVersion: noetl.io/v2
kind: Playbook
metadata: {name: ${name}, path: t/${name}}
workflow:
  - step: start
    tool: {kind: python, code: "result = '\\u00fc \\"quoted\\" \\\\n'"}
    next: {arcs: [{step: second}]}
  - step: second
    tool: {kind: python, code: "result = 1"}
`;
const looping = `apiVersion: noetl.io/v2
kind: Playbook
metadata: {name: looping, path: t/looping}
workflow:
  - step: start
    loop: {in: "{{ range(5) }}", iterator: n, spec: {mode: parallel, max_in_flight: 2}}
    tool: {kind: python, code: "result = n"}
`;
const waiting = `apiVersion: noetl.io/v2
kind: Playbook
metadata: {name: waiting, path: t/waiting}
workflow:
  - step: start
    tool: {kind: wait, for: callback, key: go}
`;

interface Scene {
  readonly running: readonly string[];
  readonly heads: readonly unknown[];
}

const headsSql = `select execution_id::text as id, head, encode(digest, 'hex') as digest, status,
  tenant from noetl.execution order by execution_id`;

/** Executions that have ended, failed, run, loop and wait, with their commands in workers' hands. */
async function scene(world: World, sql: Sql): Promise<Scene> {
  for (const text of [two("ended"), two("broken"), two("held"), looping, waiting]) {
    await world.register(text);
  }
  const worker = handWorker(world.client);
  await world.start("t/ended");
  await worker.drain();
  await world.start("t/broken");
  await worker.settle((await worker.claim()).map((command) => failed(command)));
  const held = await world.start("t/held", { text: "a\u2028b" });
  const looped = await world.start("t/looping");
  const waits = await world.start("t/waiting");
  const [first] = await worker.claim(1);
  if (first !== undefined) await worker.settle([done(first, "x")]);
  await worker.claim(4);
  await world.client.putRule({
    params: { key: "pool:default" },
    body: { max_running: 9, per_second: 50, burst: 50 },
  });
  await world.control.sweep.sweepOnce();
  // The engine has one session: nobody else may be in it while it is copied.
  await world.control.stop();
  return { running: [held, looped, waits], heads: await sql.query(headsSql) };
}

/** What a command line would do in a new directory. */
async function emptyDatabase(name: string): Promise<Sql> {
  return openPglite(place.path(name), { prepared: await preparedForTests() });
}

const shelfSql = ({ sql }: Shelf): Sql => {
  if (sql === undefined) throw new Error("expected a shelf with a database");
  return sql;
};

onPglite((shelf) => {
  test("a restored database says the same, is whole, and ends what was running", async () => {
    const world = shelf().open();
    const { running, heads } = await scene(world, shelfSql(shelf()));
    const file = place.path("whole.backup");
    const report = await writeBackup(shelfSql(shelf()), options(file));
    expect(report.tables).toMatchObject({ execution: 5, rule: 1 });
    expect(statSync(file).mode & 0o777).toBe(0o600);

    const sql = await emptyDatabase("whole");
    await restoreBackup(sql, { file, pausesSchedules: false });
    expect(await sql.query(headsSql)).toEqual(heads);
    const restored = worldOver(sqlStores(sql));
    const { executions } = await restored.client.rebuild({ body: { projections: true } });
    expect(executions.flatMap(({ problems }) => problems)).toEqual([]);
    expect(executions).toHaveLength(5);

    const [, , waits = ""] = running;
    await restored.client.callback({ params: { id: waits, key: "go" }, query: {}, body: {} });
    await restored.control.sweep.sweepOnce();
    const worker = handWorker(restored.client, "w2");
    await worker.drain();
    for (const id of running) expect(await restored.ended(id)).toBe("completed");
    const after = await restored.client.verify({ query: {} });
    expect(after.executions.flatMap(({ problems }) => problems)).toEqual([]);
    const [identity] = await sql.query("select timeline from noetl.timeline() timeline");
    expect([identity]).not.toEqual(
      await shelfSql(shelf()).query("select timeline from noetl.timeline() timeline"),
    );
    await restored.control.stop();
    await sql.close();
  });

  test("a second restore into the same database is refused, and changes nothing", async () => {
    await scene(shelf().open(), shelfSql(shelf()));
    const file = place.path("twice.backup");
    await writeBackup(shelfSql(shelf()), options(file));
    const restoring = restoreBackup(shelfSql(shelf()), { file, pausesSchedules: false });
    expect(restoring).rejects.toThrow("expected an empty database, found 5 rows in table catalog");
    await restoring.catch(() => {});
    expect(await shelfSql(shelf()).query(headsSql)).toHaveLength(5);
  });

  test("an existing file is kept unless it is to be replaced", async () => {
    const file = place.write("there.backup", "mine");
    const writing = writeBackup(shelfSql(shelf()), options(file));
    expect(writing).rejects.toThrow("is there already");
    await writing.catch(() => {});
    expect(readFileSync(file, "utf8")).toBe("mine");
    await writeBackup(shelfSql(shelf()), { ...options(file), replaces: true });
    expect((await checkBackup(file)).head.version).toBe("1.2.3");
  });

  describe("a file", () => {
    let whole = new Uint8Array();
    const damaged = async (bytes: Uint8Array): Promise<string> => {
      const file = place.path("damaged.backup");
      writeFileSync(file, bytes);
      return checkBackup(file).then(
        () => "whole",
        (thrown: Error) => thrown.message,
      );
    };
    const made = async (): Promise<void> => {
      await scene(shelf().open(), shelfSql(shelf()));
      const file = place.path("cut.backup");
      await writeBackup(shelfSql(shelf()), { ...options(file), replaces: true });
      whole = new Uint8Array(readFileSync(file));
    };

    test("that was cut anywhere, or of which a byte was changed, is no backup", async () => {
      await made();
      expect(await damaged(whole)).toBe("whole");
      for (let n = 0; n < 20; n++) {
        const at = Math.floor((whole.length * n) / 20);
        expect(await damaged(whole.slice(0, at))).toMatch(/cut off|no backup/);
        const flipped = whole.slice();
        flipped[at] = (flipped[at] ?? 0) ^ 0x10;
        expect(await damaged(flipped)).toMatch(/damaged|cut off|no backup/);
      }
      expect(await damaged(new Uint8Array([...whole, ...whole]))).toMatch(/damaged/);
    });

    test("whose rows were changed and packed again is no backup", async () => {
      await made();
      const lines = await textOf(whole);
      const row = lines.findIndex((line) => line.startsWith('{"t":"event"'));
      const end = lines.length - 1;
      for (const [changed, why] of [
        [lines.toSpliced(row, 1), /table event is not as it was/],
        [lines.with(row, lines[row + 1] ?? ""), /table event is not as it was/],
        [lines.with(0, (lines[0] ?? "").replace('"1.2.3"', '"1.2.4"')), /its end is not as it was/],
        [lines.slice(0, end), /was cut off/],
        [lines.slice(0, row + 1), /was cut off in table event/],
        [lines.with(row, '{"t":"other","r":[]}'), /damaged/],
        [lines.with(row, "{"), /not JSON/],
      ] as const) {
        expect(await damaged(await packed(changed))).toMatch(why);
      }
    });

    test("of a later format or schema is refused by name", async () => {
      await made();
      const lines = await textOf(whole);
      const head = JSON.parse(lines[0] ?? "");
      const later = { ...head, noetl_backup: 2, version: "9.0.0" };
      expect(await damaged(await packed(lines.with(0, JSON.stringify(later))))).toContain(
        "format 2 of noetl 9.0.0, expected at most 1",
      );
      const versions = [...head.schema.versions, 999];
      const text = JSON.stringify({ ...head, schema: { ...head.schema, versions } });
      const other = [text, ...lines.slice(1, -1)];
      const hasher = new Bun.CryptoHasher("sha256");
      for (const line of other) hasher.update(line);
      const rows = lines.filter((line) => line.includes('"r":[')).length;
      const end = JSON.stringify({ end: true, rows, sha256: hasher.digest("hex") });
      const file = place.path("schema.backup");
      writeFileSync(file, await packed([...other, end]));
      const sql = await emptyDatabase("schema");
      const restoring = restoreBackup(sql, { file, pausesSchedules: false });
      expect(restoring).rejects.toThrow("the backup has schema 999");
      await restoring.catch(() => {});
      await sql.close();
    });
  });
});

async function textOf(file: Uint8Array): Promise<string[]> {
  const lines: string[] = [];
  for (let at = 0; at < file.length; ) {
    const length = new DataView(file.buffer, file.byteOffset).getUint32(at + 8, true);
    const text = await Bun.zstdDecompress(file.slice(at + 12, at + 12 + length));
    lines.push(...text.toString().trimEnd().split("\n"));
    at += 12 + length;
  }
  return lines;
}

async function packed(lines: readonly string[]): Promise<Uint8Array> {
  const frame = await Bun.zstdCompress(Buffer.from(`${lines.join("\n")}\n`));
  const prefix = Buffer.alloc(12);
  prefix.writeUInt32LE(0x18_4d_2a_50, 0);
  prefix.writeUInt32LE(4, 4);
  prefix.writeUInt32LE(frame.byteLength, 8);
  return new Uint8Array(Buffer.concat([prefix, frame]));
}
