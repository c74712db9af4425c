// A fetch that carries what it can over one kept socket for each server, and everything else over
// HTTP: what is read, what is large, what streams, and whatever there is no socket for. A server
// without one serves the same requests, so the socket saves time and nothing depends on it.

import { wireBodyCharsMax, wireOpenMs, wireRetryMs } from "#core/model/limits";
import type { Clock } from "#core/ports/clock";
import { type CarriedHeaders, callBodyType, wirePath } from "#core/wire/carried";
import { untaken, WireLine } from "./wire-line.ts";

type Fetch = (request: Request) => Promise<Response>;
type SocketHeaders = Readonly<Record<string, string>>;

export interface WireFetchOptions {
  /** The way there is without a socket. */
  readonly fetch: Fetch;
  readonly clock: Clock;
  /** Begins to open a socket; the platform's own by default. */
  readonly webSocket?: (url: string, headers: SocketHeaders) => WebSocket;
  /** Say who asks: put on the opening of each socket, and on requests that don't have them. */
  readonly headers?: () => SocketHeaders;
}

export interface WireFetch {
  /**
   * As the fetch it was made from, and throws what that throws. When the socket is lost, requests
   * under way throw an Error with code `ECONNRESET`: they may have been done.
   */
  readonly fetch: Fetch;
  /** Closes the sockets, what is under way on them counts as lost; the rest goes over HTTP. */
  close(): void;
}

/** Nothing is opened before a server has answered its first request. */
export function wireFetch(options: WireFetchOptions): WireFetch {
  const ways = new Map<string, Way>();
  let isClosed = false;
  const wayTo = (origin: string): Way => {
    const known = ways.get(origin);
    if (known !== undefined) return known;
    const way = newWay(origin, options);
    ways.set(origin, way);
    return way;
  };
  return {
    fetch: async (request) => {
      for (const [name, value] of Object.entries(options.headers?.() ?? {})) {
        if (!request.headers.has(name)) request.headers.set(name, value);
      }
      const { origin, path } = placeOf(request.url);
      if (!isCarried(request, path)) return options.fetch(request);
      const way = wayTo(origin);
      const line = way.line();
      if (line !== undefined) return overLine(line, request, { path, fetch: options.fetch });
      const response = await options.fetch(request);
      // A proxy whose server is away would refuse the socket as well.
      if (response.ok && !isClosed) way.open();
      return response;
    },
    close: () => {
      isClosed = true;
      for (const way of ways.values()) way.close();
    },
  };
}

/** What changes something is short both ways; what is read may be long, and safe to wait for. */
function isCarried({ method, headers }: Request, path: string): boolean {
  if (method === "GET" || method === "HEAD") return false;
  const kind = headers.get("content-type");
  if (kind !== null && !kind.startsWith("application/json")) return false;
  if (headers.get("accept")?.includes("text/event-stream") === true) return false;
  // The socket of a server that isn't at the root of its host is nobody knows where.
  return path.startsWith("/api/");
}

function placeOf(url: string): { readonly origin: string; readonly path: string } {
  const at = url.indexOf("/", url.indexOf("://") + 3);
  return at < 0 ? { origin: url, path: "/" } : { origin: url.slice(0, at), path: url.slice(at) };
}

interface Unlined {
  readonly path: string;
  readonly fetch: Fetch;
}

async function overLine(
  line: WireLine,
  request: Request,
  { path, fetch }: Unlined,
): Promise<Response> {
  const { method, signal, url } = request;
  const body = await request.text();
  const again = (): Promise<Response> =>
    fetch(new Request(url, { method, headers: request.headers, signal, ...bodyOf(body) }));
  if (body.length > wireBodyCharsMax || !line.isUsable) return again();
  const headers = carriedHeaders(request.headers);
  const reply = await line.ask({ method, path, headers, body }, signal);
  return reply === untaken ? again() : reply;
}

function bodyOf(body: string): { readonly body?: string } {
  return body === "" ? {} : { body };
}

function carriedHeaders(headers: Headers): CarriedHeaders {
  const carried: Record<string, string> = {};
  for (const [name, value] of headers) {
    if (name !== "content-type" || value !== callBodyType) carried[name] = value;
  }
  return carried;
}

/** The socket to one server. */
interface Way {
  /** Undefined as long as there is none that works. */
  line(): WireLine | undefined;
  /** Begins to open one, unless that is being done or was tried a moment ago. */
  open(): void;
  close(): void;
}

function newWay(origin: string, options: WireFetchOptions): Way {
  const { clock, webSocket = platformSocket } = options;
  const ending = new AbortController();
  let current: WireLine | undefined;
  let isOpening = false;
  let notBeforeMs = Number.NEGATIVE_INFINITY;

  const connect = async (): Promise<void> => {
    const url = `${origin.replace(/^http/, "ws")}${wirePath}`;
    const socket = webSocket(url, options.headers?.() ?? {});
    if (await isOpened(socket, clock, ending.signal)) current = new WireLine(socket, clock);
    else socket.close();
  };

  return {
    line: () => (current?.isUsable === true ? current : undefined),
    open: () => {
      const isWanted = !isOpening && current?.isUsable !== true;
      if (!isWanted || clock.nowMs() < notBeforeMs) return;
      isOpening = true;
      notBeforeMs = clock.nowMs() + wireRetryMs;
      void connect().finally(() => {
        isOpening = false;
      });
    },
    close: () => {
      ending.abort();
      current?.close();
    },
  };
}

function platformSocket(url: string, headers: SocketHeaders): WebSocket {
  if (Object.keys(headers).length === 0) return new WebSocket(url);
  // Bun takes options where browsers, and the types of theirs that are in force, have protocols.
  return new WebSocket(url, { headers } as unknown as string[]);
}

/** False when it is refused, or takes too long, or is not wanted any more. */
async function isOpened(socket: WebSocket, clock: Clock, ended: AbortSignal): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const done = new AbortController();
  socket.onopen = () => resolve(true);
  socket.onclose = () => resolve(false);
  // A refusal is told as an error too, and an error without a listener is printed.
  socket.onerror = () => resolve(false);
  const patience = AbortSignal.any([ended, done.signal]);
  void clock.sleep(wireOpenMs, patience).then(() => resolve(false));
  const opened = await promise;
  done.abort();
  return opened && !ended.aborted;
}
