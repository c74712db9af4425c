// The way from an HTTP API over DuckDB into a real PostgreSQL, and what stands there afterwards.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { SQL } from "bun";
import { type ScratchPostgres, startPostgres } from "#tests/support/postgres";
import type { Order, Product } from "../../examples/api/shop.ts";
import { type ExampleHouse, startExampleHouse } from "./example-house.ts";

let postgres: ScratchPostgres;
let examples: ExampleHouse;
let sql: SQL;

beforeAll(async () => {
  postgres = await startPostgres();
  const { host, port, user, database } = postgres;
  const data = { db_host: host, db_port: port, db_user: user, db_name: database };
  const credentials = [{ name: "pg_local", type: "postgres", data }];
  examples = await startExampleHouse({ credentials });
  sql = new SQL(postgres.url, { max: 1 });
});
afterAll(async () => {
  await sql.close();
  await examples.close();
  await postgres.stop();
});

interface Sales {
  readonly category: string;
  readonly pieces: number;
  readonly cents: number;
}

/** The same figures, worked out by hand from the API's own answers. */
async function expectedSales(): Promise<readonly Sales[]> {
  const get = async (path: string) => (await fetch(`${examples.api.url}${path}`)).json();
  const [orders, products] = (await Promise.all([get("/orders"), get("/products")])) as [
    Order[],
    Product[],
  ];
  const lines = orders.filter(({ status }) => status === "paid").flatMap((order) => order.lines);
  return ["garden", "kitchen", "office"].map((category) => {
    const ids = products.filter((product) => product.category === category).map(({ id }) => id);
    const own = lines.filter((line) => ids.includes(line.product_id));
    return {
      category,
      pieces: own.reduce((sum, line) => sum + line.quantity, 0),
      cents: own.reduce((sum, line) => sum + line.quantity * line.price_cents, 0),
    };
  });
}

async function storedSales(): Promise<readonly Sales[]> {
  const rows = await sql`
    select category, pieces, cents::int as cents from sales_by_category order by category`;
  return rows.map((row: Sales) => ({ ...row }));
}

test("etl stores the sales of each category, and a second run leaves no trace", async () => {
  const expected = await expectedSales();
  const first = await examples.run("etl");
  expect(first.error).toBeUndefined();
  expect(first.result).toEqual({ stored: expected.map((row) => ({ ...row })) });
  expect(await storedSales()).toEqual(expected);
  await sql`update sales_by_category set pieces = 0 where category = 'garden'`;
  expect((await examples.run("etl")).status).toBe("completed");
  expect(await storedSales()).toEqual(expected);
});
