// The examples API keeps what its documentation promises: the examples, and those who learn from
// them, build on it.

import { afterEach, expect, test } from "bun:test";
import {
  type ExamplesApiOptions,
  type RunningExamplesApi,
  startExamplesApi,
} from "#scripts/examples-api";
import type { Order } from "../../examples/api/shop.ts";

const running: RunningExamplesApi[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((api) => api.stop()));
});

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** The body as JSON; tests say what they expect of it. */
  readonly body: unknown;
}

type Ask = (path: string, init?: RequestInit) => Promise<Answer>;

function start(options: ExamplesApiOptions = {}): Ask {
  const api = startExamplesApi({ port: 0, ...options });
  running.push(api);
  return async (path, init) => {
    const response = await fetch(`${api.url}${path}`, init);
    return { status: response.status, headers: response.headers, body: await response.json() };
  };
}

async function ordersOf(ask: Ask): Promise<readonly Order[]> {
  return (await ask("/orders")).body as readonly Order[]; // The route's documented answer.
}

test("the data is the same at every start", async () => {
  const [first, second] = [start(), start()];
  for (const path of ["/customers", "/products", "/orders"]) {
    expect((await first(path)).body).toEqual((await second(path)).body);
  }
});

test("the total of an order is the sum of its lines", async () => {
  for (const order of await ordersOf(start())) {
    const sum = order.lines.reduce((cents, line) => cents + line.quantity * line.price_cents, 0);
    expect(order.total_cents).toBe(sum);
  }
});

test("a thing is found by its id, and a missing one is 404", async () => {
  const ask = start();
  const [order] = await ordersOf(ask);
  expect((await ask(`/orders/${order?.id}`)).body).toEqual(order);
  expect((await ask("/orders/5")).status).toBe(404);
});

test("pages are numbered from one, and their parts make the whole", async () => {
  const ask = start();
  const all = await ordersOf(ask);
  const pages = await Promise.all(
    [1, 2, 3].map((page) => ask(`/orders/by-page?page=${page}&size=40`)),
  );
  expect(pages.flatMap(({ body }) => (body as { orders: Order[] }).orders)).toEqual([...all]);
  expect(pages[2]?.body).toMatchObject({ page: 3, pages: 3, total: all.length });
  expect((await ask("/orders/by-page?page=4&size=40")).body).toMatchObject({ orders: [] });
});

test("an offset gives the orders from there on", async () => {
  const ask = start();
  const all = await ordersOf(ask);
  const { body } = await ask("/orders/by-offset?offset=90&limit=10");
  expect(body).toEqual({ orders: all.slice(90, 100), offset: 90, total: all.length });
});

test("cursors lead through all orders to a null", async () => {
  const ask = start();
  const found: Order[] = [];
  for (let cursor: string | null = "", pages = 0; cursor !== null; pages++) {
    const page = (await ask(`/orders/by-cursor?limit=30&cursor=${cursor}`)).body;
    const { orders, next_cursor } = page as { orders: Order[]; next_cursor: string | null };
    found.push(...orders);
    cursor = next_cursor;
    expect(pages).toBeLessThan(4);
  }
  expect(found).toEqual([...(await ordersOf(ask))]);
  expect((await ask("/orders/by-cursor?cursor=made-up")).status).toBe(400);
});

test("a flaky route fails as often as it is told, for each key by itself", async () => {
  const ask = start();
  const statuses: number[] = [];
  for (const key of ["a", "a", "b", "a"]) {
    statuses.push((await ask(`/flaky/${key}?fails=2&status=500`)).status);
  }
  expect(statuses).toEqual([500, 500, 500, 200]);
  expect((await ask("/flaky/a?fails=2")).body).toEqual({ key: "a", attempt: 4 });
});

test("calls over the limit get 429 and the time to wait, until the window is over", async () => {
  let nowMs = 0;
  const ask = start({ clock: { nowMs: () => nowMs, sleep: async () => undefined } });
  const path = "/limited/a?limit=2&window_ms=3000";
  expect((await ask(path)).status).toBe(200);
  nowMs = 1_500;
  expect((await ask(path)).status).toBe(200);
  const refused = await ask(path);
  expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "2"]);
  expect((await ask("/limited/b?limit=2&window_ms=3000")).status).toBe(200);
  nowMs = 3_000;
  expect((await ask(path)).status).toBe(200);
});

