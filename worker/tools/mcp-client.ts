// One session with a server of the Model Context Protocol over streamable HTTP: hello, one request,
// goodbye. What the protocol's own package does is left to it; bounds, where requests may go and
// what went wrong on the line are seen to here.

import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import {
  StreamableHTTPClientTransport,
  StreamableHTTPError,
} from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import {
  McpError,
  type Request,
  type Result,
  ResultSchema,
} from "@modelcontextprotocol/sdk/types.js";
import type { Json, JsonObject } from "#core/model/json";
import { mcpEndMs, mcpGoodbyeMs, mcpMessageBytesMax } from "#core/model/run-tool-limits";
import type { Deadline } from "./call-config.ts";
import { connectionFailure } from "./http-exchange.ts";
import { ToolFailure } from "./tool.ts";

export interface McpTarget {
  readonly url: URL;
  /** Of every request, those that authenticate included. */
  readonly headers: Headers;
  readonly egress: (url: URL) => boolean;
  readonly version: string;
}

export interface McpRequest {
  readonly method: string;
  readonly params: JsonObject | undefined;
  /** Only with this request: it may have an effect. */
  readonly idempotencyKey?: string;
}

/** Longer timers fire at once in JavaScript. */
const timerMsMax = 2_147_483_647;

/** What the server said of itself when it was greeted. */
export interface McpInitialize {
  readonly protocolVersion: string;
  readonly serverInfo: JsonObject;
  readonly capabilities: JsonObject;
}

export type McpAnswer =
  | { readonly kind: "result"; readonly initialize: McpInitialize; readonly result: JsonObject }
  | {
      readonly kind: "error";
      readonly initialize: McpInitialize;
      readonly code: number;
      readonly message: string;
      readonly data: Json;
    };

/**
 * Greets the server, sends the request and ends the session.
 * @throws ToolFailure for everything that is no answer to the request.
 */
export async function mcpAnswer(
  target: McpTarget,
  request: McpRequest,
  deadline: Deadline,
): Promise<McpAnswer> {
  const line = watchedLine(target, deadline);
  const transport = new StreamableHTTPClientTransport(target.url, {
    requestInit: { headers: target.headers },
    fetch: line.fetch,
  });
  const client = new Client<Request, never, Result>({ name: "noetl", version: target.version });
  // The deadline ends the request; the package's own clock must not run out before it.
  const timeout = Math.min(deadline.timeoutMs + mcpGoodbyeMs, timerMsMax);
  const waits = { signal: deadline.signal, timeout };
  let greeted = false;
  try {
    await Promise.race([client.connect(transport, waits), line.lost]);
    greeted = true;
    const initialize: McpInitialize = {
      protocolVersion: transport.protocolVersion ?? "",
      // What came over the line as JSON is JSON.
      serverInfo: (client.getServerVersion() ?? {}) as unknown as JsonObject,
      capabilities: (client.getServerCapabilities() ?? {}) as unknown as JsonObject,
    };
    if (request.idempotencyKey !== undefined) line.mark(request.idempotencyKey);
    return await answered(client, request, { initialize, waits, line });
  } catch (thrown) {
    throw deadline.ended() ?? failureOf(thrown, { url: target.url, greeted });
  } finally {
    await goodbye(client, transport);
  }
}

interface Asking {
  readonly initialize: McpInitialize;
  readonly waits: { readonly signal: AbortSignal; readonly timeout: number };
  readonly line: Line;
}

async function answered(
  client: Client<Request, never, Result>,
  { method, params }: McpRequest,
  { initialize, waits, line }: Asking,
): Promise<McpAnswer> {
  const sent = params === undefined ? { method } : { method, params };
  const options = { ...waits, onresumptiontoken: () => line.resumable() };
  try {
    const asked = client.request(sent, ResultSchema, options);
    const result = await Promise.race([asked, line.lost]);
    return { kind: "result", initialize, result: result as unknown as JsonObject };
  } catch (thrown) {
    if (!(thrown instanceof McpError) || waits.signal.aborted) throw thrown;
    const { code, data } = thrown;
    const message = thrown.message.replace(/^MCP error -?\d+: /, "");
    // The error's data came over the line as JSON, if there is any.
    return { kind: "error", initialize, code, message, data: (data ?? null) as Json };
  }
}

/** Ends the session where there is one; a server that does not care is not waited for. */
async function goodbye(
  client: Client<Request, never, Result>,
  transport: StreamableHTTPClientTransport,
): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, mcpGoodbyeMs);
  });
  // The call has its answer, or its failure; what the end of the session meets changes neither.
  await Promise.race([transport.terminateSession().catch(() => undefined), late]);
  clearTimeout(timer);
  await client.close().catch(() => undefined);
}

