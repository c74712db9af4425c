// Takes orders, each exactly once: a repeated Idempotency-Key gets the first answer again, the
// way payment services do it. Orders are checked against the shop and live in memory.

import { type Handler, json, jsonBody, Refusal } from "./answers.ts";
import { BoundedMap } from "./bounded-map.ts";
import type { Shop } from "./shop.ts";

interface Taken {
  readonly body: string;
  readonly order: unknown;
}

interface OrderRequest {
  readonly customer_id: number;
  readonly product_id: number;
  readonly quantity: number;
}

const keyCharsMax = 200;
const quantityMax = 1_000;

/** `POST {customer_id, product_id, quantity}` → 201 and the order. */
export function orderDesk(shop: Shop): Handler {
  const taken = new BoundedMap<Taken>();
  let nextId = 5_001;
  return (call) => {
    const key = call.headers.get("idempotency-key")?.slice(0, keyCharsMax) ?? "";
    const known = key === "" ? undefined : taken.get(key);
    if (known !== undefined) {
      if (known.body !== call.body) {
        throw new Refusal(422, "this Idempotency-Key came with another body before");
      }
      return json(known.order, 200, { "idempotent-replayed": "true" });
    }
    const { customer_id, product_id, quantity } = orderRequest(jsonBody(call));
    const product = shop.products.find(({ id }) => id === product_id);
    if (product === undefined) throw new Refusal(422, "product_id: no such product");
    if (!shop.customers.some(({ id }) => id === customer_id)) {
      throw new Refusal(422, "customer_id: no such customer");
    }
    const total_cents = quantity * product.price_cents;
    const order = { id: nextId, customer_id, product_id, quantity, total_cents, status: "open" };
    nextId += 1;
    if (key !== "") taken.set(key, { body: call.body, order });
    return json(order, 201);
  };
}

function orderRequest(body: unknown): OrderRequest {
  const fields: Record<string, unknown> =
    typeof body === "object" && body !== null ? { ...body } : {};
  const whole = (name: string, max: number): number => {
    const value = fields[name];
    if (typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= max) {
      return value;
    }
    throw new Refusal(422, `${name}: expected a whole number from 1 to ${max}`);
  };
  return {
    customer_id: whole("customer_id", 1_000_000),
    product_id: whole("product_id", 1_000_000),
    quantity: whole("quantity", quantityMax),
  };
}
