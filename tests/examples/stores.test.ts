// The examples again, on a database instead of memory: what a run comes to must not depend on
// where its log is kept.

import { afterAll, beforeAll, expect, test } from "bun:test";
import type { HouseRun } from "#tests/support/embedded";
import { type ExampleHouse, startExampleHouse } from "./example-house.ts";

let inMemory: ExampleHouse;
let onDatabase: ExampleHouse;

beforeAll(async () => {
  const clock = { nowMs: () => 0, sleep: async () => undefined };
  inMemory = await startExampleHouse({ clock });
  onDatabase = await startExampleHouse({ clock, store: "pglite" });
});
afterAll(() => Promise.all([inMemory.close(), onDatabase.close()]));

/** Result and steps, with the execution's own id out of the way. */
function comparable({ executionId, status, result, steps }: HouseRun): unknown {
  return JSON.parse(JSON.stringify({ status, result, steps }).replaceAll(executionId, "EXECUTION"));
}

const names = [
  "branching",
  "hello",
  "idempotency",
  "join",
  "large_result",
  "loop_sequential",
  "paginate_by_cursor",
  "paginate_by_offset",
  "paginate_by_page",
  "recovery",
  "sub_playbook",
  "while_loop",
  "workbook",
];

test.each(names)("%s comes to the same on a database", async (name) => {
  const [memory, database] = await Promise.all([inMemory.run(name), onDatabase.run(name)]);
  expect(database.status).toBe("completed");
  expect(comparable(database)).toEqual(comparable(memory));
});

test("nothing went wrong inside on the way", () => {
  expect([...inMemory.house.reports, ...onDatabase.house.reports]).toEqual([]);
});
