// Proves that workers of one machine never share a spool, and that what a dead one left is reported
// by the next that starts, once.

import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { lockFolder } from "#core/adapters/folder-lock";
import type { Outcome } from "#core/model/outcome";
import { type SpoolFolder, spoolFolder } from "#worker/spool-folders";

let directory = "";
let open: SpoolFolder[] = [];
beforeEach(() => {
  directory = join(mkdtempSync(join(tmpdir(), "noetl-spools-")), "spool");
});
afterEach(() => {
  for (const spool of open) spool.close();
  open = [];
  rmSync(join(directory, ".."), { recursive: true, force: true });
});

const outcome = (id: string): Outcome => ({
  command_id: id,
  attempt: 1,
  output: { status: "ok", data: id },
  duration_ms: 1,
});

/** A worker that starts; ending its process is closing its folders. */
function start(): SpoolFolder {
  const spool = spoolFolder({ directory, lock: lockFolder });
  open.push(spool);
  return spool;
}
const idsOf = async (spool: SpoolFolder) => (await spool.load()).map(({ command_id: id }) => id);

test("each worker has a folder of its own, and the first free one is taken again", () => {
  const [one, two] = [start(), start()];
  expect([one, two].map(({ folder }) => basename(folder))).toEqual(["worker-1", "worker-2"]);
  one.close();
  expect(basename(start().folder)).toBe("worker-1");
  expect(basename(start().folder)).toBe("worker-3");
});

test("what a dead worker left in its folder is found by who takes the folder", async () => {
  const one = start();
  await one.keep([outcome("a")]);
  one.close();

  expect(await idsOf(start())).toEqual(["a"]);
});

test("what dead workers left in other folders is taken over, that of living ones is not", async () => {
  const [one, two, three] = [start(), start(), start()];
  await one.keep([outcome("a")]);
  await two.keep([outcome("b")]);
  await three.keep([outcome("c")]);
  two.close();
  one.close();
  const next = start();
  expect(basename(next.folder)).toBe("worker-1");
  expect((await idsOf(next)).toSorted()).toEqual(["a", "b"]);
  expect(await idsOf(start())).toEqual([]);
});

test("what was taken over and reported is gone; the rest goes to the one after", async () => {
  const [one, two] = [start(), start()];
  await two.keep([outcome("a"), outcome("b")]);
  two.close();
  one.close();
  const next = start();
  await next.load();
  await next.keep([outcome("b"), outcome("c")]);
  await next.drop([outcome("a"), outcome("c")]);
  next.close();

  expect(await idsOf(start())).toEqual(["b"]);
});
