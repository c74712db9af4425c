// The http tool: one request, one envelope. A bad status is an outcome with its body, so that
// policy rules can look at both (language reference §2.5).

import type { JsonObject } from "#core/model/json";
import { resultBytesMax } from "#core/model/limits";
import type { Failure, Output } from "#core/model/outcome";
import { httpAuth } from "./auth.ts";
import { type Deadline, flagField, textField, withDeadline } from "./call-config.ts";
import { bodyBytes, decodedBody, responseTypeOf } from "./http-body.ts";
import { connectionFailure, exchange } from "./http-exchange.ts";
import { httpRequest, isSafeMethod, setHeader } from "./http-request.ts";
import { type Tool, type ToolContext, ToolFailure } from "./tool.ts";

export interface HttpToolOptions {
  /** Whether this worker may send a request there; asked again at every redirect. */
  readonly egress?: (url: URL) => boolean;
  readonly bodyBytesMax?: number;
}

/**
 * Data: `{status_code, headers, data, url, elapsed_ms}`, where `data` is the parsed body. The body
 * is stored once; the step view answers `.body` with `.data`.
 */
export function httpTool(options: HttpToolOptions = {}): Tool {
  return {
    kind: "http",
    run: (config, context) =>
      withDeadline(config, context, (deadline) => call(config, context, { deadline, options })),
  };
}

interface Call {
  readonly deadline: Deadline;
  readonly options: HttpToolOptions;
}

async function call(config: JsonObject, context: ToolContext, { deadline, options }: Call) {
  const request = httpRequest(config);
  const type = responseTypeOf(textField(config, "response_type")?.value);
  const followRedirects = flagField(config, true, "follow_redirects");
  const verifySsl = flagField(config, true, "verify_ssl");
  const auth = await httpAuth(config, context);
  if (auth !== undefined && !request.headers.has(auth.header)) {
    setHeader(request.headers, auth.header, auth.value);
  }
  if (!isSafeMethod(request.method) && !request.headers.has("idempotency-key")) {
    request.headers.set("idempotency-key", context.idempotencyKey);
  }
  if (context.traceparent !== undefined && !request.headers.has("traceparent")) {
    request.headers.set("traceparent", context.traceparent);
  }
  const startMs = performance.now();
  const { response, url } = await exchange(request, deadline, {
    followRedirects,
    verifySsl,
    egress: egressOf(options, context),
    credentialHeaders: auth === undefined ? [] : [auth.header],
  });
  let bytes: Uint8Array;
  try {
    bytes = await bodyBytes(response, options.bodyBytesMax ?? resultBytesMax);
  } catch (error) {
    if (error instanceof ToolFailure) throw error;
    throw deadline.ended() ?? connectionFailure(url, error);
  }
  const body = decodedBody(bytes, type, response.headers.get("content-type"));
  const elapsedMs = Math.round(performance.now() - startMs);
  return httpOutput(response, { url: url.href, body, elapsed_ms: elapsedMs });
}

/** What this tool was told and what the worker was told both hold. */
function egressOf(
  { egress: own = () => true }: HttpToolOptions,
  { policy: { egress: workers = () => true } }: ToolContext,
): (url: URL) => boolean {
  return (url) => own(url) && workers(url);
}

function httpOutput(response: Response, rest: JsonObject): Output {
  const { body, url, elapsed_ms } = rest;
  const headers = headersOf(response);
  const retryAfterS = retryAfterSeconds(response.headers.get("retry-after"));
  const output = {
    data: {
      status_code: response.status,
      headers,
      data: body ?? null,
      url: url ?? null,
      elapsed_ms: elapsed_ms ?? null,
    },
    http: {
      status: response.status,
      headers,
      ...(retryAfterS === undefined ? {} : { retry_after_s: retryAfterS }),
    },
  };
  return response.ok
    ? { status: "ok", ...output }
    : { status: "error", ...output, error: statusFailure(response.status) };
}

/** Headers with lower-case names; cookies are the server's secrets and are left out. */
function headersOf(response: Response): JsonObject {
  const headers: Record<string, string> = {};
  for (const [name, value] of response.headers) {
    const key = name.toLowerCase();
    if (key !== "set-cookie" && key !== "set-cookie2") headers[key] = value;
  }
  return headers;
}

function statusFailure(status: number): Failure {
  return {
    kind: "http",
    code: status,
    message: `HTTP ${status} response`,
    retryable: status === 408 || status === 429 || status >= 500,
  };
}

function retryAfterSeconds(text: string | null): number | undefined {
  if (text === null) return undefined;
  if (/^\s*\d+(\.\d+)?\s*$/.test(text)) return Number(text);
  const atMs = Date.parse(text);
  return Number.isNaN(atMs) ? undefined : Math.max(0, Math.ceil((atMs - Date.now()) / 1_000));
}
