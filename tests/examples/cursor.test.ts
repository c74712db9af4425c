// The example of a cursor loop, on a database file of its own.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ExampleHouse, startExampleHouse } from "./example-house.ts";

let folder: string;
let examples: ExampleHouse;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "noetl-example-"));
  examples = await startExampleHouse({ policy: { fileRoots: [folder] } });
});
afterAll(async () => {
  await examples.close();
  await rm(folder, { recursive: true, force: true });
});

test("cursor weighs every parcel once, four at a time", async () => {
  const { status, result, events } = await examples.run("cursor", { parcels: 10 });
  expect(status).toBe("completed");
  expect(result).toEqual({
    done: 10,
    grams: 5_500,
    stats: { total: 10, success: 10, failed: 0, frames: expect.any(Number) },
  });
  const claims = events.flatMap((event) =>
    event.type === "cursor.claimed" && event.row_count > 0 ? [event.row_count] : [],
  );
  expect(claims).toEqual([4, 4, 2]);
});

test("cursor has nothing to do where nothing waits", async () => {
  const { status, result } = await examples.run("cursor", { parcels: 0 });
  expect(status).toBe("completed");
  expect(result).toMatchObject({ done: 0, stats: { total: 0 } });
});
