// Examples about many things: loops over lists, and lists that come in pages. What the API was
// asked counts as much as what came of it.

import { afterEach, beforeEach, expect, test } from "bun:test";
import type { Event } from "#core/model/event";
import type { HouseRun } from "#tests/support/embedded";
import type { Product } from "../../examples/api/shop.ts";
import { type ExampleHouse, startExampleHouse } from "./example-house.ts";

let examples: ExampleHouse;
let together: ReturnType<typeof gatherings>;

/** Sleeps that end when so many sleep: then calls overlap for sure, and nothing takes time. */
function gatherings() {
  let size = 3;
  let sleepers: (() => void)[] = [];
  const sleep = (): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    sleepers.push(resolve);
    if (sleepers.length === size) {
      for (const wake of sleepers) wake();
      sleepers = [];
    }
    return promise;
  };
  const of = (count: number): void => {
    size = count;
  };
  return { sleep, of };
}

beforeEach(async () => {
  together = gatherings();
  examples = await startExampleHouse({ clock: { nowMs: () => 0, sleep: together.sleep } });
});
afterEach(() => examples.close());

const orderIds = Array.from({ length: 95 }, (_, index) => 1_001 + index);

/** What the run has gathered in its variable. */
async function collected({ executionId: id }: HouseRun): Promise<unknown> {
  const params = { id, name: "order_ids" };
  return (await examples.house.client.getVariable({ params })).value;
}

/** How many commands were open at once at most, by the log. */
function mostOpen(events: readonly Event[]): number {
  let open = 0;
  let most = 0;
  for (const { type } of events) {
    if (type === "command.issued") most = Math.max(most, ++open);
    else if (type === "call.done" || type === "call.error") open--;
  }
  return most;
}

function paths(): readonly string[] {
  return examples.api.seen().map(({ path }) => path);
}

test("loop_sequential fetches in the order of the list, and keeps it", async () => {
  const products = (await (await fetch(`${examples.api.url}/products`)).json()) as Product[];
  const named = (id: number) => products.find((product) => product.id === id)?.name ?? "";
  const run = await examples.run("loop_sequential", { product_ids: [9, 2, 9, 4] });
  expect(run.result).toEqual({ names: [9, 2, 9, 4].map(named), fetched: "4 of 4" });
  expect(paths().slice(1)).toEqual(["/products/9", "/products/2", "/products/9", "/products/4"]);
  expect(mostOpen(run.events)).toBe(1);
});

test("loop_sequential goes on over an empty list", async () => {
  const run = await examples.run("loop_sequential", { product_ids: [] });
  expect(run.result).toEqual({ names: [], fetched: "0 of 0" });
  expect(paths()).toEqual([]);
});

test("loop_sequential runs all items before it fails", async () => {
  const run = await examples.run("loop_sequential", { product_ids: [1, 404, 2] });
  expect(run.status).toBe("failed");
  expect(paths()).toEqual(["/products/1", "/products/404", "/products/2"]);
});

test("loop_parallel has as many calls in flight as it may, and no more", async () => {
  const run = await examples.run("loop_parallel");
  expect(run.result).toEqual({ keys: ["a", "b", "c", "d", "e", "f"], most_at_once: 3 });
  expect(mostOpen(run.events)).toBe(3);
});

test("loop_parallel takes its bound from the input", async () => {
  together.of(2);
  const run = await examples.run("loop_parallel", { keys: ["x", "y", "z", "w"], at_once: 2 });
  expect(run.result).toEqual({ keys: ["x", "y", "z", "w"], most_at_once: 2 });
  expect(mostOpen(run.events)).toBe(2);
});

test("paginate_by_page collects every order by a cycle of two steps", async () => {
  const run = await examples.run("paginate_by_page", { size: 40 });
  expect(run.result).toEqual({ pages: 3, orders: 95, first: 1_001, last: 1_095 });
  expect(await collected(run)).toEqual(orderIds);
  expect(run.steps).toMatchObject({ fetch: { visits: 3 }, collect: { visits: 3 } });
  expect(paths()).toEqual([1, 2, 3].map((page) => `/orders/by-page?page=${page}&size=40`));
});

test("paginate_by_offset collects every order by a step that leads to itself", async () => {
  const run = await examples.run("paginate_by_offset");
  expect(run.result).toEqual({ orders: 95, first: 1_001, last: 1_095 });
  expect(await collected(run)).toEqual(orderIds);
  expect(run.steps["fetch"]?.visits).toBe(4);
  const offsets = [0, 30, 60, 90];
  expect(paths()).toEqual(offsets.map((offset) => `/orders/by-offset?offset=${offset}&limit=30`));
});

test("paginate_by_cursor collects every order within one command", async () => {
  const run = await examples.run("paginate_by_cursor", { limit: 10 });
  expect(run.result).toEqual({ orders: 95, first: 1_001, last: 1_095 });
  expect(await collected(run)).toEqual(orderIds);
  expect(paths().length).toBe(10);
  expect(paths()[0]).toBe("/orders/by-cursor?cursor=&limit=10");
  const commands = run.events.filter(({ type }) => type === "command.issued");
  expect(commands.map((event) => "step" in event && event.step)).toEqual(["start", "end"]);
});
