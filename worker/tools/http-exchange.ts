// Sends one request and follows its redirects: bounded, only to http and https, only where egress
// is allowed, and without the caller's credentials once the origin changes.

import { httpRedirectsMax } from "#core/model/limits";
import { configFailure, type Deadline } from "./call-config.ts";
import { type HttpRequest, isHttp } from "./http-request.ts";
import { ToolFailure } from "./tool.ts";

export interface ExchangeOptions {
  readonly followRedirects: boolean;
  readonly verifySsl: boolean;
  readonly egress: (url: URL) => boolean;
  /** Header names (lower case) that carry credentials besides the well-known ones. */
  readonly credentialHeaders: readonly string[];
}

export interface Exchange {
  readonly response: Response;
  readonly url: URL;
}

const knownCredentialHeaders = ["authorization", "proxy-authorization", "cookie", "x-api-key"];
const redirectStatuses = new Set([301, 302, 303, 307, 308]);

export async function exchange(
  request: HttpRequest,
  deadline: Deadline,
  options: ExchangeOptions,
): Promise<Exchange> {
  let current = request;
  for (let redirects = 0; ; redirects++) {
    if (!options.egress(current.url)) {
      throw new ToolFailure({
        kind: "forbidden",
        message: `requests to ${current.url.host} are not allowed on this worker`,
        retryable: false,
      });
    }
    const response = await send(current, deadline, options);
    const location = response.headers.get("location");
    const follow = options.followRedirects && redirectStatuses.has(response.status);
    if (!follow || location === null) return { response, url: current.url };
    await response.body?.cancel();
    if (redirects >= httpRedirectsMax) throw redirectFailure(`more than ${httpRedirectsMax} hops`);
    current = redirected(current, { status: response.status, location }, options);
  }
}

async function send(
  request: HttpRequest,
  deadline: Deadline,
  options: ExchangeOptions,
): Promise<Response> {
  try {
    return await fetch(request.url, {
      method: request.method,
      headers: request.headers,
      ...(request.body === undefined ? {} : { body: request.body }),
      redirect: "manual",
      signal: deadline.signal,
      tls: { rejectUnauthorized: options.verifySsl },
    });
  } catch (error) {
    throw deadline.ended() ?? connectionFailure(request.url, error);
  }
}

function redirected(
  request: HttpRequest,
  answer: { readonly status: number; readonly location: string },
  options: ExchangeOptions,
): HttpRequest {
  const url = URL.parse(answer.location, request.url);
  if (url === null || !isHttp(url)) {
    throw redirectFailure("expected an http or https location");
  }
  url.username = "";
  url.password = "";
  const headers = new Headers(request.headers);
  if (url.origin !== request.url.origin) {
    for (const name of [...knownCredentialHeaders, ...options.credentialHeaders]) {
      headers.delete(name);
    }
  }
  // As browsers do: 303 always turns into a GET, 301 and 302 only when they answer a POST.
  const toGet =
    (answer.status === 303 && request.method !== "HEAD") ||
    (answer.status !== 307 && answer.status !== 308 && request.method === "POST");
  if (!toGet) return { ...request, url, headers };
  headers.delete("content-type");
  headers.delete("idempotency-key");
  return { method: "GET", url, headers, body: undefined };
}

function redirectFailure(problem: string): ToolFailure {
  return new ToolFailure({ kind: "http", message: `bad redirect: ${problem}`, retryable: false });
}

/** Certificate problems do not go away by asking again; refused, reset and unresolved may. */
const certificateCode = /CERT|SSL|TLS|SELF_SIGNED|UNABLE_TO_(GET|VERIFY)|ALTNAME/;

/**
 * The failure of a request that got no whole answer; says the origin only, as paths hold secrets.
 */
export function connectionFailure(url: URL, error: unknown): ToolFailure {
  const code = errorCode(error);
  if (code === "ERR_INVALID_ARG_VALUE" || code === "ERR_INVALID_ARG_TYPE") {
    return configFailure(`url: the request to ${url.origin} could not be built`);
  }
  return new ToolFailure(
    {
      kind: "connection",
      message: `cannot reach ${url.origin}: ${code}`,
      retryable: !certificateCode.test(code),
      code,
    },
    { cause: error },
  );
}

function errorCode(error: unknown): string {
  if (error instanceof Error && "code" in error && typeof error.code === "string") {
    return error.code;
  }
  return error instanceof Error ? error.name : "unknown error";
}
