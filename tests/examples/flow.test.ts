// Examples about where a run goes next: branches, joins, cycles, recovery, sub-playbooks.

import { afterAll, beforeAll, expect, test } from "bun:test";
import type { Event } from "#core/model/event";
import type { Customer, Order } from "../../examples/api/shop.ts";
import { type ExampleHouse, startExampleHouse } from "./example-house.ts";

let examples: ExampleHouse;

beforeAll(async () => {
  examples = await startExampleHouse();
});
afterAll(() => examples.close());

async function listOf<Item>(path: string): Promise<readonly Item[]> {
  const response = await fetch(`${examples.api.url}${path}`);
  return (await response.json()) as readonly Item[]; // The route's documented answer.
}

/** The names of the steps that were entered, in order. */
function entered(events: readonly Event[]): readonly string[] {
  return events.flatMap((event) => (event.type === "step.enter" ? [event.step] : []));
}

test("hello greets the world, or whom it is told to", async () => {
  expect((await examples.run("hello")).result).toEqual({ greeting: "Hello, world!" });
  const run = await examples.run("hello", { name: "Ada" });
  expect(run).toMatchObject({ status: "completed", result: { greeting: "Hello, Ada!" } });
});

test("hello takes braces in its input for what they are", async () => {
  const { result } = await examples.run("hello", { name: "{{ 1 + 1 }}" });
  expect(result).toEqual({ greeting: "Hello, {{ 1 + 1 }}!" });
});

const messagesOf: Readonly<Record<string, (order: Order) => readonly [string, string]>> = {
  open: (order) => ["remind", `${order.total_cents} cents are due`],
  returned: () => ["inspect", "look at what came back"],
};

test("branching takes one way for the parcel and every way for the messages", async () => {
  const orders = await listOf<Order>("/orders");
  const carriers = new Set<string>();
  for (const status of ["paid", "open", "returned"]) {
    for (const isExpress of [true, false]) {
      const order = orders.find((each) => {
        return each.status === status && each.total_cents >= 10_000 === isExpress;
      });
      if (order === undefined) throw new Error(`no order is ${status} and fits`);
      const run = await examples.run("branching", { order_id: order.id });
      const thank = `thanks to customer ${order.customer_id}`;
      const more = messagesOf[status]?.(order);
      const carrier = isExpress ? "courier" : "post";
      carriers.add(carrier);
      expect(run.result).toEqual({
        carrier,
        messages: { thank, remind: null, inspect: null, ...Object.fromEntries(more ? [more] : []) },
      });
      const way = isExpress ? "express" : "standard";
      const told = ["thank", ...(more === undefined ? [] : [more[0]])];
      expect(entered(run.events)).toEqual(["start", way, "shipped", ...told, "end"]);
    }
  }
  expect(carriers.size).toBe(2);
});

test("join puts three lists together in a step that runs once, after all of them", async () => {
  const run = await examples.run("join");
  const orders = await listOf<Order>("/orders");
  const customers = await listOf<Customer>("/customers");
  const spent = customers.map(({ id }) => {
    const own = orders.filter((order) => order.customer_id === id);
    return own.reduce((sum, order) => sum + order.total_cents, 0);
  });
  const most = Math.max(...spent);
  expect(run.result).toMatchObject({
    customer: customers[spent.indexOf(most)]?.name,
    spent_cents: most,
  });
  const steps = entered(run.events);
  expect(steps.slice(1, 4).sort()).toEqual(["customers", "orders", "products"]);
  expect(steps.slice(4)).toEqual(["best_customer"]);
  const exits = run.events.flatMap((event) => (event.type === "step.exit" ? [event.step] : []));
  expect(exits.at(-1)).toBe("best_customer");
});

test("while_loop goes round until its condition holds", async () => {
  const run = await examples.run("while_loop", { number: 27 });
  expect(run.result).toEqual({ began_with: 27, rounds: 111 });
  expect(run.steps["check"]?.visits).toBe(112);
  const already = await examples.run("while_loop", { number: 1 });
  expect(already.result).toEqual({ began_with: 1, rounds: 0 });
});

