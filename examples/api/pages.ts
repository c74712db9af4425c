// Three ways in which APIs hand out long lists, here of orders: numbered pages, offsets, and
// opaque cursors.

import { type Call, json, numberOf, Refusal } from "./answers.ts";
import type { Order } from "./shop.ts";

const sizes = { fallback: 25, min: 1, max: 100 };
const positions = { fallback: 0, min: 0, max: 1_000_000 };

/** `?page=1&size=25` → `{orders, page, pages, total}`. */
export function byPage(call: Call, all: readonly Order[]): Response {
  const size = numberOf(call, "size", sizes);
  const page = numberOf(call, "page", { fallback: 1, min: 1, max: 1_000_000 });
  const pages = Math.ceil(all.length / size);
  const orders = all.slice((page - 1) * size, page * size);
  return json({ orders, page, pages, total: all.length });
}

/** `?offset=0&limit=25` → `{orders, offset, total}`; past the end the list is empty. */
export function byOffset(call: Call, all: readonly Order[]): Response {
  const limit = numberOf(call, "limit", sizes);
  const offset = numberOf(call, "offset", positions);
  return json({ orders: all.slice(offset, offset + limit), offset, total: all.length });
}

/** `?cursor=…&limit=25` → `{orders, next_cursor}`; null after the last page. */
export function byCursor(call: Call, all: readonly Order[]): Response {
  const limit = numberOf(call, "limit", sizes);
  const start = positionOf(call.url.searchParams.get("cursor") ?? "");
  const end = start + limit;
  const next = end < all.length ? Buffer.from(`after:${end}`).toString("base64url") : null;
  return json({ orders: all.slice(start, end), next_cursor: next });
}

function positionOf(cursor: string): number {
  if (cursor === "") return 0;
  const found = /^after:(\d{1,7})$/.exec(Buffer.from(cursor, "base64url").toString("utf8"));
  if (found === null) throw new Refusal(400, "cursor: expected one that this API gave out");
  return Number(found[1]);
}
