// The examples API as one function from request to response: routes, the list of requests it has
// seen, and nothing that listens. All state is in memory and bounded.

import { type Call, type Handler, json, Refusal, refused } from "./answers.ts";
import type { ApiClock } from "./clock.ts";
import { orderDesk } from "./order-desk.ts";
import { byCursor, byOffset, byPage } from "./pages.ts";
import { makeShop } from "./shop.ts";
import { flaky, heavy, limited, slow } from "./trouble.ts";

/** A request that was answered; the path with its query. */
export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly status: number;
}

export interface ExamplesApi {
  fetch(request: Request): Promise<Response>;
  /** The latest requests, oldest first. */
  seen(): readonly SeenRequest[];
}

export const requestBodyBytesMax = 1_048_576;
const seenMax = 1_000;

export function examplesApi(clock: ApiClock): ExamplesApi {
  const seen: SeenRequest[] = [];
  const routes = compiled(routeTable(clock, () => seen));
  const fetch = async (request: Request): Promise<Response> => {
    const url = new URL(request.url);
    const response = await answer(routes, request, url);
    const path = `${url.pathname}${url.search}`;
    seen.push({ method: request.method, path, status: response.status });
    if (seen.length > seenMax) seen.shift();
    return response;
  };
  return { fetch, seen: () => [...seen] };
}

function routeTable(clock: ApiClock, seen: () => readonly SeenRequest[]): Record<string, Handler> {
  const shop = makeShop();
  const routes: Record<string, Handler> = {
    "GET /customers": () => json(shop.customers),
    "GET /customers/:id": (call) => one(call, shop.customers),
    "GET /products": () => json(shop.products),
    "GET /products/:id": (call) => one(call, shop.products),
    "GET /orders": () => json(shop.orders),
    "GET /orders/by-page": (call) => byPage(call, shop.orders),
    "GET /orders/by-offset": (call) => byOffset(call, shop.orders),
    "GET /orders/by-cursor": (call) => byCursor(call, shop.orders),
    "GET /orders/:id": (call) => one(call, shop.orders),
    "POST /orders": orderDesk(shop),
    "GET /flaky/:key": flaky(),
    "GET /limited/:key": limited(clock),
    "GET /slow/:key": slow(clock),
    "GET /heavy": heavy,
    "GET /echo": echo,
    "POST /echo": echo,
    "GET /requests": () => json(seen()),
  };
  return { "GET /": () => json({ routes: Object.keys(routes) }), ...routes };
}

/** Gives the request back, but for headers that carry secrets. */
function echo({ method, url, headers, body }: Call): Response {
  const secret = new Set(["authorization", "cookie", "x-api-key"]);
  const shown = [...headers].filter(([name]) => !secret.has(name));
  const query = Object.fromEntries(url.searchParams);
  return json({ method, path: url.pathname, query, headers: Object.fromEntries(shown), body });
}

function one({ params }: Call, list: readonly { readonly id: number }[]): Response {
  const found = list.find(({ id }) => String(id) === params["id"]);
  if (found === undefined) throw new Refusal(404, "there is nothing under this id");
  return json(found);
}

interface Route {
  readonly method: string;
  readonly segments: readonly string[];
  readonly handler: Handler;
}

/** Fixed paths before those with parameters, so that `/orders/by-page` is no order's id. */
function compiled(table: Record<string, Handler>): readonly Route[] {
  return Object.entries(table)
    .map(([name, handler]) => {
      const [method = "", path = ""] = name.split(" ");
      return { method, segments: path.split("/"), handler };
    })
    .sort((left, right) => parameters(left) - parameters(right));
}

function parameters({ segments }: Route): number {
  return segments.filter((segment) => segment.startsWith(":")).length;
}

async function answer(routes: readonly Route[], request: Request, url: URL): Promise<Response> {
  const given = url.pathname.split("/");
  const matching = routes.flatMap((route) => {
    const params = paramsOf(route.segments, given);
    return params === undefined ? [] : [{ route, params }];
  });
  const match = matching.find(({ route }) => route.method === request.method);
  if (match === undefined) {
    const status = matching.length === 0 ? 404 : 405;
    return refused(new Refusal(status, `no route for ${request.method} ${url.pathname}; see /`));
  }
  const { method, headers } = request;
  try {
    const body = await request.text();
    return await match.route.handler({ method, url, headers, body, params: match.params });
  } catch (thrown) {
    if (thrown instanceof Refusal) return refused(thrown);
    throw thrown;
  }
}

function paramsOf(
  segments: readonly string[],
  given: readonly string[],
): Record<string, string> | undefined {
  if (segments.length !== given.length) return undefined;
  const params: Record<string, string> = {};
  for (const [index, segment] of segments.entries()) {
    const text = given[index] ?? "";
    if (segment.startsWith(":") && text !== "") params[segment.slice(1)] = text;
    else if (segment !== text) return undefined;
  }
  return params;
}