test("a slow route waits as long as it is told, and no longer than its bound", async () => {
  const waits: number[] = [];
  const sleep = async (delayMs: number) => void waits.push(delayMs);
  const ask = start({ clock: { nowMs: () => 0, sleep } });
  expect((await ask("/slow/a?ms=700")).body).toEqual({ key: "a", waited_ms: 700, together: 1 });
  expect((await ask("/slow/a?ms=10001")).status).toBe(400);
  expect(waits).toEqual([700]);
});

test("a heavy answer has a kilobyte a row", async () => {
  const ask = start();
  const { body } = await ask("/heavy?rows=300");
  expect(body).toMatchObject({ count: 300, sum_of_ids: 45_150 });
  const bytes = JSON.stringify(body).length;
  expect(Math.abs(bytes - 300 * 1_024)).toBeLessThan(300 * 32);
  expect((await ask("/heavy?rows=1000000")).status).toBe(400);
});

test("one Idempotency-Key makes one order", async () => {
  const ask = start();
  const post = (key: string, quantity: number) =>
    ask("/orders", {
      method: "POST",
      headers: { "idempotency-key": key },
      body: JSON.stringify({ customer_id: 1, product_id: 2, quantity }),
    });
  const first = await post("k1", 3);
  const again = await post("k1", 3);
  expect([first.status, again.status]).toEqual([201, 200]);
  expect(again.body).toEqual(first.body);
  expect(again.headers.get("idempotent-replayed")).toBe("true");
  expect((await post("k1", 4)).status).toBe(422);
  expect((await post("k2", 3)).body).not.toEqual(first.body);
});

test("an order that can't be is refused with the reason", async () => {
  const ask = start();
  const post = (body: string) => ask("/orders", { method: "POST", body });
  expect((await post("{")).status).toBe(400);
  const order = { customer_id: 1, product_id: 99, quantity: 1 };
  expect(await post(JSON.stringify(order))).toMatchObject({
    status: 422,
    body: { error: { message: "product_id: no such product" } },
  });
  expect((await post(JSON.stringify({ ...order, product_id: 1, quantity: 1.5 }))).status).toBe(422);
});

test("an echo shows the request without its secrets", async () => {
  const headers = { authorization: "Bearer secret", "x-mark": "shown" };
  const { body } = await start()("/echo?a=1", { method: "POST", headers, body: "text" });
  expect(body).toMatchObject({ method: "POST", query: { a: "1" }, body: "text" });
  expect(body).toMatchObject({ headers: { "x-mark": "shown" } });
  expect(JSON.stringify(body)).not.toContain("secret");
});

test("the requests that came are listed with their answers", async () => {
  const ask = start();
  await ask("/flaky/a?fails=1");
  await ask("/nowhere");
  await ask("/customers", { method: "DELETE" });
  expect((await ask("/requests")).body).toEqual([
    { method: "GET", path: "/flaky/a?fails=1", status: 503 },
    { method: "GET", path: "/nowhere", status: 404 },
    { method: "DELETE", path: "/customers", status: 405 },
  ]);
});

test("a body over a megabyte is refused", async () => {
  const api = startExamplesApi({ port: 0 });
  running.push(api);
  const body = "x".repeat(1_048_577);
  const response = await fetch(`${api.url}/echo`, { method: "POST", body });
  expect(response.status).toBe(413);
});

test("without a port it takes 8099 or the next free one", async () => {
  const ports = [startExamplesApi(), startExamplesApi()].map((api) => {
    running.push(api);
    return Number(new URL(api.url).port);
  });
  expect(ports[0]).toBeGreaterThanOrEqual(8_099);
  expect(ports[1]).toBeGreaterThanOrEqual(8_099);
  expect(ports[1]).not.toBe(ports[0]);
  expect(() => startExamplesApi({ port: ports[0] ?? 0 })).toThrow();
});