interface Line {
  readonly fetch: (url: string | URL, init?: RequestInit) => Promise<Response>;
  /** Rejects when an answer broke off and nothing will come of it any more. */
  readonly lost: Promise<never>;
  /** From now on requests carry this key. */
  mark(idempotencyKey: string): void;
  /** The server can take a broken stream up again. */
  resumable(): void;
}

/** `fetch` as the protocol's package uses it, with bounds and an eye on what breaks. */
function watchedLine({ egress }: McpTarget, deadline: Deadline): Line {
  const lost = Promise.withResolvers<never>();
  // Whoever is not racing against it any more has an answer.
  lost.promise.catch(() => undefined);
  let key: string | undefined;
  let canResume = false;
  const send = async (to: string | URL, init: RequestInit = {}): Promise<Response> => {
    const url = new URL(to);
    if (!egress(url)) throw forbidden(url);
    const headers = new Headers(init.headers);
    // A stream of the server's own news is of no use to who asks for one thing only.
    if (init.method === "GET" && !headers.has("last-event-id")) return noStream();
    if (key !== undefined && init.method === "POST") headers.set("idempotency-key", key);
    let response: Response;
    try {
      response = await fetch(url, { ...init, headers });
    } catch (error) {
      throw connectionFailure(url, error);
    }
    const broken = (error: unknown): void => {
      if (!canResume)
        lost.reject(error instanceof ToolFailure ? error : connectionFailure(url, error));
    };
    return watched(response, { broken, deadline });
  };
  return {
    fetch: send,
    lost: lost.promise,
    mark: (idempotencyKey) => {
      key = idempotencyKey;
    },
    resumable: () => {
      canResume = true;
    },
  };
}

function noStream(): Response {
  return new Response(null, { status: 405 });
}

interface Watch {
  readonly broken: (error: unknown) => void;
  readonly deadline: Deadline;
}

/** The response with a body that is counted, and whose end without an answer is noticed. */
function watched(response: Response, { broken, deadline }: Watch): Response {
  const { body, status, statusText, headers } = response;
  if (body === null) return response;
  const isStream = headers.get("content-type")?.startsWith("text/event-stream") === true;
  const reader = body.getReader();
  let bytes = 0;
  const counted = new ReadableStream<Uint8Array>({
    pull: async (controller) => {
      try {
        const { done, value } = await reader.read();
        if (done) {
          controller.close();
          if (isStream) afterwards(deadline, () => broken(endedEarly()));
          return;
        }
        bytes += value.byteLength;
        if (bytes > mcpMessageBytesMax) throw tooLong();
        controller.enqueue(value);
      } catch (error) {
        await reader.cancel().catch(() => undefined);
        controller.error(error);
        broken(error);
      }
    },
    cancel: (reason) => reader.cancel(reason),
  });
  return new Response(counted, { status, statusText, headers });
}

/** Later, unless the call has come to its end by then. */
function afterwards({ signal }: Deadline, run: () => void): void {
  const timer = setTimeout(run, mcpEndMs);
  timer.unref();
  signal.addEventListener("abort", () => clearTimeout(timer), { once: true });
}

function forbidden({ host }: URL): ToolFailure {
  const message = `requests to ${host} are not allowed on this worker`;
  return new ToolFailure({ kind: "forbidden", message, retryable: false });
}

function tooLong(): ToolFailure {
  const message = `the server's answer is larger than ${mcpMessageBytesMax} bytes`;
  return new ToolFailure({ kind: "result", message, retryable: false });
}

function endedEarly(): ToolFailure {
  const message = "the server ended its answer before the result";
  return new ToolFailure({ kind: "connection", code: "ended", message, retryable: true });
}

interface Where {
  readonly url: URL;
  readonly greeted: boolean;
}

/** What went wrong without an answer, as a failure; says the origin only, as paths hold secrets. */
function failureOf(thrown: unknown, { url, greeted }: Where): ToolFailure {
  if (thrown instanceof ToolFailure) return thrown;
  if (thrown instanceof StreamableHTTPError && (thrown.code ?? -1) > 0) {
    const status = thrown.code ?? 0;
    const retryable = status === 408 || status === 429 || status >= 500;
    const message = `${url.origin} answered with HTTP ${status}`;
    return new ToolFailure({ kind: "mcp", code: status, message, retryable }, { cause: thrown });
  }
  if (thrown instanceof McpError && !greeted) {
    const message = `${url.origin} refused the session: ${thrown.message}`;
    const { code } = thrown;
    return new ToolFailure({ kind: "mcp", code, message, retryable: false }, { cause: thrown });
  }
  const message = `${url.origin} does not answer as an MCP server does`;
  const failure = { kind: "mcp", code: "protocol", message, retryable: false };
  return new ToolFailure(failure, { cause: thrown });
}
