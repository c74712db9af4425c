// Proves that outcomes in the spool outlive the worker, and that damage costs its own line only.

import { afterEach, beforeEach, expect, test } from "bun:test";
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Outcome } from "#core/model/outcome";
import { fileSpool } from "#worker/spool";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "noetl-spool-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const outcome = (id: string, attempt = 1): Outcome => ({
  command_id: id,
  attempt,
  output: { status: "ok", data: { id, text: "a\nb{" } },
  duration_ms: 1,
});
const file = () => join(folder, "outcomes.jsonl");
const lines = () => readFileSync(file(), "utf8").split("\n").length - 1;
/** What another process would find there. */
const found = async () => (await fileSpool(folder).load()).map(({ command_id }) => command_id);

test("what was kept is found again, in order, and what was dropped is not", async () => {
  const spool = fileSpool(folder);
  expect(await spool.load()).toEqual([]);
  await spool.keep([outcome("a"), outcome("b")]);
  await spool.keep([outcome("c")]);
  await spool.drop([outcome("b")]);

  expect(await fileSpool(folder).load()).toEqual([outcome("a"), outcome("c")]);
});

test("attempts at one command are kept apart", async () => {
  const spool = fileSpool(folder);
  await spool.keep([outcome("a", 1), outcome("a", 2)]);
  await spool.drop([outcome("a", 1)]);

  expect(await fileSpool(folder).load()).toEqual([outcome("a", 2)]);
});

test("keeping twice writes once, and dropping what is unknown writes nothing", async () => {
  const spool = fileSpool(folder);
  await spool.keep([outcome("a")]);
  await spool.keep([outcome("a")]);
  await spool.drop([outcome("z")]);

  expect(lines()).toBe(1);
});

test("calls at the same time happen in their order", async () => {
  const spool = fileSpool(folder);
  await Promise.all([
    spool.keep([outcome("a")]),
    spool.drop([outcome("a")]),
    spool.keep([outcome("b")]),
  ]);

  expect(await found()).toEqual(["b"]);
});

test("a line that a crash cut off costs only itself, and swallows no later one", async () => {
  await fileSpool(folder).keep([outcome("a")]);
  appendFileSync(file(), '{"outcome":{"command_id":"torn');
  const spool = fileSpool(folder);
  expect((await spool.load()).length).toBe(1);
  await spool.keep([outcome("b")]);

  expect(await found()).toEqual(["a", "b"]);
});

test("a write that the disk broke off swallows no later line", async () => {
  const spool = fileSpool(folder);
  // Linux has a disk that is always full.
  symlinkSync("/dev/full", file());
  expect(spool.keep([outcome("a")])).rejects.toThrow();
  await spool.drop([]);
  rmSync(file());
  appendFileSync(file(), '{"outcome":{"command_id":"a","att');
  await spool.keep([outcome("a")]);

  expect(await found()).toEqual(["a"]);
});

test("damage in the middle is passed over", async () => {
  await fileSpool(folder).keep([outcome("a")]);
  appendFileSync(file(), 'null\n[1]\n{"outcome":{"attempt":1}}\n\u0000\n');
  await fileSpool(folder).keep([outcome("b")]);

  expect(await found()).toEqual(["a", "b"]);
});

test("the file does not grow for ever", async () => {
  const spool = fileSpool(folder);
  await spool.keep([outcome("stays")]);
  for (let n = 0; n < 600; n++) {
    await spool.keep([outcome(`x${n}`)]);
    await spool.drop([outcome(`x${n}`)]);
  }

  expect(lines()).toBeLessThan(1_100);
  expect(await found()).toEqual(["stays"]);
  await spool.drop([outcome("stays")]);
  expect(readFileSync(file(), "utf8")).toBe("");
});

test("a folder is made only when there is something to keep", async () => {
  const spool = fileSpool(join(folder, "deep", "er"));
  await spool.load();
  expect(existsSync(join(folder, "deep"))).toBe(false);
  await spool.keep([outcome("a")]);
  expect(existsSync(join(folder, "deep", "er", "outcomes.jsonl"))).toBe(true);
});
