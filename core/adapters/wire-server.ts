// The server's end of the sockets that workers keep: each frame becomes a request to the same
// handler that serves HTTP, and its answer goes back as one frame. Pages of a browser get no
// socket: they would be any page. Of what frames hold nothing is logged.

import { Fault } from "#core/model/fault";
import {
  requestBytesMax,
  wireRequestsMax,
  wireSilenceMs,
  wireUnreadBytesMax,
} from "#core/model/limits";
import {
  type CarriedAnswer,
  type CarriedCall,
  type CarriedReply,
  type CarriedRequest,
  callBodyType,
  decodeCall,
  encodeCarried,
  replyBodyType,
  wirePath,
} from "#core/wire/carried";
import { problemBody, statusOf } from "#core/wire/problem";
import { notePeer } from "./peers.ts";

type Fetch = (request: Request) => Promise<Response>;
/** Why somebody gets no socket; undefined for who does. */
export type Refusal = (request: Request) => Promise<Response | undefined>;

/** What is known of one socket. */
export interface WireState {
  /** Scheme, host and port that the worker asked for, for the addresses of its requests. */
  readonly origin: string;
  /** The address at its other end. */
  readonly peer: string | undefined;
  /** Requests under way, each with what tells it that nobody waits for it any more. */
  readonly pending: Map<number, AbortController>;
}

type Socket = Bun.ServerWebSocket<WireState>;

export interface WireServer {
  /** For the server that the sockets belong to. */
  readonly websocket: Bun.WebSocketHandler<WireState>;
  /** Whether the request asks for a socket; no route has its address. */
  isAsked(request: Request): boolean;
  /** Opens it, or says why not; undefined when it is open. */
  open(request: Request, server: Bun.Server<WireState>): Promise<Response | undefined>;
  /** Begins nothing new, answers what is under way, and closes each socket after its last answer. */
  stop(): void;
}

/** Close codes of RFC 6455. */
const goingAway = 1001;
const protocolError = 1002;

export function wireServer(fetch: Fetch, refusal: Refusal = async () => undefined): WireServer {
  const sockets = new Set<Socket>();
  let isStopping = false;

  const message = (socket: Socket, data: string | Buffer): void => {
    const call = callOf(data);
    const { pending } = socket.data;
    if (call === undefined) return socket.close(protocolError, "expected a request or its end");
    if (call.kind === "cancel") return pending.get(call.id)?.abort();
    if (pending.has(call.id)) return socket.close(protocolError, "expected a new id");
    if (isStopping) return reply(socket, { kind: "untaken", id: call.id });
    if (pending.size >= wireRequestsMax) return reply(socket, tooMany(call.id));
    const ending = new AbortController();
    const request = requestOf(call, socket.data.origin, ending.signal);
    if (request === undefined) return socket.close(protocolError, "expected what HTTP can say");
    const { peer } = socket.data;
    notePeer(request, () => peer);
    pending.set(call.id, ending);
    void answered(fetch, request).then((answer) => {
      pending.delete(call.id);
      if (!ending.signal.aborted) reply(socket, { kind: "answer", id: call.id, ...answer });
      if (isStopping && pending.size === 0) leave(socket);
    });
  };

  return {
    websocket: {
      idleTimeout: wireSilenceMs / 1_000,
      sendPings: true,
      maxPayloadLength: requestBytesMax,
      backpressureLimit: wireUnreadBytesMax,
      closeOnBackpressureLimit: true,
      open: (socket) => void sockets.add(socket),
      message,
      close: (socket) => {
        sockets.delete(socket);
        // What is leased for a worker that is gone goes back at once.
        for (const ending of socket.data.pending.values()) ending.abort();
      },
    },
    isAsked: (request) =>
      request.method === "GET" &&
      request.url.includes(wirePath) &&
      new URL(request.url).pathname === wirePath,
    open: (request, server) => opened(request, server, refusal),
    stop: () => {
      isStopping = true;
      for (const socket of sockets) if (socket.data.pending.size === 0) leave(socket);
    },
  };
}

function leave(socket: Socket): void {
  socket.close(goingAway, "the server stops");
}

async function opened(
  request: Request,
  server: Bun.Server<WireState>,
  refusal: Refusal,
): Promise<Response | undefined> {
  if (request.headers.has("origin")) {
    return refused(new Fault("forbidden", "expected a worker, found a page of a browser"));
  }
  const peer = server.requestIP(request)?.address;
  notePeer(request, () => peer);
  // A stranger would hold the socket, whatever becomes of the requests on it.
  const stranger = await refusal(request);
  if (stranger !== undefined) return stranger;
  const { origin } = new URL(request.url);
  if (server.upgrade(request, { data: { origin, peer, pending: new Map() } })) return undefined;
  return refused(new Fault("invalid", `expected a WebSocket at ${wirePath}`));
}

function refused(fault: Fault): Response {
  return Response.json(problemBody(fault), { status: statusOf(fault.code) });
}

function callOf(data: string | Buffer): CarriedCall | undefined {
  if (typeof data !== "string") return undefined;
  try {
    return decodeCall(data);
  } catch (thrown) {
    if (thrown instanceof Fault) return undefined;
    throw thrown;
  }
}

/** Undefined for headers that are none, and for a body where there can't be any. */
function requestOf(call: CarriedRequest, origin: string, signal: AbortSignal): Request | undefined {
  const { method, path, headers, body } = call;
  const url = `${origin}${path}`;
  try {
    if (body === "") return new Request(url, { method, headers, signal });
    const typed = { "content-type": callBodyType, ...headers };
    return new Request(url, { method, headers: typed, signal, body });
  } catch (thrown) {
    if (thrown instanceof TypeError) return undefined;
    throw thrown;
  }
}

type Answer = Pick<CarriedAnswer, "status" | "headers" | "body">;

async function answered(fetch: Fetch, request: Request): Promise<Answer> {
  try {
    const response = await fetch(request);
    const kind = response.headers.get("content-type") ?? "";
    if (isCarriable(kind)) return await answerOf(response);
    await response.body?.cancel();
    return problem(new Fault("invalid", "expected a request for JSON; ask for streams over HTTP"));
  } catch {
    // The handler makes answers of all faults and reports what is none.
    return problem(new Fault("internal", "internal error"));
  }
}

/** One text that ends by itself. */
function isCarriable(kind: string): boolean {
  if (kind === "" || kind.startsWith("application/json")) return true;
  return kind.startsWith("text/") && !kind.startsWith("text/event-stream");
}

async function answerOf(response: Response): Promise<Answer> {
  const headers: Record<string, string> = {};
  let isTyped = false;
  for (const [name, value] of response.headers) {
    const isType = name === "content-type";
    isTyped ||= isType;
    if (!isType || value !== replyBodyType) headers[name] = value;
  }
  const body = await response.text();
  // A text of no type is given one only on its way out over HTTP.
  if (!isTyped && body !== "") headers["content-type"] = "text/plain;charset=utf-8";
  return { status: response.status, headers, body };
}

function problem(fault: Fault, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status: statusOf(fault.code), headers, body: JSON.stringify(problemBody(fault)) };
}

function tooMany(id: number): CarriedAnswer {
  const fault = new Fault("unavailable", `expected at most ${wireRequestsMax} requests at a time`);
  return { kind: "answer", id, ...problem(fault, { "retry-after": "1" }) };
}

function reply(socket: Socket, frame: CarriedReply): void {
  // Nobody is told of one that can't be sent: the socket is closed, and its requests with it.
  socket.sendText(encodeCarried(frame));
}
