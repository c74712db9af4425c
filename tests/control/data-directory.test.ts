// One process per data directory, and what a killed one leaves behind.
import { afterEach, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { lockDataDirectory } from "#control/store/data-directory";
import { sqlEventLog } from "#control/store/event-log";
import { openPglite } from "#control/store/pglite";
import { preparedDirectory } from "#control/store/prepared";
import { chainDigest, genesisDigest } from "#core/model/codec";
import { Fault } from "#core/model/fault";
import { preparedForTests } from "#tests/contract/pglite-world";
import { newExecution, sha256 } from "#tests/contract/transitions";
import { type Child, startChild } from "./child-process.ts";

const places: string[] = [];
const children: Child[] = [];
const place = (): string => {
  const directory = mkdtempSync(join(tmpdir(), "noetl-test-"));
  places.push(directory);
  return directory;
};
const child = (...args: readonly string[]): Child => {
  const started = startChild(...args);
  children.push(started);
  return started;
};

afterEach(async () => {
  await Promise.all(children.splice(0).map((one) => one.kill()));
  for (const directory of places.splice(0)) rmSync(directory, { recursive: true, force: true });
});

const refusal = (directory: string): Fault => {
  try {
    lockDataDirectory(directory).release();
  } catch (thrown) {
    if (thrown instanceof Fault) return thrown;
    throw thrown;
  }
  throw new Error(`${directory} was not in use`);
};

test("a directory in use is refused to a second process, which is told whose it is", async () => {
  const directory = place();
  const holder = child("lock", directory);
  expect(await holder.line()).toBe("locked");
  const fault = refusal(directory);
  expect(fault.code).toBe("conflict");
  expect(fault.message).toContain(`${directory} is in use by process ${holder.pid} since `);
  const second = child("lock", directory);
  expect(await second.line()).toContain(`in use by process ${holder.pid}`);
});

test("a directory in use is refused to the process that has it, until it is released", () => {
  const directory = join(place(), "made", "on the way");
  const lock = lockDataDirectory(directory);
  expect(refusal(directory).message).toContain(`in use by process ${process.pid}`);
  lock.release();
  lock.release();
  const again = lockDataDirectory(directory);
  expect(refusal(directory).code).toBe("conflict");
  again.release();
});

test("the directory of a killed process is free at once", async () => {
  const directory = place();
  for (let round = 0; round < 3; round++) {
    const holder = child("lock", directory);
    expect(await holder.line()).toBe("locked");
    await holder.kill();
  }
  lockDataDirectory(directory).release();
});

test("a note left by a process whose id now belongs to another one holds nothing", () => {
  const directory = place();
  for (const note of [`{"pid":1,"since":"long ago"}`, "half a no"]) {
    writeFileSync(join(directory, "process.json"), note);
    lockDataDirectory(directory).release();
  }
});

test("of several processes that start at once exactly one gets the directory", async () => {
  const directory = place();
  const said = await Promise.all(Array.from({ length: 6 }, () => child("lock", directory).line()));
  expect(said.filter((line) => line === "locked")).toHaveLength(1);
  expect(said.filter((line) => line?.startsWith("refused") === true)).toHaveLength(5);
}, 60_000);

test("a database is opened once at a time, and keeps what it was told", async () => {
  const directory = place();
  const prepared = await preparedForTests();
  const first = await openPglite(directory, { prepared });
  await first.query("create table kept (n integer)");
  await first.query("insert into kept values ($1::integer)", [42]);
  expect(await faultOf(openPglite(directory, { prepared }))).toHaveProperty("code", "conflict");
  await first.close();
  await first.close();
  expect(await faultOf(first.query("select 1"))).toHaveProperty("code", "unavailable");
  const second = await openPglite(directory, { prepared });
  expect(await second.query<{ n: number }>("select n from kept")).toEqual([{ n: 42 }]);
  await second.close();
}, 60_000);

test("a copy that a killed process left unfinished is thrown away", async () => {
  const directory = place();
  writeFileSync(join(directory, "pgdata.unfinished"), "");
  const sql = await openPglite(directory, { prepared: await preparedForTests() });
  await sql.close();
  expect(readdirSync(directory)).not.toContain("pgdata.unfinished");
}, 60_000);

test("a scratch database leaves nothing behind", async () => {
  const prepared = await preparedForTests();
  const { TMPDIR } = process.env;
  const temporary = place();
  process.env["TMPDIR"] = temporary;
  try {
    const sql = await openPglite(undefined, { prepared });
    expect(readdirSync(temporary)).toHaveLength(1);
    await sql.close();
    expect(readdirSync(temporary)).toEqual([]);
  } finally {
    if (TMPDIR === undefined) delete process.env["TMPDIR"];
    else process.env["TMPDIR"] = TMPDIR;
  }
}, 60_000);

test("every event acknowledged before a SIGKILL is there after it", async () => {
  const directory = place();
  const prepared = await preparedForTests();
  const execution = newExecution();
  let acknowledged = 0;
  for (const acks of [1, 25, 60]) {
    const writer = child("append", directory, prepared, execution);
    for (let ack = 0; ack < acks; ack++) acknowledged = Number(await writer.line());
    await writer.kill();
    for (let line = await writer.line(); line !== undefined; line = await writer.line()) {
      acknowledged = Number(line);
    }
    const log = sqlEventLog(await openPglite(directory));
    const stored = await log.events(execution, 0, 100_000);
    const head = await log.head(execution);
    await log.close();
    expect(stored.length).toBeGreaterThanOrEqual(acknowledged);
    let digest = genesisDigest;
    for (const [index, { event, text, digest: found }] of stored.entries()) {
      digest = chainDigest(digest, text, sha256);
      expect([event.seq, found]).toEqual([index + 1, digest]);
    }
    expect([head?.seq, head?.digest]).toEqual([stored.length, digest]);
    acknowledged = stored.length;
  }
}, 60_000);

test("processes that prepare at once leave one whole database, and no rest", async () => {
  const cache = place();
  const preparing = [child("prepare", cache), child("prepare", cache)];
  expect(await Promise.all(preparing.map((one) => one.line()))).toEqual(["prepared", "prepared"]);
  expect(await Promise.all(preparing.map((one) => one.exited))).toEqual([0, 0]);
  expect(readdirSync(cache).map((name) => join(cache, name))).toEqual([preparedDirectory(cache)]);
  const sql = await openPglite(undefined, { prepared: preparedDirectory(cache) });
  expect(await sqlEventLog(sql).backlog()).toEqual([]);
  await sql.close();
}, 120_000);

test("a fresh directory needs nothing prepared", async () => {
  const directory = join(place(), "data");
  const opening = child("fresh", directory);
  expect(await opening.line()).toBe("42");
  expect(await opening.exited).toBe(0);
  expect(existsSync(join(directory, "pgdata", "PG_VERSION"))).toBe(true);
}, 120_000);

async function faultOf(work: Promise<unknown>): Promise<Fault> {
  try {
    await work;
  } catch (thrown) {
    if (thrown instanceof Fault) return thrown;
    throw thrown;
  }
  throw new Error("nothing was thrown");
}