test("recovery goes on without an order that isn't there, and keeps the failure in the log", async () => {
  const run = await examples.run("recovery");
  expect(run.status).toBe("completed");
  expect(run.result).toEqual({ found: false, reason: "HTTP 404 response" });
  const errors = run.events.filter(({ type }) => type === "call.error");
  expect(errors).toMatchObject([{ output: { error: { kind: "http", code: 404 } } }]);
  const exit = run.events.find((event) => event.type === "step.exit");
  expect(exit).toMatchObject({ step: "start", status: "failed", recovered: true });
});

test("recovery takes the other way for an order that is there", async () => {
  const [order] = await listOf<Order>("/orders");
  const run = await examples.run("recovery", { order_id: order?.id ?? 0 });
  expect(run.result).toEqual({ found: true, total_cents: order?.total_cents ?? 0 });
});

test("recovery recovers from nothing else than the failure it names", async () => {
  const run = await examples.run("recovery", { api: "http://127.0.0.1:1" });
  expect(run.status).toBe("failed");
  expect(run.error).toContain("start");
  expect(entered(run.events)).toEqual(["start"]);
});

test("order_total adds up the lines of an order", async () => {
  const [, order] = await listOf<Order>("/orders");
  const run = await examples.run("order_total", { order_id: order?.id ?? 0 });
  expect(run.result).toEqual({ order_id: order?.id ?? 0, total_cents: order?.total_cents ?? 0 });
});

test("sub_playbook gets the result of each child, in order, and each child has its own log", async () => {
  const orders = (await listOf<Order>("/orders")).slice(3, 7);
  const run = await examples.run("sub_playbook", { order_ids: orders.map(({ id }) => id) });
  const totals = orders.map(({ id, total_cents }) => ({ order_id: id, total_cents }));
  const sum = orders.reduce((cents, order) => cents + order.total_cents, 0);
  expect(run.result).toEqual({ totals, sum_cents: sum });
  const children = run.events.flatMap((event) =>
    event.type === "child.started" ? [event.child_id] : [],
  );
  expect(new Set(children).size).toBe(orders.length);
  for (const child of children) {
    const { status, events } = await examples.house.ended(child);
    expect(status).toBe("completed");
    expect(events[0]).toMatchObject({ parent: { execution_id: run.executionId } });
  }
});

test("sub_playbook fails when one of its children does", async () => {
  const run = await examples.run("sub_playbook", { order_ids: [1_001, 5] });
  expect(run.status).toBe("failed");
  const done = run.events.find((event) => event.type === "loop.done");
  expect(done).toMatchObject({ stats: { total: 2, success: 1, failed: 1 } });
});

test("workbook calls one entry with the inputs of each step", async () => {
  const [products, customers] = await Promise.all([
    listOf<{ readonly name: string }>("/products"),
    listOf<Customer>("/customers"),
  ]);
  const { result } = await examples.run("workbook");
  expect(result).toBe(`${customers[2]?.name} looks at a ${products[6]?.name}`);
});

test("wait gives an offer up when nobody answers, and takes an answer from outside", async () => {
  const expired = await examples.run("wait", { pause_s: 0, stands_s: 0.1 });
  expect(expired).toMatchObject({
    status: "completed",
    result: { offer: 7, outcome: "expired" },
    steps: { offer: { status: "failed" }, expired: { status: "completed" } },
  });

  const { client, start, ended } = examples.house;
  const id = await start("examples/wait", { offer: 8, pause_s: 0, stands_s: 3_600 });
  const params = { id, key: "offer-8" };
  const answer = await client.callback({ params, query: {}, body: { data: { accept: true } } });
  expect(answer.status).toBe("accepted");
  const { result, events } = await ended(id);
  expect(result).toEqual({ offer: 8, outcome: "sold" });
  const emitted = events.find((event) => event.type === "event.emitted");
  expect(emitted).toMatchObject({ name: "offer.sold", data: { offer: 8, cents: 4_900 } });
});
