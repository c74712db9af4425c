// The typed client of the control plane, from the same entries as the server. It speaks through
// any fetch: the network's, or the app's own in one process.

import { Fault, messageOf } from "#core/model/fault";
import { type Api, api } from "#core/wire/api";
import { faultOf, parseJsonExactly } from "#core/wire/problem";
import type { Route, RouteAnswer, RouteInput } from "#core/wire/route";

type RequestOf<Entry extends Route> = RouteInput<Entry["parts"]>;
type AnswerOf<Entry extends Route> = RouteAnswer<Entry["parts"]>;

/** A call with its parts; routes without any are called without. */
type Call<Entry extends Route> = keyof RequestOf<Entry> extends never
  ? (input?: undefined, signal?: AbortSignal) => Promise<AnswerOf<Entry>>
  : (input: RequestOf<Entry>, signal?: AbortSignal) => Promise<AnswerOf<Entry>>;

export type ApiClient = { readonly [Name in keyof Api]: Call<Api[Name]> };

export interface ApiClientOptions {
  readonly fetch: (request: Request) => Promise<Response>;
  /** `http://127.0.0.1:8082`, without a trailing slash. */
  readonly baseUrl: string;
  /** Put on every request, asked for anew each time: a token may change. */
  readonly headers?: () => Readonly<Record<string, string>>;
}

interface Parts {
  readonly params?: Readonly<Record<string, unknown>>;
  readonly query?: Readonly<Record<string, unknown>>;
  readonly body?: unknown;
}

/** @throws (from its calls) the Fault that the server answered, or `unavailable`. */
export function apiClient(options: ApiClientOptions): ApiClient {
  const calls = Object.entries(api).map(([name, entry]) => [
    name,
    (input?: Parts, signal?: AbortSignal) => call(options, entry, input ?? {}, signal),
  ]);
  return Object.fromEntries(calls) as ApiClient;
}

async function call(
  options: ApiClientOptions,
  entry: Route,
  parts: Parts,
  signal: AbortSignal | undefined,
): Promise<unknown> {
  const request = new Request(urlOf(options.baseUrl, entry, parts), {
    method: entry.method,
    headers: {
      ...(parts.body === undefined ? {} : { "content-type": "application/json" }),
      ...options.headers?.(),
    },
    ...(parts.body === undefined ? {} : { body: JSON.stringify(parts.body) }),
    ...(signal === undefined ? {} : { signal }),
  });
  const response = await send(options, request);
  const text = await response.text();
  if (response.ok && isText(entry)) return text;
  const value = parsed(text, response.status);
  if (!response.ok) throw faultOf(response.status, value);
  return value;
}

async function send(options: ApiClientOptions, request: Request): Promise<Response> {
  try {
    return await options.fetch(request);
  } catch (thrown) {
    // A fetch of our own may know more than that there is no answer.
    if (thrown instanceof Fault) throw thrown;
    if (request.signal.aborted) throw new Fault("cancelled", "the request was aborted");
    throw new Fault("unavailable", `${options.baseUrl} does not answer: ${messageOf(thrown)}`, {
      cause: thrown,
    });
  }
}

/** What a route of its own making answers may be no JSON. */
function isText({ parts: { raw } }: Route): boolean {
  return raw !== undefined && !/[/+]json\b/.test(raw);
}

function parsed(text: string, status: number): unknown {
  try {
    return text === "" ? undefined : parseJsonExactly(text);
  } catch (thrown) {
    throw new Fault("unavailable", `the server answered ${status} with something else than JSON`, {
      cause: thrown,
    });
  }
}

function urlOf(baseUrl: string, entry: Route, { params, query }: Parts): string {
  const path = entry.path
    .replace(/:([a-z_]+)/g, (_match, name: string) =>
      encodeURIComponent(String(params?.[name] ?? "")),
    )
    // The rest of an address keeps its slashes.
    .replace(/\*$/, () =>
      String(params?.["*"] ?? "")
        .split("/")
        .map(encodeURIComponent)
        .join("/"),
    );
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined) search.set(name, String(value));
  }
  const text = search.toString();
  return `${baseUrl}${path}${text === "" ? "" : `?${text}`}`;
}
