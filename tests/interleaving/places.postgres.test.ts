// Rules that come, change and go while commands under them are claimed, handed over, given back and
// settled, with either side's commit held back: what is said and what runs is as in some order.
import { expect, test } from "bun:test";
import { leaseMs, terms } from "#tests/contract/rows";
import { command, transition } from "#tests/contract/transitions";
import { arrangePlaces, countPlaces, key, placeActs } from "./places.ts";
import { placeDifferences } from "./places-steps.ts";
import { stage } from "./sessions.ts";

const on = stage();

for (const first of placeActs) {
  test(`${first} and whatever meets it leave each lease one place and none too many`, async () => {
    const wrong: string[] = [];
    for (const second of placeActs) wrong.push(...(await placeDifferences(on(), [first, second])));
    expect(wrong).toEqual([]);
  }, 30_000);
}

test("a rule waits for a hand-over that has begun, and counts it", async () => {
  const { a, b, c, watch, isWaiting } = on();
  const { executionId, head } = await arrangePlaces(watch, undefined);
  await c.begin();
  await c.sql.query(
    "select from noetl.execution where execution_id = $1::text::bigint for update",
    [executionId],
  );
  const lease = { worker: "w1", leaseMs };
  const row = command(executionId, "two", { lease, terms: terms({ tool: "python" }) });
  const handing = a.stores.log.append([transition(executionId, { head, issued: [row] })]);
  expect(await isWaiting(a, handing)).toBe(true);
  const putting = b.stores.log.putRule({ key, maxRunning: 1 });
  expect(await isWaiting(b, putting)).toBe(true);
  await c.commit();
  expect(await handing).toEqual(["accepted"]);
  await putting;
  const { places, faults } = await countPlaces(watch);
  expect({ places, faults }).toEqual({
    places: { ready: 2, leased: 2, expired: 0, most: 1 },
    faults: [],
  });
});
