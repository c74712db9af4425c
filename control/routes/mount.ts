// Hangs one entry of the contract on the app: the body is parsed and checked by its schema, and the
// handler gets it checked.

import type { Type } from "arktype";
import { type } from "arktype";
import type { Elysia } from "elysia";
import { admissionOf, admitIds, admitRole, type Observe } from "#control/access/admission";
import { Fault } from "#core/model/fault";
import { jsonDepthMax, requestBytesMax } from "#core/model/limits";
import { parseJsonExactly, statusOf } from "#core/wire/problem";
import type { Route, RouteAnswer, RouteParts, RouteRequest } from "#core/wire/route";

/** A route with `events` or `raw` may answer with a `Response` of its own making. */
type HandlerAnswer<Parts extends RouteParts> =
  | RouteAnswer<Parts>
  | (Parts extends { readonly events: Type } | { readonly raw: string } ? Response : never);

/** The request itself is for what is no part of it: its headers, and whether it was given up. */
export type Handler<Parts extends RouteParts> = (
  request: RouteRequest<Parts>,
  http: Request,
) => Promise<HandlerAnswer<Parts>> | HandlerAnswer<Parts>;

/** What Elysia hands to a handler, as far as we use it. */
interface RawContext {
  readonly params?: unknown;
  readonly query?: unknown;
  readonly request: Request;
}

export function mount<Parts extends RouteParts>(
  app: Elysia,
  entry: Route<Parts>,
  handler: Handler<Parts>,
): void {
  const answer = async (raw: RawContext): Promise<Response> => {
    const { params, query, body } = entry.parts;
    const admission = admissionOf(raw.request);
    // Of a body nothing is read for somebody who is not let in.
    admitRole(entry, admission);
    const checked = {
      ...(params === undefined ? {} : { params: check("path", params, raw.params) }),
      ...(query === undefined ? {} : { query: check("query", query, raw.query) }),
      ...(body === undefined ? {} : { body: check("body", body, await jsonBody(raw.request)) }),
    };
    await admitIds(entry, checked, admission);
    // The parts were checked by the very schemas that the type was inferred from.
    const given: unknown = await handler(checked as unknown as RouteRequest<Parts>, raw.request);
    // Always JSON: a value that is a text would be sent as such otherwise.
    return given instanceof Response ? given : Response.json(given);
  };
  const serve = (raw: RawContext): Promise<Response> => {
    const { observe } = admissionOf(raw.request);
    return observe === undefined ? answer(raw) : observed(entry, observe, () => answer(raw));
  };
  app.route(
    entry.method,
    entry.path,
    serve as never,
    {
      config: {},
      // Elysia's own parsers would read ids beyond 2^53 as rounded numbers.
      parse: () => unread,
    } as never,
  );
}

/** Tells how a request ended and how long it took; a stream counts when it begins. */
async function observed(
  entry: Route,
  observe: Observe,
  answer: () => Promise<Response>,
): Promise<Response> {
  const startedMs = performance.now();
  let status = statusOf("internal");
  try {
    const response = await answer();
    status = response.status;
    return response;
  } catch (thrown) {
    if (thrown instanceof Fault) status = statusOf(thrown.code);
    throw thrown;
  } finally {
    observe(entry, status, performance.now() - startedMs);
  }
}

function check(where: string, schema: Type, value: unknown): unknown {
  const checked: unknown = schema(value);
  if (!(checked instanceof type.errors)) return checked;
  const problems = checked.map(({ path, expected, data }) => ({
    // Its own `map` makes a path of the number of its parts.
    path: Array.from(path, String),
    message: `expected ${withoutValue(expected)}, found ${kindOf(data)}`,
  }));
  const [first] = problems;
  const place = first === undefined ? "" : `${first.path.join(".") || where}: ${first.message}`;
  throw new Fault("invalid", `the ${where} is not as expected: ${place}`, { details: problems });
}

/** Some shapes end what they expect with the value that they were given. */
function withoutValue(expected: string): string {
  return expected.replace(/ \(was .*\)$/s, "");
}

/** What a value is; never the value itself, which may be anybody's data. */
function kindOf(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value === null) return "null";
  return Array.isArray(value) ? "a list" : `a value of type ${typeof value}`;
}

/** Any value will do: it tells Elysia that the body has been seen to. */
const unread = {};

async function jsonBody(request: Request): Promise<unknown> {
  const text = await boundedText(request);
  if (text.trim() === "") return undefined;
  if (depthOf(text) > jsonDepthMax) {
    throw new Fault("invalid", `the body is nested deeper than ${jsonDepthMax} levels`);
  }
  const value = parsed(text);
  // A schema whose fields are all optional would take a list for a map without any.
  if (Array.isArray(value))
    throw new Fault("invalid", "expected the body to be a map, found a list");
  return value;
}

function parsed(text: string): unknown {
  try {
    return parseJsonExactly(text);
  } catch (thrown) {
    throw new Fault("invalid", "the body is not JSON", { cause: thrown });
  }
}

/** Reads the body as far as it is allowed to go; nothing beyond that is kept in memory. */
async function boundedText(request: Request): Promise<string> {
  const declared = Number(request.headers.get("content-length") ?? Number.NaN);
  if (declared > requestBytesMax) throw tooLarge();
  // Whoever parsed the request off the wire holds it to the length that it declares.
  if (declared >= 0) return request.text();
  if (request.body === null) return "";
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for await (const chunk of request.body) {
    bytes += chunk.byteLength;
    if (bytes > requestBytesMax) throw tooLarge();
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

function tooLarge(): Fault {
  return new Fault("too_large", `expected a body of at most ${requestBytesMax} bytes, found more`);
}

const [quote, backslash] = [0x22, 0x5c];
const opening: ReadonlySet<number> = new Set([0x5b, 0x7b]);
const closing: ReadonlySet<number> = new Set([0x5d, 0x7d]);

/** How deep brackets are nested, outside of strings; texts too short to be too deep count as 0. */
function depthOf(text: string): number {
  if (text.length <= jsonDepthMax) return 0;
  let depth = 0;
  let deepest = 0;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit === quote) at = endOfString(text, at);
    else if (opening.has(unit)) deepest = Math.max(deepest, ++depth);
    else if (closing.has(unit)) depth--;
  }
  return deepest;
}

function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let slashes = 0;
    while (text.charCodeAt(end - 1 - slashes) === backslash) slashes++;
    if (slashes % 2 === 0) return end;
  }
  return text.length;
}
