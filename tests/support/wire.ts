// Both ends of a kept socket for tests: a server whose answers the test holds back, and a client that
// tells what went over HTTP.

import { type Listening, listen } from "#core/adapters/listen";
import { type WireFetch, wireFetch } from "#core/adapters/wire-client";
import { settled, until, type VirtualClock, virtualClock } from "./virtual-clock.ts";

const cleanups: (() => unknown)[] = [];

/** Ends what the functions below have started, and what else a test says; for `afterEach`. */
export async function cleanUp(): Promise<void> {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
}

export function atEnd(cleanup: () => unknown): void {
  cleanups.push(cleanup);
}

/** A server whose answers the test holds back. */
export interface Server {
  readonly url: string;
  /** Requests for `/api/held/…` that wait, by what stands there. */
  readonly held: Map<string, { readonly request: Request; readonly answer: () => void }>;
  stop(): Promise<void>;
}

export function server(options: { readonly wire?: boolean; readonly port?: number } = {}): Server {
  const held: Server["held"] = new Map();
  const listening: Listening = listen(async (request) => answerOf(request, held), {
    ...{ host: "127.0.0.1", port: options.port ?? 0, exact: true, wire: options.wire ?? true },
  });
  cleanups.push(() => {
    for (const { answer } of held.values()) answer();
    return listening.stop();
  });
  return { url: listening.url, held, stop: listening.stop };
}

async function answerOf(request: Request, held: Server["held"]): Promise<Response> {
  const { pathname, search } = new URL(request.url);
  const [, name] = /^\/api\/held\/(.+)$/.exec(pathname) ?? [];
  if (name !== undefined) {
    await new Promise<void>((answer) => held.set(name, { request, answer }));
    held.delete(name);
    return Response.json({ held: name });
  }
  switch (pathname) {
    case "/api/none":
      return new Response(null, { status: 204 });
    case "/api/text":
      return new Response("plain\nlines", { status: 418, headers: { "x-noetl-epoch": "e" } });
    case "/api/large":
      return Response.json("x".repeat(16 * 1_048_576));
    case "/api/stream":
      return new Response("data: x\n\n", { headers: { "content-type": "text/event-stream" } });
    default: {
      const { method } = request;
      const own = ["content-type", "x-noetl-cluster", "authorization"];
      const headers = own.map((header) => [header, request.headers.get(header)]);
      return Response.json({ method, pathname, search, headers, body: await request.text() });
    }
  }
}

export interface Client {
  readonly wire: WireFetch;
  readonly clock: VirtualClock;
  readonly sockets: WebSocket[];
  /** Paths of what went over HTTP. */
  readonly overHttp: string[];
}

export function client(): Client {
  const clock = virtualClock();
  const sockets: WebSocket[] = [];
  const overHttp: string[] = [];
  const wire = wireFetch({
    clock,
    fetch: (request) => {
      overHttp.push(new URL(request.url).pathname);
      return fetch(request);
    },
    webSocket: (url) => {
      const socket = new WebSocket(url);
      sockets.push(socket);
      return socket;
    },
  });
  cleanups.push(() => wire.close());
  return { wire, clock, sockets, overHttp };
}

export function post(url: string, options: RequestInit = {}): Request {
  const headers = { "content-type": "application/json" };
  return new Request(url, { method: "POST", body: '{"a":1}', headers, ...options });
}

/** A client whose next request goes over a socket that is open. */
export async function linked(url: string): Promise<Client> {
  const made = client();
  await made.wire.fetch(post(`${url}/api/first`));
  await until(() => made.sockets.at(-1)?.readyState === WebSocket.OPEN);
  await settled();
  made.overHttp.length = 0;
  return made;
}

export const closeOf = (socket: WebSocket | undefined): Promise<CloseEvent> =>
  new Promise((resolve) => socket?.addEventListener("close", resolve));

export const thrownBy = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
