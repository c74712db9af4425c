// Examples about what a step's tool may do, and what happens when it fails.

import { afterAll, beforeAll, expect, test } from "bun:test";
import type { Order } from "../../examples/api/shop.ts";
import { type ExampleHouse, startExampleHouse } from "./example-house.ts";

let examples: ExampleHouse;
let nowMs = 0;

beforeAll(async () => {
  // Half a window passes whenever the API looks at its clock, so that every second call is over
  // the limit, however long the calls take.
  const clock = { nowMs: () => (nowMs += 250), sleep: async () => undefined };
  examples = await startExampleHouse({ clock, policy: { shell: true } });
});
afterAll(() => examples.close());

/** The statuses of the answers below this path, in order. */
function statuses(path: string): readonly number[] {
  return examples.api.seen().flatMap((seen) => (seen.path.startsWith(path) ? [seen.status] : []));
}

test("retry calls again until the service works, and waits where the rate is limited", async () => {
  const run = await examples.run("retry");
  expect(run.result).toEqual({ flaky_attempts: 3, limited_calls: 3 });
  expect(statuses(`/flaky/${run.executionId}`)).toEqual([503, 503, 200]);
  expect(statuses(`/limited/${run.executionId}`)).toEqual([200, 429, 200, 429, 200]);
  // A retry is the same command: the log has one outcome of each.
  const done = run.events.filter(({ type }) => type === "call.done" || type === "call.error");
  expect(done.length).toBe(5);
});

test("retry gives up after the attempts it was given, the first included", async () => {
  const run = await examples.run("retry", { fails: 9 });
  expect(run.status).toBe("failed");
  expect(statuses(`/flaky/${run.executionId}`)).toEqual([503, 503, 503, 503]);
  expect(statuses(`/limited/${run.executionId}`)).toEqual([]);
});

test("idempotency places one order with two calls", async () => {
  const run = await examples.run("idempotency");
  expect(run.result).toMatchObject({ placed_once: true, replayed: true });
  expect(statuses("/orders")).toEqual([201, 200]);
  const again = await examples.run("idempotency");
  expect(again.result).not.toEqual(run.result);
  expect(statuses("/orders")).toEqual([201, 200, 201, 200]);
});

test("transform counts in Python and words it in JavaScript", async () => {
  const orders = (await (await fetch(`${examples.api.url}/orders`)).json()) as Order[];
  const totals = orders.map((order) => order.total_cents).sort((left, right) => left - right);
  const count = (status: string) => orders.filter((order) => order.status === status).length;
  const counts = { open: count("open"), paid: count("paid"), returned: count("returned") };
  const { result } = await examples.run("transform");
  expect(result).toEqual({
    count: 95,
    median_cents: totals[47] ?? 0,
    by_status: counts,
    text: `95 orders: ${counts.open} open, ${counts.paid} paid, ${counts.returned} returned`,
  });
});

test("shell counts words, and shows what a failing command left", async () => {
  const run = await examples.run("shell", { text: `one "two" $(three); four` });
  expect(run.result).toEqual({ words: 4, exit_code: 3, complaint: "nothing here" });
  expect(run.steps).toMatchObject({ start: { status: "completed" }, fail: { status: "failed" } });
});

test("large_result passes a reference, and reads what is behind it where it is needed", async () => {
  const run = await examples.run("large_result");
  expect(run).toMatchObject({ status: "completed", result: { stored: true, count: 500 } });
  const fetched = run.events.find((event) => event.type === "call.done");
  expect(fetched).toMatchObject({ output: { ref: { kind: "result_ref" } } });
  const longest = Math.max(...run.events.map((event) => JSON.stringify(event).length));
  expect(longest).toBeLessThan(102_400);
  const { kept } = run.result as { kept: string }; // A field of the playbook's own result.
  const value = await examples.house.client.resolveResult({ query: { ref: kept } });
  expect(value).toEqual(Array.from({ length: 500 }, () => 992));
});

test("large_result goes another way when the result is small", async () => {
  const run = await examples.run("large_result", { rows: 3 });
  expect(run.result).toEqual({ stored: false, count: 3, kept: null });
  expect(run.steps["sizes"]?.visits).toBe(0);
});
