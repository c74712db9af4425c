// Whoever talks to a control plane says who it is on every request, whichever way that goes.

import { afterEach, expect, test } from "bun:test";
import { apiClient } from "#core/adapters/api-client";
import { routedControl } from "#core/adapters/routed-control";
import { wireFetch } from "#core/adapters/wire-client";
import { commandId, executionId } from "#core/model/ids";
import { until, virtualClock } from "#tests/support/virtual-clock";
import { atEnd, cleanUp } from "#tests/support/wire";

afterEach(cleanUp);

const work = { worker: "w", pools: ["default"], want: 1 };
const command = commandId(executionId("478775660589088776"), "work", 1, undefined);

/** Answers anything, and keeps who asked for what. */
function listener() {
  const heard: string[] = [];
  const fetch = async (request: Request): Promise<Response> => {
    const { pathname } = new URL(request.url);
    const type = request.headers.get("content-type") ?? "none";
    heard.push(`${pathname} ${request.headers.get("authorization")} ${type}`);
    return Response.json({ commands: [], token: "t", name: "n", type: "x", data: {} });
  };
  return { heard, fetch };
}

test("the client puts its headers on requests with and without a body, asked for each time", async () => {
  const { heard, fetch } = listener();
  let turn = 0;
  const headers = () => ({ authorization: `Bearer ${++turn}` });
  const client = apiClient({ fetch, baseUrl: "http://a", headers });
  await client.health();
  await client.claim({ body: work });
  expect(heard).toEqual([
    "/api/health Bearer 1 none",
    "/api/commands/claim Bearer 2 application/json",
  ]);
});

test("a routed control plane puts them on what it asks for, and on its client's requests", async () => {
  const { heard, fetch } = listener();
  const control = routedControl({
    servers: ["http://a", "http://b"],
    clock: virtualClock(),
    fetch,
    headers: () => ({ authorization: "Bearer x" }),
  });
  await control.claim(work);
  expect(await control.callbackToken("w", command)).toBe("t");
  await control.client.health();
  expect(heard).toEqual([
    "/api/commands/claim Bearer x application/json",
    "/api/commands/callback Bearer x application/json",
    "/api/health Bearer x none",
  ]);
});

test("a kept socket is opened with them, and a request's own stand before them", async () => {
  const { heard, fetch: answer } = listener();
  const opened: (string | null)[] = [];
  const server = Bun.serve({
    port: 0,
    fetch: (request, self) => {
      if (request.headers.get("upgrade") !== "websocket") return answer(request);
      opened.push(request.headers.get("authorization"));
      return self.upgrade(request) ? undefined : new Response(null, { status: 400 });
    },
    websocket: { message: () => {} },
  });
  atEnd(() => server.stop(true));
  const wire = wireFetch({
    fetch: (request) => fetch(request),
    clock: virtualClock(),
    headers: () => ({ authorization: "Bearer x" }),
  });
  atEnd(() => wire.close());
  const url = `${server.url.origin}/api/health`;
  await wire.fetch(new Request(url));
  await wire.fetch(new Request(url, { headers: { authorization: "Bearer own" } }));
  await wire.fetch(new Request(`${server.url.origin}/api/commands/claim`, { method: "POST" }));
  expect(heard).toEqual([
    "/api/health Bearer x none",
    "/api/health Bearer own none",
    "/api/commands/claim Bearer x none",
  ]);
  await until(() => opened.length > 0);
  expect(opened).toEqual(["Bearer x"]);
});
